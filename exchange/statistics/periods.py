"""Periods of op-monitoring (统计时段): which span of time is looked at, and in which steps. Pure; days are Shanghai days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from core.calendar import SHANGHAI
from exchange.models import Grain

STEPS: Final = {Grain.MINUTE: timedelta(minutes=1), Grain.HOUR: timedelta(hours=1), Grain.DAY: timedelta(days=1)}
AHEAD: Final = timedelta(minutes=6)  # a call may be signed up to five minutes ahead of our clock
DAYS: Final = {"7": 7, "30": 30, "90": 90, "365": 365}
HOUR, DAY, EVER = "hour", "day", "ever"
LONGEST_SPAN_DAYS: Final = 400
NAMES: Final = (HOUR, DAY, *DAYS)


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span whose ends lie on steps of its grain."""

    grain: Grain
    since: datetime
    until: datetime

    def steps(self) -> list[datetime]:
        """Return the start of every step, oldest first."""
        step = STEPS[self.grain]
        return [self.since + number * step for number in range(-((self.since - self.until) // step))]


def of_days(first: date, last: date) -> Period:
    """Return the days from the first to the last."""
    return Period(Grain.DAY, _midnight(first), _midnight(last + timedelta(days=1)))


def named(name: str, now: datetime) -> Period:
    """Return a period that ends now: the last hour by minutes, the last 24 hours by hours, or that many days."""
    local = now.astimezone(SHANGHAI)
    if name == HOUR:
        minute = local.replace(second=0, microsecond=0)
        return Period(Grain.MINUTE, minute - timedelta(minutes=59), minute + AHEAD)
    if name == DAY:
        hour = local.replace(minute=0, second=0, microsecond=0)
        return Period(Grain.HOUR, hour - timedelta(hours=23), hour + timedelta(hours=1))
    return last_days(DAYS[name], now)


def last_days(days: int, now: datetime) -> Period:
    """Return so many days, today the last."""
    today = now.astimezone(SHANGHAI).date()
    return of_days(today - timedelta(days=days - 1), today)


def ever() -> Period:
    """Return all time: what counters that only grow are read from."""
    return Period(Grain.EVER, datetime.fromtimestamp(0, tz=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)
