"""Working days: the holiday table beats the weekday rule, and deadlines end with the day in Shanghai."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import SHANGHAI, Calendar, holiday_rows

WEEKENDS_ONLY = Calendar({})
YEAR_2026 = Calendar({day: is_working for day, _name, is_working in holiday_rows(2026)})

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
calendars = st.dictionaries(days, st.booleans(), max_size=60).map(Calendar)


def test_make_up_saturday_is_working_and_holiday_monday_is_not() -> None:
    assert YEAR_2026.is_working(date(2026, 2, 14))
    assert not YEAR_2026.is_working(date(2026, 2, 16))
    assert WEEKENDS_ONLY.is_working(date(2026, 2, 16))


def test_day_after_the_start_counts_as_the_first() -> None:
    assert WEEKENDS_ONLY.add_working_days(date(2026, 3, 2), 1) == date(2026, 3, 3)
    assert WEEKENDS_ONLY.add_working_days(date(2026, 3, 6), 1) == date(2026, 3, 9)
    assert WEEKENDS_ONLY.add_working_days(date(2026, 3, 6), 0) == date(2026, 3, 6)


def test_spring_festival_is_not_counted() -> None:
    assert YEAR_2026.add_working_days(date(2026, 2, 13), 1) == date(2026, 2, 14)
    assert YEAR_2026.add_working_days(date(2026, 2, 13), 2) == date(2026, 2, 24)
    assert YEAR_2026.add_working_days(date(2026, 2, 13), 10) == date(2026, 3, 5)


def test_deadline_is_midnight_after_the_last_working_day_in_shanghai() -> None:
    received = datetime(2026, 3, 6, 23, 30, tzinfo=SHANGHAI)
    assert WEEKENDS_ONLY.deadline(received, 1) == datetime(2026, 3, 10, 0, 0, tzinfo=SHANGHAI)


def test_day_of_receipt_is_the_shanghai_day() -> None:
    received = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
    assert WEEKENDS_ONLY.deadline(received, 1) == datetime(2026, 3, 9, 16, 0, tzinfo=UTC)


def test_naive_datetimes_and_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        WEEKENDS_ONLY.deadline(datetime(2026, 3, 5), 1)
    with pytest.raises(ValueError, match="negative"):
        WEEKENDS_ONLY.add_working_days(date(2026, 3, 5), -1)


@given(calendars, days, st.integers(0, 40))
def test_adding_and_counting_agree(calendar: Calendar, start: date, count: int) -> None:
    end = calendar.add_working_days(start, count)
    assert calendar.working_days_between(start, end) == count
    assert calendar.working_days_between(end, start) == -count
    assert count == 0 or calendar.is_working(end)


@given(calendars, st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(1, 20))
def test_deadline_lies_ahead_at_midnight(calendar: Calendar, moment: datetime, count: int) -> None:
    start = moment.replace(tzinfo=SHANGHAI)
    deadline = calendar.deadline(start, count)
    assert deadline - start > timedelta(days=count)
    assert (deadline.hour, deadline.minute, deadline.utcoffset()) == (0, 0, timedelta(hours=8))


def test_announced_year_has_holidays_with_chinese_names() -> None:
    rows = holiday_rows(2026)
    assert (date(2026, 10, 1), "国庆节", False) in rows
    assert (date(2026, 2, 14), "春节", True) in rows
    assert rows == sorted(rows)
    assert all(day.year == 2026 for day, _name, _is_working in rows)


def test_year_nobody_announced_is_empty() -> None:
    assert holiday_rows(2099) == []
