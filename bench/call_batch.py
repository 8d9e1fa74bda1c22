"""The figure `call.verify_batch`: a thousand people a call compared with the base, every check of a call and its record on disk.

Beside it `any`: what the same keys cost a plain WSGI view that reads the columns with `= ANY (array)` and answers JSON.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from functools import partial

from bench import call_query, frame, load
from bench.signing import signed

KEYS = 1_000
CONNECTIONS = 16  # with more of them a call waits longer for its turn than wrk has patience
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))


def run() -> Iterable[dict[str, object]]:
    """Yield one line; rates count keys."""
    people = call_query.load_people()
    key, secret, path = call_query.make_grant("verify")
    sign = partial(_requests, people, key, secret, path)
    with contextlib.ExitStack() as servers:
        ports = {
            "call": servers.enter_context(load.serving(load.APPLICATION, DJANGO_SETTINGS_MODULE="bench.batch_settings")),
            "any": servers.enter_context(load.serving("bench.yardsticks:any_of")),
        }
        guesses = {}
        for name, port in ports.items():
            with contextlib.suppress(RuntimeError):
                load.rate(port, list(sign(200)), seconds=2, connections=CONNECTIONS)
            guesses[name] = load.rate(port, list(sign(1_500)), seconds=2, connections=CONNECTIONS)
        rates = frame.in_turn({name: partial(_rate, port, sign, guesses[name]) for name, port in ports.items()})
    yield frame.figure("call.verify_batch", rates["call"] * KEYS, "keys/s", any=rates["call"] / rates["any"])


def _rate(port: int, sign: partial[Iterator[bytes]], guess: float) -> float:
    return load.rate(port, list(sign(int(2 * guess * SECONDS) + 64)), seconds=SECONDS, connections=CONNECTIONS)


def _requests(people: list[str], key: str, secret: str, path: str, count: int) -> Iterator[bytes]:
    """Sign as many calls, each about a thousand people from another place of the list."""
    checks = [
        f'{{"key":{{"citizen_id":"{citizen_id}"}},"attributes":{{"name":"测试{number}","sex":"1"}}}}'
        for number, citizen_id in enumerate(people)
    ]
    checks += checks[:KEYS]
    for number in range(count):
        start = number * 7919 % len(people)
        body = f'{{"checks":[{",".join(checks[start : start + KEYS])}]}}'.encode()
        yield signed(key, secret, path, body)
