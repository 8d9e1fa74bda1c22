"""Issuing by sets (批量出证): some thousand licenses of one type in one transaction - locked, checked, numbered, copied in.

The digest of every license stands at once, and the digest of all digests in the audit. The SM2 signature (two to three milliseconds
each) does not: a worker adds it afterwards (`signing`), or whoever makes the first file of a license. Until then integrity rests on
the digest sealed with the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.crypto import sm3
from core.ids import uuid7
from core.models import Department
from licenses.issuing import checking, writing
from licenses.issuing.candidates import Candidate, version_fault
from licenses.issuing.copying import copy
from licenses.models import IssuingBatch, LicenseState, Operation, PaperState, TypeVersion
from licenses.sealing.canonical import HolderData, LicenseData, canonical
from licenses.types import offices
from licenses.types.faults import Fault

LICENSE_COLUMNS: Final = (
    "id", "uid", "type_version_id", "type_code", "issuer_id", "issuer_code", "issuer_name", "serial", "version", "identifier",
    "number", "region_code", "face", "issued_on", "valid_from", "valid_to", "state", "state_at", "paper_state", "paper_number",
    "is_current", "digest", "issued_at", "issued_by_id", "batch_id",
)  # fmt: skip
HOLDER_COLUMNS: Final = ("license_id", "ordinal", "name", "code", "code_type", "subject_key")
EVENT_COLUMNS: Final = ("license_id", "operation", "state", "paper_state", "reason", "basis", "actor_id", "department_id", "at")


@dataclass(frozen=True, slots=True)
class New:
    """A license about to be copied in."""

    id: int
    uid: UUID
    serial: str
    identifier: str
    digest: bytes
    candidate: Candidate

    @property
    def number(self) -> str:
        """The number it was delivered with, else its serial."""
        return self.candidate.number or self.serial

    @property
    def paper(self) -> PaperState:
        """Whether paper is to be printed."""
        return PaperState.TO_PRINT if self.candidate.has_paper else PaperState.NONE


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of the candidates: the new licenses by place, and what spoke against the others."""

    licenses: Mapping[int, New]
    refused: Mapping[int, Sequence[Fault]]


@dataclass(frozen=True, slots=True)
class Order:
    """What all licenses of a set share: type, issuer, who signed for them and when, and their batch."""

    type_version: TypeVersion
    department: Department
    actor: Actor
    now: datetime
    batch: IssuingBatch | None = None

    @property
    def today(self) -> date:
        """The day they are issued on."""
        return self.now.astimezone(SHANGHAI).date()


@transaction.atomic
def issue_many(*, candidates: Sequence[Candidate], order: Order) -> Issued:
    """Issue what nothing speaks against; `candidates` are in due form. All of them wait for others who issue the type."""
    version, issuer_code = order.type_version, order.department.code
    if refused_all := version_fault(version, today=order.today) or offices.fault_of(version, order.department, order.today):
        return Issued({}, {candidate.place: [refused_all] for candidate in candidates})
    checking.lock(type_code=version.code, candidates=candidates, is_batch=True)
    refused = checking.known_faults(candidates, version=version, issuer_code=issuer_code, today=order.today)
    good = [candidate for candidate in candidates if candidate.place not in refused]
    if not good:
        return Issued({}, refused)
    made = list(_made(good, order))
    copy("licenses_license", LICENSE_COLUMNS, _license_rows(made, order))
    copy("licenses_licenseholder", HOLDER_COLUMNS, _holder_rows(made))
    copy("licenses_licenseevent", EVENT_COLUMNS, _event_rows(made, order))
    _audit(made, order)
    return Issued({new.candidate.place: new for new in made}, refused)


def _made(good: Sequence[Candidate], order: Order) -> Iterator[New]:
    code = order.type_version.code
    serials = writing.take_serials(type_code=code, issuer_code=order.department.code, count=len(good), now=order.now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('licenses_license_id_seq') FROM generate_series(1, %s)", [len(good)])
        ids = [pk for (pk,) in cursor.fetchall()]
    for pk, serial, candidate in zip(ids, serials, good, strict=True):
        identifier = writing.identifier_of(code, order.department, serial, 1)
        content = canonical(_data(candidate, order, serial, identifier))
        yield New(pk, uuid7(), serial, identifier, sm3(content), candidate)


def _data(candidate: Candidate, order: Order, serial: str, identifier: str) -> LicenseData:
    return LicenseData(
        identifier=identifier,
        type_code=order.type_version.code,
        type_number=order.type_version.number,
        issuer_code=order.department.code,
        issuer_name=order.department.name,
        serial=serial,
        version=1,
        number=candidate.number or serial,
        region_code=candidate.region_code,
        holders=tuple(HolderData(holder.name, holder.code, holder.code_type) for holder in candidate.holders),
        issued_on=order.today,
        valid_from=candidate.valid_from,
        valid_to=candidate.valid_to,
        face=candidate.face,
    )


def _license_rows(made: Sequence[New], order: Order) -> Iterator[Sequence[Any]]:
    version, issuer, today = order.type_version, order.department, order.today
    signer, batch_id, state = order.actor.user_id, order.batch.pk if order.batch else None, LicenseState.VALID.value
    for new in made:
        given = new.candidate
        yield (
            new.id, new.uid, version.pk, version.code, issuer.pk, issuer.code, issuer.name, new.serial, 1, new.identifier,
            new.number, given.region_code, dict(given.face), today, given.valid_from, given.valid_to, state, order.now,
            new.paper.value, "", True, new.digest, order.now, signer, batch_id,
        )  # fmt: skip


def _holder_rows(made: Sequence[New]) -> Iterator[Sequence[Any]]:
    for new in made:
        for ordinal, holder in enumerate(new.candidate.holders, start=1):
            yield new.id, ordinal, holder.name, holder.code, holder.code_type, holder.key


def _event_rows(made: Sequence[New], order: Order) -> Iterator[Sequence[Any]]:
    reason = order.batch.number if order.batch else ""
    state, operation = LicenseState.VALID.value, Operation.ISSUED.value
    for new in made:
        yield new.id, operation, state, new.paper.value, reason, "", order.actor.user_id, order.department.pk, order.now


def _audit(made: Sequence[New], order: Order) -> None:
    """One entry for the set: which serials, and the SM3 of their digests in the order of the serials."""
    audit.record(
        order.actor,
        "license.issued_in_batch",
        order.batch,
        at=order.now,
        department_ids=[order.department.pk],
        type=order.type_version.code,
        first_serial=made[0].serial,
        last_serial=made[-1].serial,
        count=len(made),
        digests=sm3(b"".join(new.digest for new in made)).hex(),
    )
