"""Looking up the credit of one subject by its number (按主体查询信用): what one may see of every kind, and that one has looked.

The number itself stays at the door; the trail keeps the digest of it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from basedb.credit import records
from basedb.models.credit import CreditRow
from core import audit
from core.audit import Actor
from core.calendar import today_in_shanghai

MOST_OF_A_KIND = 50


@transaction.atomic
def look_up(*, subject_key: bytes, actor: Actor, now: datetime) -> list[tuple[str, CreditRow]]:
    """Return the visible records of a subject with their kind, the newest decision of each kind first, and note the look."""
    found: list[tuple[str, CreditRow]] = []
    for dataset in records.KINDS:
        rows = records.records_visible_to(actor, dataset, today=today_in_shanghai(now)).filter(subject_key=subject_key)
        found += [(dataset, row) for row in rows.order_by("-decided_on", "-id")[:MOST_OF_A_KIND]]
    audit.record(
        actor, "credit_record.searched", None, at=now, department_ids=[actor.department_id], subject=subject_key.hex(),
        records=len(found),
    )  # fmt: skip
    return found
