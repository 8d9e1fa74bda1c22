"""The seal keys at work (签章密钥): which one signs for a purpose, signing, checking, making and rotating.

One key a purpose is in force. A retired key signs no more and goes on verifying what it signed while it was in force;
what a compromised key signed from that moment on is not trusted. Private halves are `key_files`; only whoever owns the
tables (set-up, `manage.py rotate_license_key`) writes `SealKey`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from asn1crypto.keys import PrivateKeyInfo
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.crypto import KeyFileRefused
from core.errors import NotFound, Unavailable
from core.signing import PublicKey, SigningKey, pem_blocks
from licenses.models import KeyPurpose, SealKey
from licenses.sealing import certificates, key_files, roots
from licenses.sealing.roots import Root


class KeyStore:
    """Private keys this process has opened, by their codes; a key file is read once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sm2: dict[str, SigningKey] = {}
        self._rsa: dict[str, PrivateKeyInfo] = {}

    def sm2(self, code: str) -> SigningKey:
        """Return an SM2 key."""
        with self._lock:
            if code not in self._sm2:
                self._sm2[code] = SigningKey.from_pem(key_files.pem_of(key_files.read(code)))
            return self._sm2[code]

    def rsa(self, code: str) -> PrivateKeyInfo:
        """Return the key of a certificate, as pyHanko takes it."""
        with self._lock:
            if code not in self._rsa:
                self._rsa[code] = PrivateKeyInfo.load(key_files.read(code))
            return self._rsa[code]

    def forget(self) -> None:
        """Read every key file again at its next use."""
        with self._lock:
            self._sm2.clear()
            self._rsa.clear()


store: Final = KeyStore()


def current(purpose: KeyPurpose) -> SealKey:
    """Return the key in force for a purpose."""
    key = SealKey.objects.filter(purpose=purpose, retired_at=None).first()
    if key is None:
        raise Unavailable(
            "seal_key.missing", _("本节点尚未配置“%(purpose)s”签章密钥，请联系系统管理员。") % {"purpose": purpose.label}
        )
    return key


def sign(purpose: KeyPurpose, data: bytes) -> tuple[bytes, SealKey]:
    """Sign with the SM2 key in force (DER, signer id 1234567812345678)."""
    ((signature, key),) = sign_many(purpose, [data])
    return signature, key


def sign_many(purpose: KeyPurpose, messages: Iterable[bytes]) -> list[tuple[bytes, SealKey]]:
    """Sign several messages with the same key, asked for once."""
    key = current(purpose)
    private = _opened(key)
    return [(private.sign(message), key) for message in messages]


def _opened(key: SealKey) -> SigningKey:
    try:
        return store.sm2(key.code)
    except KeyFileRefused as error:
        raise unreadable(key) from error


def unreadable(key: SealKey) -> Unavailable:
    """Return what is said when the private half of a key cannot be opened here."""
    purpose = KeyPurpose(key.purpose).label
    return Unavailable("seal_key.unreadable", _("本节点无法打开“%(purpose)s”签章密钥，请联系系统管理员。") % {"purpose": purpose})


def verify(key: SealKey, data: bytes, signature: bytes) -> bool:
    """Return whether this SM2 key made the signature; whether the key may be trusted for its time is `is_trusted`'s."""
    blocks = pem_blocks(key.public_key)
    return len(blocks) == 1 and PublicKey.from_der(blocks[0][1]).verifies(data, signature)


def is_trusted(key: SealKey, signed_at: datetime) -> bool:
    """Return whether what the key signed at that time (files tell whole seconds) counts: in force then, not yet compromised."""
    if signed_at < key.valid_from.replace(microsecond=0) or (key.retired_at is not None and signed_at > key.retired_at):
        return False
    return key.compromised_at is None or signed_at < key.compromised_at.replace(microsecond=0)


def prepare(*, now: datetime) -> list[SealKey]:
    """Make (or take up from its file) a key for each purpose that has none; return what was put in force."""
    made = []
    with transaction.atomic():
        in_force = set(SealKey.objects.filter(retired_at=None).values_list("purpose", flat=True))
        for purpose in KeyPurpose:
            if purpose not in in_force:
                key = _left_over(purpose, now) or _new(purpose, now)
                key.save()
                made.append(key)
    return made


def rotate(
    purpose: KeyPurpose, *, actor: Actor, now: datetime, compromised_at: datetime | None = None, new_root: bool = False
) -> SealKey:
    """Put a new key in force and retire the one before it, with the time it was compromised if it was.

    With `new_root` the key that seals files is made under a root begun now; without, an old root must be at hand.
    """
    root_before = roots.standing_code() if new_root else ""
    root = roots.begin(now) if new_root else None
    fresh = _new_with_certificate(now, root) if root else _new(purpose, now)
    with transaction.atomic():
        old = SealKey.objects.select_for_update().filter(purpose=purpose, retired_at=None).first()
        if old is not None:
            old.retired_at, old.compromised_at = now, compromised_at
            old.save(update_fields=["retired_at", "compromised_at"])
        fresh.save()
        before, was_compromised = old.code if old else "", compromised_at is not None
        audit.record(actor, "seal_key.rotated", fresh, at=now, purpose=purpose.value, before=before, compromised=was_compromised)
        if root:
            audit.record(actor, "seal_key.root_begun", fresh, at=now, root=root.code, before=root_before)
    return fresh


@transaction.atomic
def mark_compromised(code: str, *, at: datetime, actor: Actor, now: datetime) -> SealKey:
    """Note that a key retired already was not safe from some time on; one in force is rotated, which says so."""
    key = SealKey.objects.select_for_update().filter(code=code, retired_at__isnull=False).first()
    if key is None:
        raise NotFound("seal_key.not_retired", _("没有这个已停用的签章密钥；在用的密钥请轮换。"))
    key.compromised_at = min(at, key.compromised_at or at)
    key.save(update_fields=["compromised_at"])
    audit.record(actor, "seal_key.compromised", key, at=now, purpose=key.purpose, since=key.compromised_at.isoformat())
    return key


def _new(purpose: KeyPurpose, now: datetime) -> SealKey:
    if purpose == KeyPurpose.FILE:
        return _new_with_certificate(now, roots.standing(now))
    encrypted = key_files.new_sm2(key_files.passphrase())
    public = SigningKey.from_pem(key_files.pem_of(key_files.decrypt(encrypted, key_files.passphrase()))).public
    code = f"{purpose.value}-{public.id}"
    key_files.write(code, encrypted)
    return SealKey(code=code, purpose=purpose, public_key=public.pem, valid_from=now)


def _new_with_certificate(now: datetime, root: Root) -> SealKey:
    encrypted, private = key_files.new_rsa(key_files.passphrase())
    signer = certificates.new_signer(
        private.public_key(), root=root.certificate, root_key=root.key, office=roots.office(), now=now
    )  # fmt: skip
    code = roots.code_of(KeyPurpose.FILE.value, signer)
    chain = certificates.pem(signer, root.certificate)
    key_files.write(code, encrypted, chain)
    return _certified(code, chain, now)


def _certified(code: str, chain: str, now: datetime) -> SealKey:
    public = certificates.chain(chain)[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SealKey(code=code, purpose=KeyPurpose.FILE, public_key=public, certificate=chain, valid_from=now)


def _left_over(purpose: KeyPurpose, now: datetime) -> SealKey | None:
    """Return the newest key of a purpose that has a file and no row, as after the database was made anew."""
    known = set(SealKey.objects.filter(purpose=purpose).values_list("code", flat=True))
    files = sorted(settings.LICENSE_KEYS_DIR.glob(f"{purpose.value}-*.pem"), key=lambda path: path.stat().st_mtime)
    for path in reversed(files):
        if path.stem in known:
            continue
        if purpose == KeyPurpose.FILE:
            return _certified(path.stem, key_files.certificates_of(path.stem), now)
        return SealKey(code=path.stem, purpose=purpose, public_key=store.sm2(path.stem).public.pem, valid_from=now)
    return None
