"""Recording verifications of departments and systems (核验留痕) as uses of the license; anonymous ones are only counted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.audit import Actor
from core.models import Department
from licenses import uses
from licenses.models import UseChannel
from licenses.verification.outcome import Result


def record(
    result: Result,
    *,
    now: datetime,
    actor: Actor | None = None,
    department_id: int | None = None,
    system: int | None = None,
    call_id: UUID | None = None,
) -> None:
    """Record that somebody known verified a license; what nobody has a record of is nobody's use."""
    known = result.license
    if known is None:
        return
    uses.record(
        identifier=known.identifier,
        type_code=known.type_code,
        issuer_code=known.issuer_code,
        subject_key=result.subject_key,
        channel=UseChannel.VERIFIED,
        department=Department.objects.get(pk=department_id) if department_id is not None else None,
        system=system,
        actor=actor,
        call_id=call_id,
        at=now,
    )
