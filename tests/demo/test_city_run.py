"""A very small city taken in by real workers, undisturbed and under kill -9: both must end the same.

Leases of the dead end at once here: half a minute of waiting for each would prove nothing more. Those of the living end, too,
and they find out when they next write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from psycopg2.extensions import cursor
from pytest_django.plugin import DjangoDbBlocker

from bench import frame
from bench.city import crew, killing, trial
from demo.city_scale import run
from demo.city_scale.counts import counts_of
from demo.city_scale.making import from_environment
from demo.city_scale.people import SOIL
from tests import migrated

SHARE = 0.0005
SUFFIX = os.environ.get("PYTEST_DB_SUFFIX", "platform")
SCHEMA = f"city_run_{SUFFIX}"
DATABASE = f"city_run_{SUFFIX}"
LEASED = ("exchange_aggregationrun", "exchange_aggregationpart")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A database of its own, which workers of their own may write; the folder of the exchange node; a quick timetable."""
    monkeypatch.setattr(crew, "TICK_SECONDS", 0.5)
    monkeypatch.setattr(run, "PAUSE", 0.2)
    monkeypatch.setenv("DROP_DIR", str(tmp_path / "drop"))
    monkeypatch.setattr(settings, "DROP_DIR", tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    roles = json.loads(settings.ROLES_FILE.read_text())
    yield {
        **os.environ,
        "DROP_DIR": str(tmp_path / "drop"),
        "DB_NAME": DATABASE,
        "DB_USER": "worker",
        "DB_PASSWORD": roles["worker"],
    }
    from_environment(counts_of(SHARE), tmp_path, schema=SCHEMA).run("DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture
def emptied(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the connection point at the database of this test while it lasts."""
    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = DATABASE
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = name
            _drop()


@contextmanager
def _asking(database: str = "postgres") -> Iterator[cursor]:
    place = settings.DATABASES["default"]
    with closing(
        psycopg2.connect(host=place["HOST"], port=place["PORT"], user=place["USER"], password=place["PASSWORD"], dbname=database)
    ) as link:
        link.autocommit = True
        with link.cursor() as asked:
            yield asked


def _execute(*statements: str, database: str = "postgres") -> None:
    with _asking(database) as asked:
        for statement in statements:
            asked.execute(statement)


def _drop() -> None:
    with _asking() as asked:
        frame.drop(asked, DATABASE)


def _anew() -> None:
    """Make the database once more, with nothing in it but what migrations put there."""
    connection.close()
    _drop()
    _execute(f"CREATE DATABASE {DATABASE} TEMPLATE {migrated.template()}")


def _end_leases() -> None:
    _execute(*(f"UPDATE {table} SET lease_until = now() WHERE lease_until > now()" for table in LEASED), database=DATABASE)


def test_a_city_shot_at_ends_as_one_left_in_peace(emptied: None, places: dict[str, str]) -> None:
    said: list[str] = []
    given = {"share": SHARE, "schema": SCHEMA, "environment": places, "say": said.append}
    _anew()
    peace = trial.whole(**given)
    good = counts_of(SHARE).people - sum(SOIL.broken(counts_of(SHARE).people).values())
    assert peace.digests["basedb_person"].rows == good
    assert peace.digests["conflicts"].rows > 0
    assert any(line.startswith("rejected population.person citizen_id.check_digit") for line in said)
    assert any(line.startswith("population.person by million: ") for line in said)

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("killed "):
            _end_leases()

    _anew()
    war = trial.whole(**given | {"say": say}, kills=3, with_sources=False, victims=killing.WORKERS)
    assert war.digests == peace.digests
    assert sum(line.startswith("killed ") for line in said) >= 2
