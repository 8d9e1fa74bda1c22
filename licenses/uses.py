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
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from core.audit import Actor
from core.models import Department
from licenses.models import License, LicenseUse, UseChannel

TEXT_AT_MOST: Final = 200
ROWS_A_STATEMENT: Final = 2_000
# Of the rows that tell each joint holder of one use, the first: what issuers read and what is counted. Uses of a call have one row.
FIRST_OF_USE: Final = """(licenses_licenseuse.call_id IS NOT NULL OR NOT EXISTS (
    SELECT FROM licenses_licenseuse told WHERE told.xid = licenses_licenseuse.xid AND told.id < licenses_licenseuse.id
    AND told.identifier = licenses_licenseuse.identifier AND told.channel = licenses_licenseuse.channel
    AND told.at = licenses_licenseuse.at AND told.call_id IS NULL AND told.subject_key <> licenses_licenseuse.subject_key))"""


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


def record_of(license: License, **use: Any) -> list[LicenseUse]:
    """Append one use of a license issued here, a row for each holder, so that everybody who holds it is told."""
    keys = [bytes(key) for key in license.holders.order_by("ordinal").values_list("subject_key", flat=True)]
    named = {"identifier": license.identifier, "type_code": license.type_code, "issuer_code": license.issuer_code}
    return record_for(keys, **named, **use)


def record_for(subject_keys: Iterable[bytes], **use: Any) -> list[LicenseUse]:
    """Append one use, a row for each of these holders; one row without a holder when none of them is known."""
    return record_many([Use(**use, subject_key=key) for key in dict.fromkeys(subject_keys) or [None]])


def told_once(rows: QuerySet[LicenseUse]) -> QuerySet[LicenseUse]:
    """Return the uses with one row each, whatever the number of holders who are told."""
    return rows.filter(RawSQL(FIRST_OF_USE, (), output_field=BooleanField()))  # noqa: S611 - a constant


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
