"""Fixtures every test may use: the real `now`, the small city of `tests.factories`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import AppConfig
from django.db.models.signals import post_migrate

from tests import factories

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session", autouse=True)
def shipped_rows_outlive_a_flush() -> Iterator[None]:
    """A test with transactions of its own ends with a flush, which takes away what migrations had put there; it comes back."""

    def restore(sender: AppConfig, **_: Any) -> None:
        if sender.label == "exchange":
            factories.restore_shipped()

    post_migrate.connect(restore, weak=False)
    yield
    post_migrate.disconnect(restore)


@pytest.fixture
def now() -> datetime:
    """The database's clock and the rules' `now` must agree within a call's window, so this is the real time."""
    return datetime.now(tz=SHANGHAI)


@pytest.fixture
def city(db: None) -> factories.City:
    """Regions, four departments and their people."""
    return factories.make_city()
