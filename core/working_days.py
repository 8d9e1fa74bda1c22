"""The office's calendar (工作日): the table of statutory holidays and make-up days behind every deadline.

The arithmetic is `core.calendar`. Years nobody has announced yet follow weekends alone; `unannounced_years` says which,
and a system administrator is warned on every page until the year is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction

from core.calendar import SHANGHAI, Calendar, holiday_rows
from core.models import Holiday

LOOKED_AHEAD = timedelta(days=60)


def calendar() -> Calendar:
    """Return the calendar as the table has it now (one query)."""
    return Calendar(dict(Holiday.objects.values_list("on", "is_working")))


def deadline(start: datetime, days: int) -> datetime:
    """Return 24:00 Shanghai of the `days`-th working day after `start`."""
    return calendar().deadline(start, days)


@transaction.atomic
def load_holidays(years: Iterable[int]) -> list[int]:
    """Fill the table with what is announced for the years, which changes nothing when done twice; return years without any.

    What an administrator entered by hand stays.
    """
    unknown = []
    for year in years:
        rows = holiday_rows(year)
        Holiday.objects.bulk_create(
            (Holiday(on=on, name=name, is_working=is_working) for on, name, is_working in rows), ignore_conflicts=True
        )
        if not rows:
            unknown.append(year)
    return unknown


def unannounced_years(now: datetime) -> list[int]:
    """Return the years that deadlines set now can fall into and the table knows nothing of."""
    today = now.astimezone(SHANGHAI).date()
    years = {today.year, (today + LOOKED_AHEAD).year}
    known = set(
        Holiday.objects.filter(on__gte=date(min(years), 1, 1), on__lte=date(max(years), 12, 31)).values_list("on__year", flat=True)
    )
    return sorted(years - known)
