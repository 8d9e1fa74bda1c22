"""Statistics of missing licenses (缺失证照统计): how many of which type, department and month, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth

from core.audit import Actor
from core.calendar import SHANGHAI
from licenses.models import OPEN_MISSING, MissingState
from licenses.reissue.reports import reports_visible_to

GROUPS: Final = {"type": "type_name", "department": "department__name", "month": "month"}


@dataclass(frozen=True, slots=True)
class Line:
    """A group and what became of its reports; `late` of the open ones are past their deadline."""

    name: str
    reported: int
    reissued: int
    found: int
    absent: int
    open: int
    late: int


def figures(*, by: str, first: date, last: date, actor: Actor, now: datetime) -> Sequence[Line]:
    """Return the reports of some days the actor may see, by type, department or month; what was joined counts once."""
    start = datetime.combine(first, datetime.min.time(), tzinfo=SHANGHAI)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=SHANGHAI)
    rows = reports_visible_to(actor).select_related(None).filter(reported_at__gte=start, reported_at__lt=end)
    rows = rows.exclude(state=MissingState.JOINED).annotate(month=TruncMonth("reported_at", tzinfo=SHANGHAI))
    is_open = Q(state__in=OPEN_MISSING)
    found: Any = (
        rows.order_by()
        .values(GROUPS[by])
        .annotate(
            reported=Count("pk"),
            reissued=Count("pk", filter=Q(state=MissingState.REISSUED)),
            found=Count("pk", filter=Q(state=MissingState.FOUND)),
            absent=Count("pk", filter=Q(state=MissingState.ABSENT)),
            open=Count("pk", filter=is_open),
            late=Count("pk", filter=is_open & Q(due_at__lte=now)),
        )
    )
    lines = [Line(_name(row.pop(GROUPS[by])), **row) for row in found]
    return sorted(lines, key=lambda line: line.name if by == "month" else (-line.reported, line.name))


def _name(value: Any) -> str:
    return f"{value:%Y-%m}" if isinstance(value, datetime) else str(value)
