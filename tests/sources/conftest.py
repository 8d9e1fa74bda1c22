"""The fixtures of sources: the committed scene of the hot path, a department's table, a platform above."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.sources import guard
from tests.hotpath.scene import Scene, db, scene, web_role
from tests.sources.above import Above
from tests.sources.department import OwnTable

__all__ = ["db", "scene", "web_role"]


@pytest.fixture(autouse=True)
def closed_breakers(web_role: None) -> Iterator[None]:
    """Every test begins with breakers closed."""
    guard.forget()
    yield
    guard.forget()


@pytest.fixture
def own_table(scene: Scene) -> Iterator[OwnTable]:
    """A table in the police's own database with two rows."""
    table = OwnTable(scene)
    yield table
    table.close()


@pytest.fixture
def above() -> Iterator[Above]:
    """A platform above, listening on loopback."""
    platform = Above()
    yield platform
    platform.close()
