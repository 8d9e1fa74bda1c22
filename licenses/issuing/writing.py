"""Writing a license down (出证): numbered, sealed, the version before superseded, noted and audited in one transaction.

What may be issued was decided and checked before, under the locks of `checking`. Batches write sets in `many`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from celery import current_app
from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.crypto import sm3
from core.errors import Conflict
from core.models import Department
from core.models.shared import CurrentXid
from licenses import numbering
from licenses.issuing.candidates import Candidate
from licenses.issuing.workflow import paper_of_superseded
from licenses.models import (
    KeyPurpose,
    License,
    LicenseEvent,
    LicenseHolder,
    LicenseState,
    MissingReport,
    MissingState,
    Operation,
    PaperState,
    TypeVersion,
)
from licenses.sealing import keys
from licenses.sealing.canonical import HolderData, LicenseData, canonical

DELIVER_TASK: Final = "licenses.deliver"
SIGN_TASK: Final = "licenses.sign_pending"


@dataclass(frozen=True, slots=True)
class Act:
    """In which way something is issued: the operation, why, on what basis, and which version it takes the place of."""

    operation: Operation = Operation.ISSUED
    reason: str = ""
    basis: str = ""
    supersedes: License | None = None


def take_serials(*, type_code: str, issuer_code: str, count: int, now: datetime) -> list[str]:
    """Take the next serials of a type and issuer: the year and eight digits. Others wait until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO licenses_serialcounter AS c (type_code, issuer_code, last) VALUES (%s, %s, %s)"
            " ON CONFLICT (type_code, issuer_code) DO UPDATE SET last = c.last + excluded.last RETURNING last",
            [type_code, issuer_code, count],
        )
        last: int = cursor.fetchone()[0]
    year = now.astimezone(SHANGHAI).year
    return [f"{year}{number:08d}" for number in range(last - count + 1, last + 1)]


def identifier_of(type_code: str, department: Department, serial: str, version: int) -> str:
    """Return the identifier; Conflict when the department has no proper code or there are too many versions."""
    try:
        return numbering.compose(type_code, department.code, serial, version)
    except ValueError as error:
        text = _("不能生成电子证照标识：请核对本部门的统一社会信用代码；同一证照最多 999 版。")
        raise Conflict("license.identifier_impossible", text) from error


def write(
    candidate: Candidate, act: Act, *, type_version: TypeVersion, department: Department, actor: Actor, now: datetime
) -> License:
    """Issue one license or its next version: seal it, write it with its holders and its event, audit it."""
    before = act.supersedes
    if before is not None:
        _supersede(before, act, actor, now)
        serial, version = before.serial, before.version + 1
    else:
        (serial,) = take_serials(type_code=type_version.code, issuer_code=department.code, count=1, now=now)
        version = 1
    license = License(
        type_version=type_version,
        type_code=type_version.code,
        issuer=department,
        issuer_code=department.code,
        issuer_name=department.name,
        serial=serial,
        version=version,
        identifier=identifier_of(type_version.code, department, serial, version),
        number=candidate.number or serial,
        region_code=candidate.region_code,
        face=dict(candidate.face),
        issued_on=now.astimezone(SHANGHAI).date(),
        valid_from=candidate.valid_from,
        valid_to=candidate.valid_to,
        state_at=now,
        paper_state=PaperState.TO_PRINT if candidate.has_paper else PaperState.NONE,
        previous=before,
        issued_at=now,
        issued_by_id=actor.user_id,
    )
    content = canonical(data_of(license, candidate))
    license.digest = sm3(content)
    license.signature, license.key = keys.sign(KeyPurpose.DATA, content)
    license.save(force_insert=True)
    license.refresh_from_db(fields=["position", "changed_xid"])  # the database gave them
    LicenseHolder.objects.bulk_create(
        LicenseHolder(
            license=license, ordinal=ordinal, name=holder.name, code=holder.code, code_type=holder.code_type, subject_key=holder.key
        )
        for ordinal, holder in enumerate(candidate.holders, start=1)
    )
    note(license, act.operation, reason=act.reason, basis=act.basis, actor=actor, now=now)
    deliver_soon()
    return license


def data_of(license: License, candidate: Candidate) -> LicenseData:
    """Return what is sealed of a license that is not stored yet."""
    return LicenseData(
        identifier=license.identifier,
        type_code=license.type_code,
        type_number=license.type_version.number,
        issuer_code=license.issuer_code,
        issuer_name=license.issuer_name,
        serial=license.serial,
        version=license.version,
        number=license.number,
        region_code=license.region_code,
        holders=tuple(HolderData(holder.name, holder.code, holder.code_type) for holder in candidate.holders),
        issued_on=license.issued_on,
        valid_from=license.valid_from,
        valid_to=license.valid_to,
        face=license.face,
    )


def _supersede(before: License, act: Act, actor: Actor, now: datetime) -> None:
    paper = paper_of_superseded(PaperState(before.paper_state))
    License.objects.filter(pk=before.pk).update(
        is_current=False, state=LicenseState.LAPSED, state_at=now, paper_state=paper, changed_xid=CurrentXid()
    )
    before.is_current, before.state, before.state_at, before.paper_state = False, LicenseState.LAPSED, now, paper
    note(before, act.operation, reason=act.reason, basis=act.basis, actor=actor, now=now)


def note(license: License, operation: Operation, *, reason: str, basis: str, actor: Actor, now: datetime) -> LicenseEvent:
    """Append what was done to a license to its history and to the audit, whose chain seals the digest."""
    event = LicenseEvent.objects.create(
        license=license,
        operation=operation,
        state=license.state,
        paper_state=license.paper_state,
        reason=reason,
        basis=basis,
        actor_id=actor.user_id,
        department_id=actor.department_id,
        at=now,
    )
    audit.record(
        actor,
        AUDITED[operation],
        license,
        at=now,
        department_ids=[license.issuer_id],
        state=license.state,
        paper=license.paper_state,
        basis=basis,
        digest=bytes(license.digest).hex(),
    )
    return event


AUDITED: Final = {
    Operation.ISSUED: "license.issued",
    Operation.REISSUED: "license.reissued",
    Operation.CHANGED: "license.changed",
    Operation.RENEWED: "license.renewed",
    Operation.SUSPENDED: "license.withheld",
    Operation.RESUMED: "license.given_back",
    Operation.REVOKED: "license.forfeited",
    Operation.RESCINDED: "license.rescinded",
    Operation.CANCELLED: "license.deregistered",
    Operation.MOVED_AWAY: "license.moved_away",
    Operation.MOVE_CANCELLED: "license.move_cancelled",
    Operation.PAPER: "license.paper_registered",
}


def deliver_soon() -> None:
    """Ask for delivery into the base database after the commit; the timetable asks again anyway."""
    transaction.on_commit(lambda: current_app.send_task(DELIVER_TASK, retry=False), robust=True)


def locked(licenses: Sequence[int]) -> dict[int, License]:
    """Return licenses locked for a change, by their keys."""
    rows = License.objects.select_for_update(of=("self",)).select_related("type_version", "issuer").filter(pk__in=licenses)
    return {license.pk: license for license in rows.order_by("pk")}


def sign_soon() -> None:
    """Ask for the signatures a batch left out after the commit."""
    transaction.on_commit(lambda: current_app.send_task(SIGN_TASK, retry=False), robust=True)


def missed_of(*, type_code: str, ids: Sequence[int]) -> list[License]:
    """Return which of these new licenses somebody had reported missing and is waiting for."""
    waiting = MissingReport.objects.filter(type_code=type_code, state=MissingState.REISSUING)
    if not waiting.exists():
        return []
    return list(License.objects.filter(pk__in=ids, holders__subject_key__in=waiting.values("subject_key")).distinct())
