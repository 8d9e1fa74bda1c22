"""Public keys of consumer systems (公钥凭证): a system keeps its SM2 or Ed25519 key and proves to have it.

The challenge to sign names system and operator and ends after half an hour; nothing is stored of it. Credentials with a
shared secret, and revoking, are `systems`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.audit import Actor
from core.crypto import KeyFileRefused, same
from core.errors import Conflict, Invalid, NotFound
from core.notifications import notify_role
from core.roles import Role
from core.signing import ED25519, PublicKey, pem_blocks
from exchange import systems
from exchange.models import Credential, CredentialEndReminder, CredentialState
from exchange.querysets import systems_visible_to

PEM_AT_MOST: Final = 1_000
CHALLENGE_LIVES: Final = timedelta(minutes=30)
REMINDED_BEFORE: Final = (7, 30)
AT_ONCE: Final = 500
PURPOSE: Final = "credential.challenge"
# The Ed25519 points of small order by their y: under such a key a signature needs no private key.
P25519: Final = 2**255 - 19
WEAK_Y: Final = frozenset(
    {
        0,
        1,
        P25519 - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)


def challenge_for(*, system_uid: UUID, actor: Actor, now: datetime) -> str:
    """Return the text that whoever holds the private key is to sign, for half an hour."""
    if not systems_visible_to(actor).filter(uid=system_uid).exists():
        raise NotFound("system.not_found", _("没有这个系统，或您无权查看。"))
    ends = int((now + CHALLENGE_LIVES).timestamp())
    return _challenge(system_uid, actor, ends)


def read_public_key(pem: str) -> PublicKey:
    """Return the one public key of a PEM text; a private key is refused by name."""
    if "PRIVATE" in pem:
        raise _fault(_("这里含有私钥。请立即停用这对密钥，重新生成后只上传公钥。"))
    try:
        found = pem_blocks(pem) if len(pem) <= PEM_AT_MOST else []
        if len(found) == 1 and pem.count("-----BEGIN") == 1:
            public = PublicKey.from_der(found[0][1])
            if not _is_weak(public):
                return public
    except KeyFileRefused:
        pass
    raise _fault(_("须为一个 PEM 公钥（SubjectPublicKeyInfo），曲线为 SM2（非压缩点）或 Ed25519。"))


@transaction.atomic
def register_public_key(*, system_uid: UUID, pem: str, challenge: str, proof: str, actor: Actor, now: datetime) -> Credential:
    """Make a credential of a public key whose owner signed the challenge. Two live keys are the way to rotate."""
    system = systems.with_room_for_a_key(system_uid, actor=actor, now=now)
    public = read_public_key(pem)
    _check_challenge(challenge, system_uid, actor, now)
    try:
        signature = base64.b64decode("".join(proof.split()), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature or not public.verifies(challenge.encode(), signature):
        fault = _("签名与公钥或待签文本不符。请用同一对密钥的私钥对本页的待签文本重新签名。")
        raise Invalid("credential.proof", fault, {"proof": fault})
    credential = Credential(system=system, key=f"ak{secrets.token_hex(12)}", algorithm=public.algorithm, public_key=public.der)
    try:
        with transaction.atomic():
            return systems.put_into_force(credential, actor=actor, now=now)
    except IntegrityError as error:
        if not Credential.objects.filter(public_key=public.der).exists():
            raise
        taken = _("这个公钥已经登记过。每个凭证须使用新的密钥对。")
        raise Conflict("credential.key_taken", taken, {"public_key": taken}) from error


@transaction.atomic
def remind_of_ends(now: datetime) -> int:
    """Tell the operators of a system that a key ends within 30, then within 7 days, each once; return how many were told."""
    count = 0
    for days in REMINDED_BEFORE:
        ending = Credential.objects.filter(
            state=CredentialState.ACTIVE, system__is_active=True, valid_to__gt=now, valid_to__lte=now + timedelta(days=days)
        ).exclude(end_reminders__days__lte=days)
        for credential in ending.select_related("system").order_by("valid_to", "id")[:AT_ONCE]:
            _made, is_new = CredentialEndReminder.objects.get_or_create(credential=credential, days=days, defaults={"at": now})
            if is_new:
                _tell(credential, now)
                count += 1
    return count


def _tell(credential: Credential, now: datetime) -> None:
    left = -((now - credential.valid_to) // timedelta(days=1))  # days begun count whole
    notify_role(
        Role.OPERATOR,
        department_id=credential.system.department_id,
        title=_("访问凭证将在 %(days)s 天内到期：%(system)s") % {"days": left, "system": credential.system.name},
        body=_("请先创建新凭证，系统切换后再吊销旧的；到期后用旧凭证签名的调用即被拒绝。"),
        path=f"/systems/{credential.system.uid}/",
        now=now,
    )


def _challenge(system_uid: UUID, actor: Actor, ends: int) -> str:
    about = f"{system_uid}.{actor.user_id}.{ends}"
    return f"{PURPOSE}.{about}.{systems.key_ring().code(PURPOSE, about.encode()).hex()}"


def _check_challenge(challenge: str, system_uid: UUID, actor: Actor, now: datetime) -> None:
    ends = challenge.split(".")[-2] if challenge.count(".") == 5 else ""
    is_ours = ends.isascii() and ends.isdecimal() and len(ends) <= 12
    if (
        not is_ours
        or not same(_challenge(system_uid, actor, int(ends)).encode(), challenge.encode())
        or int(ends) < now.timestamp()
    ):
        fault = _("待签文本已过期或不属于本系统，请刷新页面，对新的待签文本签名。")
        raise Invalid("credential.challenge", fault, {"challenge": fault})


def _is_weak(public: PublicKey) -> bool:
    return public.algorithm == ED25519 and int.from_bytes(public.der[-32:], "little") % 2**255 % P25519 in WEAK_Y


def _fault(text: str) -> Invalid:
    return Invalid("credential.public_key", text, {"public_key": text})
