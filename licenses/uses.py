"""Use records (用证记录): who used which items of which license, for which matter and purpose. Append-only.

Whoever hands out, verifies or copies a license writes here in the same transaction: no record, no use. The rows are sealed with the
platform's evidence and kept at least three years. Who reads whose, beside the calls, is `exchange.license_uses`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from core.audit import Actor
from core.models import Department
from licenses.models import LicenseUse, UseChannel

TEXT_AT_MOST: Final = 200
ROWS_A_STATEMENT: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of one license by whoever is named; `system` is the id of the calling system, `items` the names handed over."""

    identifier: str
    type_code: str
    channel: str
    at: datetime
    issuer_code: str = ""
    subject_key: bytes | None = None
    department: Department | None = None
    system: int | None = None
    actor: Actor | None = None
    matter: str = ""
    purpose: str = ""
    items: Sequence[str] = ()
    call_id: UUID | None = None


def record(**use: Any) -> LicenseUse:
    """Append one use, given as the fields of `Use`, and return its row."""
    return record_many([Use(**use)])[0]


@transaction.atomic
def record_many(uses: Iterable[Use]) -> list[LicenseUse]:
    """Append many uses with few statements, in the transaction of what they record."""
    return LicenseUse.objects.bulk_create(map(_row, uses), batch_size=ROWS_A_STATEMENT)


def _row(use: Use) -> LicenseUse:
    department, actor = use.department, use.actor
    return LicenseUse(
        identifier=use.identifier,
        type_code=use.type_code,
        issuer_code=use.issuer_code,
        subject_key=use.subject_key,
        channel=UseChannel(use.channel),
        department_id=department.pk if department else actor.department_id if actor else None,
        department_name=department.name if department else actor.department if actor else "",
        system_id=use.system,
        actor_id=actor.user_id if actor else None,
        matter=use.matter[:TEXT_AT_MOST],
        purpose=use.purpose[:TEXT_AT_MOST],
        items=list(use.items),
        call_id=use.call_id,
        at=use.at,
    )
