"""Figures of matters (免提交统计): how many materials were fetched instead of asked for, by matter, department and month.

A task counts this month and the one before anew; earlier ones stand. Pages read the small table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Sum

from core.calendar import SHANGHAI
from exchange.models import MatterFigure, PartState

_MONTH = "date_trunc('month', f.at AT TIME ZONE 'Asia/Shanghai')::date"
_COUNT = f"""
INSERT INTO exchange_matterfigure (month, matter_code, department_id, state, part_count, case_count, measured_at)
SELECT {_MONTH}, c.matter_code, c.department_id, p.state, count(*), count(DISTINCT c.id), %(now)s
FROM exchange_matterpart p JOIN exchange_matterfetch f ON f.id = p.fetch_id JOIN exchange_mattercase c ON c.id = f.case_id
WHERE f.at >= %(since)s GROUP BY 1, 2, 3, 4"""


@dataclass(frozen=True, slots=True)
class MonthLine:
    """What came of the materials of a month."""

    month: date
    saved: int
    missed: int


@transaction.atomic
def measure(*, now: datetime, is_whole: bool = False) -> int:
    """Count the last two months anew, or all of them; return how many lines stand for them."""
    first = now.astimezone(SHANGHAI).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = datetime(2000, 1, 1, tzinfo=SHANGHAI) if is_whole else (first - timedelta(days=1)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exchange_matterfigure'))")
        MatterFigure.objects.filter(month__gte=since.date()).delete()
        cursor.execute(_COUNT, {"now": now, "since": since})
        return int(cursor.rowcount)


def measured_at() -> datetime | None:
    """Return when it was counted last."""
    at: datetime | None = MatterFigure.objects.aggregate(at=Max("measured_at"))["at"]
    return at


def by_month(*, since: date, matter_code: str = "", department_id: int | None = None) -> list[MonthLine]:
    """Return saved and not saved materials by month, the oldest first; of what had to be brought anyway nothing."""
    rows = MatterFigure.objects.filter(month__gte=since)
    if matter_code:
        rows = rows.filter(matter_code=matter_code)
    if department_id:
        rows = rows.filter(department_id=department_id)
    counted: dict[date, list[int]] = {}
    for month, state, count in rows.order_by("month").values_list("month", "state").annotate(n=Sum("part_count")):
        line = counted.setdefault(month, [0, 0])
        if state == PartState.FOUND:
            line[0] += count
        elif state not in (PartState.TO_SUBMIT, PartState.NOT_NEEDED):
            line[1] += count
    return [MonthLine(month, saved, missed) for month, (saved, missed) in sorted(counted.items())]


def by_matter(*, since: date) -> list[tuple[str, dict[str, int]]]:
    """Return the number of materials by matter and state."""
    found: dict[str, dict[str, int]] = {}
    rows = MatterFigure.objects.filter(month__gte=since).order_by("matter_code")
    for code, state, count in rows.values_list("matter_code", "state").annotate(n=Sum("part_count")):
        found.setdefault(code, {})[state] = count
    return sorted(found.items())
