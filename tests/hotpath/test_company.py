"""Calls on one trip to the database: what one of them brings along harms no other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from exchange.calls import company, connections, joint, trip
from exchange.calls.company import Row
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene


@pytest.fixture
def travellers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """Three calls of one form as they stand before the trip; none of them has been on one."""
    rows: list[Row] = []

    def note(signed: Signed, terms: Terms, question: Question, _row_of: object) -> Any:
        fresh = replace(signed, call_id=str(uuid4()), nonce=uuid4().hex)  # those of the call itself are recorded as refused
        rows.append(joint.call_row(fresh, terms, question, 7))
        raise Refusal("platform.busy")

    grant = scene.grant()
    monkeypatch.setattr(trip.about_subjects, "admit_and_run", note)
    for _ in range(3):
        scene.partner.query(grant, scene.people[0].citizen_id)
    return rows


def test_a_value_the_database_cannot_take_refuses_the_call_it_came_with_alone(travellers: list[Row]) -> None:
    travellers[1].values["client_ip"] = "no address"
    told = company.run_all(travellers)
    assert [isinstance(outcome, tuple) for outcome in told] == [True, False, True]
    assert isinstance(told[1], Refusal)
    assert told[1].code == "platform.unavailable"
    for row, outcome in zip(travellers, told, strict=True):
        assert isinstance(outcome, Refusal) or (outcome and row.values["call_id"].encode() in outcome[0])


def test_a_nonce_that_was_answered_before_refuses_its_own_call_alone(travellers: list[Row]) -> None:
    company.run_all(travellers[:1])
    told = company.run_all(travellers)
    assert [outcome.code if isinstance(outcome, Refusal) else "" for outcome in told] == ["call.replayed", "", ""]


def test_a_call_that_brings_nothing_usable_ends_its_own_way_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def note(*call: Any) -> Any:
        asked.append(call)
        raise Refusal("platform.busy")

    with monkeypatch.context() as patch:
        patch.setattr(trip.about_subjects, "admit_and_run", note)
        grant = scene.grant()
        for _ in range(2):
            scene.partner.query(grant, scene.people[0].citizen_id)
    (signed, terms, question, _row_of), other = asked
    fresh = replace(signed, call_id=str(uuid4()), nonce=uuid4().hex)
    told = trip._travel(
        [(fresh, terms, question, partial(joint.call_row, fresh, terms, question)), (*other[:3], lambda _left: 1 / 0)]
    )
    assert isinstance(told[0], tuple)
    assert fresh.call_id.encode() in told[0][1][0]  # type: ignore[index]
    assert isinstance(told[1], ZeroDivisionError)


def test_an_address_with_a_zone_is_answered_and_kept_without_it(scene: Scene) -> None:
    grant = scene.grant()
    body = b'{"key": {"citizen_id": "%s"}}' % scene.people[0].citizen_id.encode()
    path = partners.path_of(grant, "query")
    reply = partners.send(path, scene.partner.headers(path, body), body, client_ip="fe80::1%eth0")
    assert reply.status == 200
    assert outcomes_of(grant) == ["call.answered"]


def test_a_database_that_is_away_is_waited_for_once_a_trip(travellers: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def unreachable(timeout_ms: int = 0) -> None:
        tried.append(timeout_ms)
        raise psycopg2.OperationalError("no route")

    connections.close()
    monkeypatch.setattr(connections, "connect", unreachable)
    told = company.run_all([*travellers, travellers[0]._replace(template="SELECT 1")])
    assert [outcome.code for outcome in told if isinstance(outcome, Refusal)] == ["platform.unavailable"] * 4
    assert len(tried) == 1
