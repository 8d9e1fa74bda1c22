"""Fetching the materials of a case (免提交取数): one call, one transaction, a result for every material.

A repeated request (case number and key) gets the first one's answer and fetches nothing anew. No answer leaves before the records,
the uses of licenses and the case itself are committed. Of the values only the sealed answer is kept, for some minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.crypto import HmacAlgorithm, Sealed
from core.errors import Conflict, Forbidden, NotFound
from core.ids import uuid7
from core.models import Department
from core.roles import Role
from exchange.call_log import NO_CREDENTIAL
from exchange.calls.terms import Caller, Signed
from exchange.matters import asking
from exchange.matters.asking import Ask, Read
from exchange.matters.parts import Part, fetch_parts
from exchange.matters.planning import MODE
from exchange.matters.telling import answer_text
from exchange.models import ConsumerSystem, MaterialSource, MatterCase, MatterFetch, MatterPart, PartState
from exchange.systems import key_ring
from licenses import uses
from licenses.models import UseChannel


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetching: `text` is the whole answer as it was given; None once it is not kept any more."""

    fetch: MatterFetch
    text: bytes | None
    is_new: bool


@transaction.atomic(durable=True)
def fetch(*, ask: Ask, signed: Signed, actor: Actor, now: datetime) -> Fetched:
    """Fetch what replaces the materials of a matter for a case of the calling system."""
    read = asking.read(ask)
    case = _case(read, signed, now)
    known = MatterFetch.objects.select_related("matter").filter(case=case, key=read.key).first()
    if known is not None:
        if bytes(known.digest) != read.digest():
            raise Conflict("matter_case.key_reused", _("该幂等键已用于内容不同的取数请求，请换用新的幂等键。"))
        return Fetched(known, kept_answer(known, now), is_new=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{settings.MATTER_PART_TIMEOUT_MS}ms"])
    parts = fetch_parts(read, signed, now)
    made, text = _written(_begun(read, case, signed, actor, now), parts)
    _record_uses(parts, read, signed, actor, now)
    states = [str(part.row.state) for part in parts]
    audit.record(
        actor, "matter_case.fetched", case, at=now, department_ids=[case.department_id], matter=read.matter.code,
        fetch=str(made.uid), states={state: states.count(state) for state in sorted(set(states))},
    )  # fmt: skip
    return Fetched(made, text, is_new=True)


def fetch_at_desk(*, ask: Ask, system_uid: UUID, actor: Actor, now: datetime) -> Fetched:
    """Fetch as a clerk of the department the system belongs to, under that system's grants; no key signs."""
    if not actor.has(Role.OPERATOR):
        raise Forbidden("matter_case.not_yours", _("办件取数由部门经办人办理。"))
    system = ConsumerSystem.objects.filter(uid=system_uid, department_id=actor.department_id or 0, is_active=True).first()
    if system is None:
        raise NotFound("system.not_found", _("没有这个系统，或您无权使用。"))
    return fetch(ask=ask, signed=signed_at_desk(system, actor, now), actor=actor, now=now)


def signed_at_desk(system: ConsumerSystem, actor: Actor, now: datetime) -> Signed:
    """Return the call of a person of the department a system belongs to: nobody's key signs it."""
    caller = Caller(
        credential_id=NO_CREDENTIAL, key="", secret=b"", algorithm=HmacAlgorithm.SM3, is_revoked=False, valid_from=now,
        valid_to=now, system_id=system.pk, department_id=system.department_id, is_active=True,
    )  # fmt: skip
    uid = uuid7()
    return Signed(
        call_id=str(uid), caller=caller, mode=MODE, path="", signed_ms=int(now.timestamp() * 1000), nonce=uid.hex,
        digest=hashlib.sha256(uid.bytes).hexdigest(), client_ip=actor.client_ip,
    )  # fmt: skip


def kept_answer(made: MatterFetch, now: datetime) -> bytes | None:
    """Return the answer of a fetching while it is kept."""
    if made.answer_ciphertext is None or made.answer_nonce is None or made.answer_key_id is None or now >= made.kept_until:
        return None
    return key_ring().open(Sealed(made.answer_key_id, bytes(made.answer_nonce), bytes(made.answer_ciphertext)), _place(made))


@transaction.atomic
def forget_answers(*, now: datetime) -> int:
    """Take away the answers whose time is over; return how many."""
    over = MatterFetch.objects.filter(answer_ciphertext__isnull=False, kept_until__lte=now)
    return over.update(answer_key_id=None, answer_nonce=None, answer_ciphertext=None)


def _place(made: MatterFetch) -> bytes:
    return b"matter_fetch:" + made.uid.bytes


def _case(read: Read, signed: Signed, now: datetime) -> MatterCase:
    """Return the case; a second request for it waits for the first."""
    system_id, number = signed.caller.system_id, read.context.case_number or ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"exchange.matter_case:{system_id}:{number}"])
    case, _is_new = MatterCase.objects.get_or_create(
        system_id=system_id,
        case_number=number,
        defaults={"department_id": signed.caller.department_id, "matter_code": read.matter.code, "opened_at": now},
    )
    if case.matter_code != read.matter.code:
        raise Conflict("matter_case.other_matter", _("这个办件编号已用于另一个事项，请核对办件编号。"))
    return case


def _begun(read: Read, case: MatterCase, signed: Signed, actor: Actor, now: datetime) -> MatterFetch:
    """Return the fetching, not saved yet; it goes by the call number of the request."""
    return MatterFetch(
        uid=UUID(signed.call_id), case=case, matter=read.matter, key=read.key, digest=read.digest(), purpose=read.purpose,
        officer=read.context.officer or "", actor_id=actor.user_id, at=now,
        kept_until=now + timedelta(minutes=settings.MATTER_ANSWER_KEPT_MINUTES),
    )  # fmt: skip


def _written(made: MatterFetch, parts: Sequence[Part]) -> tuple[MatterFetch, bytes]:
    """Write the fetching with its parts; return it and the answer."""
    text = answer_text(made, made.case, parts).encode()
    made.answer_digest = hashlib.sha256(text).digest()
    if made.kept_until > made.at:
        made.answer_key_id, made.answer_nonce, made.answer_ciphertext = key_ring().seal(text, _place(made))
    made.save(force_insert=True)
    for part in parts:
        part.row.fetch = made
    MatterPart.objects.bulk_create([part.row for part in parts])
    return made, text


def _record_uses(parts: Sequence[Part], read: Read, signed: Signed, actor: Actor, now: datetime) -> None:
    """Record the use of every license that was handed over."""
    department = Department.objects.get(pk=signed.caller.department_id)
    uses.record_many(
        uses.Use(
            identifier=identifier or "", type_code=part.row.type_code, issuer_code=issuer_code or "",
            subject_key=read.subjects[part.row.party], channel=UseChannel.MATTER, department=department,
            system=signed.caller.system_id, actor=actor if actor.user_id else None, matter=read.matter.name,
            purpose=read.purpose, items=part.row.items, call_id=part.row.call_id, at=now,
        )
        for part in parts
        if part.row.source == MaterialSource.LICENSE and part.row.state == PartState.FOUND
        for identifier, issuer_code in part.used
    )  # fmt: skip
