"""Fixtures every test may use: a frozen `now`, the small city of `tests.factories`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests import factories

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def now() -> datetime:
    """The database's clock and the rules' `now` must agree within a call's window, so this is the real time."""
    return datetime.now(tz=SHANGHAI)


@pytest.fixture
def city(db: None) -> factories.City:
    """Regions, four departments and their people."""
    return factories.make_city()
