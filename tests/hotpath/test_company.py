"""Calls on one trip to the database: what one of them brings along harms no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from exchange.calls import connections, joint, trip
from exchange.calls.refusals import Refusal
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene


@pytest.fixture
def travellers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[joint.Call]:
    """Three calls of one form as they stand before the trip; none of them has been on one."""
    calls: list[joint.Call] = []

    def note(*call: Any) -> Any:
        calls.append((*call, 7))
        raise Refusal("platform.busy")

    grant = scene.grant()
    monkeypatch.setattr(trip, "admit_and_read", note)
    for _ in range(3):
        scene.partner.query(grant, scene.people[0].citizen_id)
    return [(replace(signed, call_id=str(uuid4()), nonce=uuid4().hex), *rest) for signed, *rest in calls]  # others are refused


def test_a_value_the_database_cannot_take_refuses_the_call_it_came_with_alone(travellers: list[joint.Call]) -> None:
    signed, *rest = travellers[1]
    travellers[1] = (replace(signed, client_ip="no address"), *rest)  # type: ignore[arg-type]
    told = joint.read_and_record_all(travellers)
    assert [isinstance(outcome, tuple) for outcome in told] == [True, False, True]
    assert isinstance(told[1], Refusal)
    assert told[1].code == "platform.unavailable"
    for (first, *_), outcome in zip(travellers, told, strict=True):
        assert isinstance(outcome, Refusal) or first.call_id in outcome[0]


def test_a_nonce_that_was_answered_before_refuses_its_own_call_alone(travellers: list[joint.Call]) -> None:
    joint.read_and_record_all(travellers[:1])
    told = joint.read_and_record_all(travellers)
    assert [outcome.code if isinstance(outcome, Refusal) else "" for outcome in told] == ["call.replayed", "", ""]


def test_an_address_with_a_zone_is_answered_and_kept_without_it(scene: Scene) -> None:
    grant = scene.grant()
    body = b'{"key": {"citizen_id": "%s"}}' % scene.people[0].citizen_id.encode()
    path = partners.path_of(grant, "query")
    reply = partners.send(path, scene.partner.headers(path, body), body, client_ip="fe80::1%eth0")
    assert reply.status == 200
    assert outcomes_of(grant) == ["call.answered"]


def test_a_database_that_is_away_is_waited_for_once_a_trip(travellers: list[joint.Call], monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def unreachable(timeout_ms: int = 0) -> None:
        tried.append(timeout_ms)
        raise psycopg2.OperationalError("no route")

    connections.close()
    monkeypatch.setattr(connections, "connect", unreachable)
    signed, terms, question, left = travellers[0]
    narrowed = replace(question, selection=question.selection.only(question.selection.items[:1]))
    told = joint.read_and_record_all([*travellers, (signed, terms, narrowed, left)])
    assert [outcome.code for outcome in told if isinstance(outcome, Refusal)] == ["platform.unavailable"] * 4
    assert len(tried) == 1
