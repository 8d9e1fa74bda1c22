"""Columns that broke (数源字段异常): a run that stopped over its source's shape leaves their names, the next good one settles them.

Who is affected by them is in `exchange.lineage`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from core.errors import DomainError
from exchange.models import AggregationPlan, AggregationRun, ColumnBreak

_MISSING, _CHANGED = "source.column_missing", "source.type_changed"


@transaction.atomic
def note_break(*, run_id: int, error: DomainError, now: datetime) -> None:
    """Remember which columns a run stopped over; nothing when it stopped over something else."""
    if error.code not in (_MISSING, _CHANGED):
        return
    plan_id = AggregationRun.objects.values_list("plan_id", flat=True).get(pk=run_id)
    ColumnBreak.objects.bulk_create(
        (
            ColumnBreak(plan_id=plan_id, column=str(column)[:128], is_missing=error.code == _MISSING, found_at=now)
            for column in error.details.get("columns", ())
        ),
        ignore_conflicts=True,
    )


def settle_breaks(plan: AggregationPlan, *, now: datetime) -> None:
    """Say that a run found all columns it wants."""
    ColumnBreak.objects.filter(plan=plan, mended_at=None).update(mended_at=now)
