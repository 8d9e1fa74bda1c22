"""Figures of the calls (调用统计): how many a day, answered and refused, among those the actor may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from core.audit import Actor
from core.calendar import SHANGHAI
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
    first = now.astimezone(SHANGHAI).date() - timedelta(days=days - 1)
    rows = (
        calls_visible_to(actor)
        .filter(requested_at__gte=datetime.combine(first, time.min, SHANGHAI), parent_call_id=None)
        .order_by()
        .values(on=TruncDate("requested_at", tzinfo=SHANGHAI))
        .annotate(answered=Count("call_id", filter=Q(outcome__in=ANSWERED)), total=Count("call_id"))
    )
    found = {row["on"]: Day(row["on"], row["answered"], row["total"] - row["answered"]) for row in rows}
    return [found.get(first + timedelta(days=step), Day(first + timedelta(days=step), 0, 0)) for step in range(days)]
