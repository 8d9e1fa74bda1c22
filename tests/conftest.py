"""Fixtures every test may use: the real `now`, the small city of `tests.factories`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests import emptying, factories, migrated

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session", autouse=True)
def only_full_tables_are_emptied() -> Iterator[None]:
    """A test with transactions of its own leaves rows behind; what migrations had put there comes back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", emptying.empty_tables)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_blocker: Any) -> None:
    """Copy the test database from a migrated one."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated.template()


@pytest.fixture
def now() -> datetime:
    """The database's clock and the rules' `now` must agree within a call's window, so this is the real time."""
    return datetime.now(tz=SHANGHAI)


@pytest.fixture
def city(db: None) -> factories.City:
    """Regions, four departments and their people."""
    return factories.make_city()
