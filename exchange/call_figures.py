"""Figures of the calls (调用统计): how many a day, answered and refused, among those the actor may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from core.audit import Actor
from core.calendar import SHANGHAI
from exchange.models import CallRecord
from exchange.querysets import calls_visible_to

ANSWERED = ("call.answered", "call.opened")


@dataclass(frozen=True, slots=True)
class Day:
    """Calls of one day in Shanghai."""

    on: date
    answered: int
    refused: int


def calls_per_day(*, actor: Actor, now: datetime, days: int) -> list[Day]:
    """Return one line a day, oldest first, today last; a bulk call counts once."""
    last = now.astimezone(SHANGHAI).date()
    return outcomes_per_day(calls_visible_to(actor), last - timedelta(days=days - 1), last)


def outcomes_per_day(rows: QuerySet[CallRecord], first: date, last: date) -> list[Day]:
    """Return one line for every day from the first to the last, days without calls too; a bulk call counts once."""
    since = datetime.combine(first, time.min, SHANGHAI)
    until = datetime.combine(last + timedelta(days=1), time.min, SHANGHAI)
    counted = (
        rows.filter(requested_at__gte=since, requested_at__lt=until, parent_call_id=None)
        .order_by()
        .values(on=TruncDate("requested_at", tzinfo=SHANGHAI))
        .annotate(answered=Count("call_id", filter=Q(outcome__in=ANSWERED)), total=Count("call_id"))
    )
    found = {row["on"]: Day(row["on"], row["answered"], row["total"] - row["answered"]) for row in counted}
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    return [found.get(day, Day(day, 0, 0)) for day in days]
