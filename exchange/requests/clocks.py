"""Clocks of the desks (办理时限): when a desk is late, and how many working days a stopped clock had left. Pure arithmetic.

How many days a stage has is data (`sla_policies`); which days are working days is `core.working_days`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.calendar import SHANGHAI, Calendar

_INSTANT = timedelta(microseconds=1)


def due_at(*, calendar: Calendar, days: int | None, entered_at: datetime, answer_due_at: datetime | None) -> datetime | None:
    """Return when the desk is late, or None for a desk without a clock (a closed request).

    A desk never gets past the limit of the whole answer; when others used that up, it has until the end of the day.
    """
    if days is None:
        return None
    own = calendar.deadline(entered_at, days)
    if answer_due_at is None:
        return own
    return max(min(own, answer_due_at), calendar.deadline(entered_at, 0))


def days_left(*, calendar: Calendar, due_at: datetime | None, now: datetime) -> int | None:
    """Return the working days after today until a deadline, 0 when it is today or past; None without a deadline."""
    if due_at is None:
        return None
    last_day = (due_at - _INSTANT).astimezone(SHANGHAI).date()
    return max(0, calendar.working_days_between(now.astimezone(SHANGHAI).date(), last_day))


def extended(*, calendar: Calendar, due_at: datetime, days: int) -> datetime:
    """Return a deadline moved by so many working days."""
    return calendar.deadline(due_at - _INSTANT, days)
