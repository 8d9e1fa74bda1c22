"""The figure `call.query`: one person's row by citizen id, through every check of a call, with its record on disk."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import redis
from django.db import connection

from bench import frame, load
from bench.signing import signed

if TYPE_CHECKING:
    from core.models import Department

PEOPLE = 20_000
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
FIELDS = ["citizen_id", "name", "sex", "address"]
WARMING = 20_000


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    people = load_people()
    key, secret, path = make_grant()
    sign = partial(_requests, people, key, secret, path)
    with contextlib.ExitStack() as servers:
        ports = {
            "call": servers.enter_context(load.serving(load.APPLICATION)),
            "bare": servers.enter_context(load.serving("bench.yardsticks:bare")),
            "durable": servers.enter_context(load.serving("bench.yardsticks:durable")),
            "naive": servers.enter_context(load.serving("bench.naive:application", DJANGO_SETTINGS_MODULE="bench.naive_settings")),
        }
        for port in ports.values():  # caches, prepared statements; the first call of an empty Redis may be told to wait
            with contextlib.suppress(RuntimeError):
                load.rate(port, list(sign(WARMING)), seconds=1)
        guesses = {name: load.rate(port, list(sign(2 * WARMING)), seconds=1) for name, port in ports.items()}
        rates = frame.in_turn({name: partial(_rate, port, sign, guesses[name]) for name, port in ports.items()})
    yardsticks = {name: rates["call"] / rate for name, rate in rates.items() if name != "call"}
    yield frame.figure("call.query", rates["call"], "1/s", **yardsticks)


def _rate(port: int, sign: partial[Iterator[bytes]], guess: float) -> float:
    """Every request is signed afresh and sent once; a machine that was busy while we guessed may be faster now."""
    return load.rate(port, list(sign(int(3 * guess * SECONDS))), seconds=SECONDS)


def _requests(people: list[str], key: str, secret: str, path: str, count: int) -> Iterator[bytes]:
    for number in range(count):
        yield signed(key, secret, path, json.dumps({"key": {"citizen_id": people[number * 7919 % len(people)]}}).encode())


def load_people() -> list[str]:
    """Fill the population table of an empty database and return the identifiers."""
    from tests import factories

    return insert_people(factories.make_city().police)


def insert_people(source: Department) -> list[str]:
    """Add people of a department to the population table and return their identifiers."""
    from psycopg2.extras import execute_values

    from basedb.identifiers import generate_citizen_id
    from exchange.systems import key_ring

    born = [date(1950, 1, 1) + timedelta(days=number * 37 % 20_000) for number in range(PEOPLE)]
    people = [generate_citizen_id(f"9901{number % 90 + 10}", born[number], number % 1000) for number in range(PEOPLE)]
    rows = [
        (
            key_ring().subject_key(citizen_id), citizen_id, f"测试{number}", "1", "01", born[number], "0", "320102",
            f"江苏省南京市玄武区测试路{number}号", "13800000000", source.pk,
        )
        for number, citizen_id in enumerate(people)
    ]  # fmt: skip
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            "INSERT INTO basedb_person (subject_key, citizen_id, name, sex, ethnicity, birth_on, person_status, region_code, "
            "address, phone, source_department_id, source_record_id, run_id, version) VALUES %s ON CONFLICT DO NOTHING",
            rows,
            template="(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, 1, 1)",
        )
        cursor.execute("VACUUM ANALYZE basedb_person")
    return people


def forget_counters() -> None:
    """Empty the Redis of calls."""
    url = urlsplit(os.environ["CALLS_REDIS_URL"])
    redis.Redis(host=url.hostname or "", port=url.port or 0, password=url.password).flushdb()


def make_grant(mode: str = "query") -> tuple[str, str, str]:
    """Return key, secret and path of a grant with quota enough, on empty counters."""
    from catalog.models import Binding
    from core.models import Department, User
    from tests import factories
    from tests.hotpath.partner import make_partner, path_of

    forget_counters()
    resource = factories.make_resource(Department.objects.get(name="市公安局"))
    Binding.objects.filter(resource=resource).update(columns={name: name for name in FIELDS})
    partner = make_partner(Department.objects.get(name="市教育局"))
    user = User.objects.get(username="education_operator")
    masks = {"citizen_id": "CITIZEN_ID", "name": "NAME"}
    quota = {"quota_per_day": 1_000_000_000, "quota_per_second": 1_000_000}
    grant = factories.make_grant(resource, partner.system, user, mode=mode.upper(), fields=FIELDS, masks=masks, **quota)
    return partner.key, partner.secret, path_of(grant, mode)
