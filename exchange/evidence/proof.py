"""The proof of one record (单条核验): the seal that covers it, its place in the batch, its archive, and whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from exchange.evidence.checking import Trust
from exchange.evidence.reading import canonical_cursor, records_of
from exchange.evidence.retired import is_dropped
from exchange.evidence.verifier import Tampered, check_order, check_seal, read_statement
from exchange.models import Archive, Chain, Seal, SealTimestamp


@dataclass(frozen=True, slots=True)
class Proof:
    """How a record is sealed. `fault` names the first bad entry of its batch; `archive` is empty until it is archived."""

    number: int
    position: int
    record_count: int
    sealed_at: datetime
    key: str
    fault: str = ""
    archive: str = ""
    archive_is_here: bool = False
    stamped_at: datetime | None = None

    @property
    def is_intact(self) -> bool:
        """Return whether seal and records are as they were sealed."""
        return not self.fault


def of_call(xid: int, call_id: str) -> Proof | None:
    """Verify now the batch a call stands in, seven queries whatever its size; None while it waits for its seal."""
    seals = Seal.objects.filter(chain=Chain.CALLS)
    seal = seals.filter(xid_to__gt=xid, xid_from__lte=xid).first()
    if seal is None:
        return None
    before = seals.filter(number=seal.number - 1).values_list("statement", flat=True).first()
    archive = Archive.objects.filter(chain=Chain.CALLS, first_seal__lte=seal.number, last_seal__gte=seal.number).first()
    position, key, fault = _verify(seal, before, call_id)
    # A stamp on a later seal holds for this one as well: seals name the one before.
    stamps = SealTimestamp.objects.filter(seal__chain=Chain.CALLS, seal__number__gte=seal.number).order_by("seal__number")
    return Proof(
        number=seal.number,
        position=position,
        record_count=seal.record_count,
        sealed_at=seal.sealed_at,
        key=key,
        fault=fault,
        archive=archive.name if archive else "",
        archive_is_here=bool(archive and (settings.ARCHIVE_DIR / archive.name).exists()),
        stamped_at=stamps.values_list("stamped_at", flat=True).first(),
    )


def _verify(seal: Seal, before: str | None, call_id: str) -> tuple[int, str, str]:
    """Return the position of the call, the id of the key and the first bad entry."""
    position, place = 0, f"{seal.chain} seal {seal.number}"
    try:
        key = read_statement(seal.statement, place).key
    except Tampered as bad:
        return position, "", str(bad)
    try:
        statement = check_seal(seal.statement, bytes(seal.signature), Trust.of_this_platform(), place)
        check_order(statement, before)
        if not is_dropped(seal.chain, statement.xid_from, statement.xid_to, statement.first_at):
            with canonical_cursor() as cursor:
                lines = records_of(cursor, seal, statement)
            column = statement.columns.index("call_id")
            found = (number for number, line in enumerate(lines, 1) if line.split(b"\t")[column].decode() == call_id)
            position = next(found, 0)
    except Tampered as bad:
        return position, key, str(bad)
    return position, key, ""
