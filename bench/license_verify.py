"""The figure `license.verify`: a license by its identifier, half issued here and half aggregated, asked by anybody over HTTP.

The yardstick `bare` is that of `call.query`: one prepared select on a kept connection. Each request comes from another address, as
through a proxy, so that no limit is reached.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from functools import partial

from bench import frame, license_rows, load
from bench.call_query import forget_counters, insert_people
from bench.signing import on_the_wire

LICENSES = 20_000
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
WARMING = 30_000


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    from basedb.models import License
    from tests import factories

    city = factories.make_city()
    people = insert_people(city.police)
    identifiers = license_rows.issue(city.police, LICENSES)
    license_rows.aggregate(city.police, LICENSES)
    identifiers += License.objects.values_list("identifier", flat=True)
    forget_counters()
    asking = {"verify": partial(_lookups, identifiers), "bare": partial(_reads, people)}
    with contextlib.ExitStack() as servers:
        proxy = {"TRUSTED_PROXIES": "127.0.0.1"}
        ports = {
            "verify": servers.enter_context(load.serving(load.APPLICATION, **proxy)),
            "bare": servers.enter_context(load.serving("bench.yardsticks:bare")),
        }
        guesses = {name: load.rate(port, list(asking[name](WARMING)), seconds=1) for name, port in ports.items()}
        rates = frame.in_turn({name: partial(_rate, port, asking[name], guesses[name]) for name, port in ports.items()})
    yield frame.figure("license.verify", rates["verify"], "1/s", bare=rates["verify"] / rates["bare"])


def _rate(port: int, ask: partial[Iterator[bytes]], guess: float) -> float:
    return load.rate(port, list(ask(int(3 * guess * SECONDS))), seconds=SECONDS)


def _lookups(identifiers: list[str], count: int) -> Iterator[bytes]:
    for number in range(count):
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        path = f"/openapi/v1/license-verifications?identifier={identifiers[number * 7919 % len(identifiers)]}"
        yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {address}\r\n\r\n".encode()


def _reads(people: list[str], count: int) -> Iterator[bytes]:
    for number in range(count):
        yield on_the_wire("POST", "/", json.dumps({"key": {"citizen_id": people[number * 7919 % len(people)]}}).encode(), {})
