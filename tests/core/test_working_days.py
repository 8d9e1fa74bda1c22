"""The office's calendar out of the table: announced years, unannounced ones, deadlines."""

from datetime import datetime

import pytest

from core.calendar import SHANGHAI
from core.models import Holiday
from core.working_days import deadline, load_holidays, unannounced_years


def test_deadline_skips_holidays_and_keeps_make_up_days(db: None) -> None:
    assert load_holidays([2024]) == []
    assert deadline(datetime(2024, 9, 30, 10, tzinfo=SHANGHAI), 1) == datetime(2024, 10, 9, tzinfo=SHANGHAI)
    assert deadline(datetime(2024, 10, 11, 10, tzinfo=SHANGHAI), 1) == datetime(2024, 10, 13, tzinfo=SHANGHAI)


def test_loading_twice_changes_nothing_and_keeps_what_was_entered(db: None) -> None:
    Holiday.objects.create(on="2024-10-01", name="手工", is_working=True)
    load_holidays([2024])
    count = Holiday.objects.count()
    load_holidays([2024])
    assert Holiday.objects.count() == count
    assert Holiday.objects.get(on="2024-10-01").is_working


def test_unannounced_year_follows_weekends_and_is_reported(db: None) -> None:
    assert load_holidays([2090]) == [2090]
    assert deadline(datetime(2090, 9, 29, 10, tzinfo=SHANGHAI), 1) == datetime(2090, 10, 3, tzinfo=SHANGHAI)
    load_holidays([2024])
    assert unannounced_years(datetime(2024, 6, 1, tzinfo=SHANGHAI)) == []
    assert unannounced_years(datetime(2024, 12, 1, tzinfo=SHANGHAI)) == [2025]


@pytest.mark.parametrize("year", [2023, 2024])
def test_announced_years_are_known(db: None, year: int) -> None:
    assert load_holidays([year]) == []
    assert Holiday.objects.filter(on__year=year).exists()
