"""Lookups of licenses that wait go together: everybody gets the answer to the own question and is counted alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from basedb.identifiers import generate_uscc
from core.errors import Unavailable
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from licenses import numbering
from licenses.models import TypeVersion
from licenses.verification import limits
from openapi import license_trip
from tests.hotpath.scene import Scene
from tests.hotpath.test_budget import watched
from tests.hotpath.test_license_lookup import ask
from tests.licenses.verified import ELSEWHERE, ISSUER, TYPE, aggregate, make_license, make_type, no_limit_reached

__all__ = ["no_limit_reached"]

pytestmark = pytest.mark.usefixtures("no_limit_reached")


@pytest.fixture(scope="module")
def version(scene: Scene) -> TypeVersion:
    return make_type(scene.city.police)


@pytest.fixture(scope="module")
def identifiers(version: TypeVersion, scene: Scene) -> list[str]:
    """Issued here, aggregated, replaced by a newer version, never issued, of an office elsewhere, of nobody's office."""
    older, newer = (make_license(version, serial="70000000001", version=number, is_current=number == 2) for number in (1, 2))
    return [
        *[make_license(version, holder=f"持证{number}").identifier for number in range(8)],
        *[aggregate(scene.city.police, holder_name=f"归集{number}").identifier for number in range(8)],
        older.identifier,
        newer.identifier,
        numbering.compose(TYPE, ISSUER, "70000000009", 1),
        numbering.compose(TYPE, ELSEWHERE, "70000000009", 1),
        numbering.compose(TYPE, generate_uscc(77, region="320100", kind="11"), "70000000009", 1),
    ]


def travel(lookups: Sequence[tuple[str, str]]) -> list[license_trip.Told | Exception]:
    return license_trip._travel([(limits.lookups_of(address), numbering.parse(text)) for address, text in lookups])


def test_one_trip_and_one_statement_answer_all_in_the_order_they_were_asked(identifiers: list[str]) -> None:
    asked = [*identifiers, *reversed(identifiers[:5])]
    alone = [travel([("192.0.2.1", text)])[0] for text in asked]
    with watched(limits._lines.mine()) as (statements, commands):
        together = travel([(f"192.0.2.{number}", text) for number, text in enumerate(asked, start=2)])
    assert [statement[:7] for statement in statements] == ["EXECUTE"]
    assert [command.count("EVALSHA") for command in commands] == [len(asked)]
    assert [one[1] for one in together if isinstance(one, tuple)] == [one[1] for one in alone if isinstance(one, tuple)]
    assert len({one[1].identifier for one in together if isinstance(one, tuple)}) == 18 + 1  # nobody has a record of the last three


def test_who_asks_too_often_is_refused_alone_and_not_looked_up(identifiers: list[str], settings: Any) -> None:
    settings.VERIFICATIONS_A_MINUTE = 2
    told = travel(
        [("192.0.2.1", identifiers[at]) for at in range(3)] + [("192.0.2.2", identifiers[3]), ("192.0.2.1", identifiers[4])]
    )
    assert [isinstance(one, limits.TooMany) for one in told] == [False, False, True, False, True]
    assert [(one[0].remaining, one[1].identifier) for one in told if isinstance(one, tuple)] == [
        (1, identifiers[0]),
        (0, identifiers[1]),
        (1, identifiers[3]),
    ]


def test_without_a_store_each_is_refused_with_an_error_of_its_own(
    identifiers: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_asked: Any) -> None:
        raise Refusal("platform.unavailable")

    lookups = [("192.0.2.1", text) for text in identifiers[:3]]
    with monkeypatch.context() as patch:
        patch.setattr(connections, "rows", away)
        told = travel(lookups)
    with watched() as (statements, _commands):
        settings.CALLS_REDIS_URL = "redis://127.0.0.1:1/0"
        limits.close()
        told += travel(lookups)
    limits.close()
    assert [type(one) for one in told] == [Unavailable] * 6
    assert len({id(one) for one in told}) == 6
    assert statements == []


def test_lookups_that_wait_share_a_trip_and_none_gets_another_s_answer(
    identifiers: list[str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The first of them is held up until all others wait; bad identifiers do not even wait."""
    settings.VERIFICATIONS_A_MINUTE = 3
    trips: list[int] = []
    may_go = threading.Event()
    count = limits.take_all

    def held_up(askers: Sequence[Any]) -> Any:
        trips.append(len(askers))
        if len(trips) == 1:
            may_go.wait(10)
        return count(askers)

    monkeypatch.setattr(limits, "take_all", held_up)
    known = [*identifiers[:16], identifiers[17]]
    with ThreadPoolExecutor(40) as pool:
        first = pool.submit(_asked, identifiers[0], "192.0.2.1")
        while not trips:
            time.sleep(0.001)
        rest = [pool.submit(_asked, text, f"192.0.2.{100 + at}") for at, text in enumerate(known)]
        greedy = [pool.submit(_asked, identifiers[1], "192.0.2.99") for _ in range(5)]
        bad = [pool.submit(_asked, "1.2.156.3005.2.x", "192.0.2.98").result(10)]
        while len(license_trip._trips._waiting) < len(known) + 5:
            time.sleep(0.001)
        may_go.set()
        assert first.result(10) == (200, identifiers[0])
        assert [one.result(10) for one in rest] == [(200, text) for text in known]
        assert sorted(one.result(10)[0] for one in greedy) == [200, 200, 200, 429, 429]
    assert bad == [(422, None)]
    assert trips == [1, len(known) + 5]


def _asked(text: str, address: str) -> tuple[int, str | None]:
    """Ask from another thread, which leaves no connection behind."""
    try:
        status, _headers, told = ask(f"identifier={text}", address=address)
    finally:
        connections.close()
        limits.close()
    return status, told["license"]["identifier"] if status == 200 else None
