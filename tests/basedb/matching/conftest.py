"""The world matching is tried in: that of fusion."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.basedb.fusion.world import World, make_world
from tests.factories import City


@pytest.fixture
def world(city: City, now: datetime) -> World:
    """Two lead sources (public security, health) and two supplements (civil affairs, tax)."""
    return make_world(city, now)
