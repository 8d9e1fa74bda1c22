"""`dossier.person`: dossiers of people at city scale, one after the other, audit included; with p95.

The yardstick `queries` runs the very statements of the same dossiers, parameters filled in beforehand, bare on one connection.
BENCH_ROWS is how many people there are (200,000 unless told); the dossiers read are a sample of them.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from statistics import quantiles
from typing import Any, Final

from django.db import connection

from bench import dossier_rows, frame

PEOPLE = int(os.environ.get("BENCH_ROWS") or 200_000)
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
CAPTURED: Final = 300
SEED: Final = 20260101


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    city = dossier_rows.fill(PEOPLE)
    reader = city.actor("reviewer")
    chosen = random.Random(SEED).sample(range(PEOPLE), CAPTURED)
    keys = [dossier_rows.key_of(number) for number in chosen]
    yield compared(keys, lambda key: read(key, reader)) | {"people": PEOPLE}


def compared(keys: list[bytes], reading: Callable[[bytes], object]) -> dict[str, object]:
    """Return the line of reading these dossiers in turn with the bare statements of the same."""
    statements = {key: captured(partial(reading, key)) for key in keys}
    asked = [sql for sql in statements[keys[0]] if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "INSERT"))]
    taken: list[float] = []
    rates = frame.in_turn(
        {
            "dossier": lambda: timed(reading, keys, taken),
            "queries": lambda: timed(lambda key: replay(statements[key]), keys, []),
        }
    )
    line = frame.figure("dossier.person", rates["dossier"], "1/s", queries=rates["dossier"] / rates["queries"])
    return line | {"queries": len(asked), "p95_ms": round(quantiles(taken, n=20)[-1] * 1000, 2)}


def read(key: bytes, reader: Any) -> None:
    """Read one dossier as a reviewer who compares sources."""
    from django.utils import timezone

    from exchange.dossiers.reading import read_dossier
    from exchange.dossiers.rights import DossierKind, Purpose, Reason

    purpose = Purpose(Reason.COMPARISON, "bench")
    dossier = read_dossier(kind=DossierKind.PERSON, entity_key=key, actor=reader, purpose=purpose, now=timezone.now())
    if not dossier.identity or dossier.holdings is None or not dossier.holdings.licenses:
        raise RuntimeError("an empty dossier measures nothing")


def captured(act: Callable[[], object]) -> list[str]:
    """Return the statements of an act, parameters filled in, as they went to the server."""
    sent: list[str] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        result = execute(sql, parameters, many, context)
        sent.append(context["cursor"].cursor.query.decode())
        return result

    with connection.execute_wrapper(note):
        act()
    return ["BEGIN", *sent, "COMMIT"]


def replay(statements: Iterable[str]) -> None:
    """Run statements and fetch what they answer, with nothing around."""
    with connection.cursor() as cursor:
        bare = cursor.cursor
        for sql in statements:
            bare.execute(sql)
            if bare.description is not None:
                bare.fetchall()


def timed(act: Callable[[bytes], object], keys: list[bytes], taken: list[float]) -> float:
    """Return acts a second over SECONDS; how long each took is appended."""
    count, begun = 0, time.perf_counter()
    for key in _around(keys):
        before = time.perf_counter()
        act(key)
        now = time.perf_counter()
        taken.append(now - before)
        count += 1
        if now - begun > SECONDS:
            break
    return count / (time.perf_counter() - begun)


def _around(keys: list[bytes]) -> Iterator[bytes]:
    while True:
        yield from keys
