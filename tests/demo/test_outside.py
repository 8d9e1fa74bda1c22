"""The bureau's own table in the demo: registered once, offered to its own department."""

from __future__ import annotations

from datetime import datetime

from catalog import mounting
from demo import city as cast
from demo.outside import register_table
from exchange.models import SourceConnection
from tests.factories import City


def test_the_bureaus_table_is_registered_once_and_offered_for_mounting(city: City, now: datetime) -> None:
    departments = {cast.POLICE: city.police}
    assert [register_table(departments, now) for _ in range(2)] == [1, 0]
    row = SourceConnection.objects.get()
    assert row.tested_at is not None
    assert f"table.{row.uid.hex}" in [offered.code for offered in mounting.datasets(city.police.pk)]
