"""`call.query.city`: the very call of `call.query` where the population is a city's, against the same call on the small demo's.

Both databases are alike but for the people: the second is a copy of the first with BENCH_ROWS people more (a million unless told,
4,100,000 for the city itself). Rounds alternate and every key asked for is drawn from the whole population.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import partial

from django.db import connection, connections

from bench import call_query, frame, load

MORE = int(os.environ.get("BENCH_ROWS") or 1_000_000)
CITY = "bench_large"
ROUNDS = 5
ASKED = 200_000
_CHUNK = 100_000


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    people = call_query.load_people()
    key, secret, path = call_query.make_grant()
    with _copied():
        city = people + _add_people()
        asked = {"small": people, "city": [city[place * 7919 % len(city)] for place in range(ASKED)]}
        signs = {name: partial(call_query._requests, keys, key, secret, path) for name, keys in asked.items()}
        with contextlib.ExitStack() as servers:
            ports = {
                "small": servers.enter_context(load.serving(load.APPLICATION)),
                "city": servers.enter_context(load.serving(load.APPLICATION, DB_NAME=CITY)),
            }
            for name, port in ports.items():
                with contextlib.suppress(RuntimeError):
                    load.rate(port, list(signs[name](call_query.WARMING)), seconds=1)
            guesses = {name: load.rate(port, list(signs[name](2 * call_query.WARMING)), seconds=1) for name, port in ports.items()}
            contenders = {name: partial(call_query._rate, port, signs[name], guesses[name]) for name, port in ports.items()}
            rates = frame.in_turn(contenders, rounds=ROUNDS)
    line = frame.figure("call.query.city", rates["city"], "1/s", small=rates["city"] / rates["small"])
    line["people"] = len(city)
    yield line


@contextlib.contextmanager
def _copied() -> Iterator[None]:
    """Copy the database of the measurements, work on the copy, and come back."""
    settings = connections.settings["default"]
    small = settings["NAME"]
    connection.close()
    with connections["default"]._nodb_cursor() as cursor:
        frame.drop(cursor, CITY)
        cursor.execute(f"CREATE DATABASE {CITY} TEMPLATE {small}")
        cursor.execute(f"GRANT CONNECT ON DATABASE {CITY} TO web, worker, reader")
    connection.settings_dict["NAME"] = CITY
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = small
        with connections["default"]._nodb_cursor() as cursor:
            frame.drop(cursor, CITY)


def _add_people() -> list[str]:
    """Put many people into the copy, in chunks; return their identifiers."""
    from basedb.identifiers import generate_citizen_id
    from core.models import Department
    from exchange.systems import key_ring

    ring, source = key_ring(), Department.objects.get(name="市公安局")
    numbers: list[str] = []
    columns = (
        "subject_key, citizen_id, name, sex, ethnicity, birth_on, person_status, region_code, address, phone, "
        "source_department_id, source_record_id, run_id, version"
    )
    for low in range(0, MORE, _CHUNK):
        text = io.StringIO()
        for n in range(low, min(low + _CHUNK, MORE)):
            born = date(1950, 1, 1) + timedelta(days=n * 37 % 20_000)
            citizen_id = generate_citizen_id(f"{990200 + n % 9_800}", born, n // 9_800)
            numbers.append(citizen_id)
            address = f"江苏省南京市玄武区测试路{n}号"
            text.write(
                f"\\\\x{ring.subject_key(citizen_id).hex()}\t{citizen_id}\t测试{n}\t1\t01\t{born}\t0\t320102\t{address}\t13800000000\t"
                f"{source.pk}\t1\t1\t1\n"
            )
        text.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY basedb_person ({columns}) FROM STDIN", text)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE basedb_person")
    frame.say(f"{len(numbers):,} people more")
    return numbers
