"""The figure `connections`: a thousand open connections, a hundred signed calls a second spread over them, nobody refused.

Time is counted from the moment a call was due, so that one that waits for its connection is not made to look fast. The value
is p99; any answer but 200, and any connection that is not answered, is an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import cycle
from statistics import quantiles

from bench import call_query, frame, load
from bench.links import Link
from bench.signing import signed

CONNECTIONS = 1_000
A_SECOND = 100
OPENED_AT_ONCE = 50
PATIENCE_SECONDS = 10
SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    people = cycle(call_query.load_people())
    key, secret, path = call_query.make_grant()

    def next_request() -> bytes:
        return signed(key, secret, path, json.dumps({"key": {"citizen_id": next(people)}}).encode())

    with load.serving(load.APPLICATION) as port:
        outcomes, times = asyncio.run(_measure(port, next_request))
    frame.say(f"{CONNECTIONS} connections, {sum(outcomes.values())} calls: {dict(outcomes)}")
    if set(outcomes) != {"200"}:
        raise RuntimeError(f"not every call was answered: {dict(outcomes)}")
    yield frame.figure("connections", times[98], "ms") | {
        "p50": round(times[49], 1),
        "p95": round(times[94], 1),
        "connections": CONNECTIONS,
        "calls": outcomes["200"],
    }


async def _measure(port: int, next_request: Callable[[], bytes]) -> tuple[Counter[str], list[float]]:
    """Return outcomes and the percentiles in milliseconds."""
    links: list[Link] = []
    for _ in range(0, CONNECTIONS, OPENED_AT_ONCE):
        links += await asyncio.gather(*(Link.open("127.0.0.1", port) for _ in range(OPENED_AT_ONCE)))
    outcomes: Counter[str] = Counter()
    times: list[float] = []

    async def call(link: Link, turn: asyncio.Lock, due: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), turn:
                outcomes[str((await link.ask(next_request())).status)] += 1
        except (OSError, EOFError) as trouble:
            outcomes[type(trouble).__name__] += 1
        times.append((time.monotonic() - due) * 1000)

    for number in range(4):  # the first call of an empty Redis may be told to wait; nothing of this is counted
        await links[number].ask(next_request())
    turns = [asyncio.Lock() for _ in links]
    started = time.monotonic()
    calls = []
    for number in range(A_SECOND * SECONDS):
        due = started + number / A_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        place = number * 389 % CONNECTIONS
        calls.append(asyncio.create_task(call(links[place], turns[place], due)))
    await asyncio.gather(*calls)
    for link in links:
        link.close()
    return outcomes, quantiles(times, n=100)
