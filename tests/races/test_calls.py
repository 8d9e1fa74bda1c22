"""Calls from many connections at once, on a real server with four workers and a Redis of its own that may be taken away."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from exchange.models import CallRecord, Grant, RejectedAttempt
from tests.hotpath.partner import Partner, make_partner, path_of
from tests.hotpath.scene import Scene, db, scene
from tests.hotpath.server import Exchange, Request, exchange

__all__ = ["db", "exchange", "scene"]  # the fixtures of the hot path


@pytest.fixture
def partner(scene: Scene) -> Partner:
    return make_partner(scene.city.education)


Granting = Callable[..., Grant]


@pytest.fixture
def grant_with(scene: Scene, partner: Partner) -> Granting:
    from tests.hotpath.partner import grant_to

    return lambda **values: grant_to(partner, scene.resource, scene.city, **{"quota_per_second": 100_000} | values)


def signed_request(partner: Partner, grant: Grant, scene: Scene) -> Request:
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    path = path_of(grant, "query")
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body))} | partner.headers(path, body)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def requests_of(partner: Partner, grant: Grant, scene: Scene, count: int) -> list[Request]:
    return [signed_request(partner, grant, scene) for _ in range(count)]


def left(grant: Grant, partner: Partner, *, at_least: int) -> Counter[str]:
    """Return what calls left by outcome, recorded or, beyond the limit of a minute, counted (about a second later)."""
    key_digest = hashlib.sha256(partner.key.encode()).digest()[:8]
    until = time.monotonic() + 10
    while True:
        outcomes = Counter(CallRecord.objects.filter(grant_id=grant.id).values_list("outcome", flat=True))
        for code, count in RejectedAttempt.objects.filter(key_digest=key_digest).values_list("code", "count"):
            outcomes[code] += count
        if outcomes.total() >= at_least or time.monotonic() > until:
            return outcomes
        time.sleep(0.1)


def test_five_thousand_calls_against_a_quota_of_a_thousand_give_exactly_a_thousand_answers(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    exchange.ask(requests_of(partner, grant_with(), scene, 1), connections=1)  # the first call of an empty Redis sets it up
    grant = grant_with(quota_per_day=1_000)
    outcomes = exchange.ask(requests_of(partner, grant, scene, 5_000), connections=200)
    assert Counter(outcomes) == {(200, ""): 1_000, (429, "quota.day_exceeded"): 4_000}
    assert left(grant, partner, at_least=5_000) == {"call.answered": 1_000, "quota.day_exceeded": 4_000}


def test_the_same_signed_request_two_hundred_times_at_once_is_answered_once(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    grant = grant_with()
    outcomes = exchange.ask([signed_request(partner, grant, scene)] * 200, connections=200)
    assert Counter(outcomes) == {(200, ""): 1, (409, "call.replayed"): 199}
    assert left(grant, partner, at_least=200) == {"call.answered": 1, "call.replayed": 199}


def test_connections_that_say_nothing_keep_nobody_out(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    with ExitStack() as idle:
        for _ in range(2_500):
            idle.enter_context(socket.create_connection(("127.0.0.1", exchange.port), timeout=10))
        assert exchange.ask(requests_of(partner, grant_with(), scene, 20), connections=20) == [(200, "")] * 20


def test_revoked_grant_is_refused_by_every_worker_from_then_on(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    grant = grant_with()
    assert set(exchange.ask(requests_of(partner, grant, scene, 100), connections=50)) == {(200, "")}
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    assert set(exchange.ask(requests_of(partner, grant, scene, 200), connections=50)) == {(403, "grant.revoked")}
    assert left(grant, partner, at_least=300) == {"call.answered": 100, "grant.revoked": 200}


def test_without_redis_every_call_is_refused_and_its_return_forgets_no_quota(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    grant = grant_with(quota_per_day=30)
    assert set(exchange.ask(requests_of(partner, grant, scene, 20), connections=10)) == {(200, "")}
    exchange.stop_redis()
    outcomes = exchange.ask(requests_of(partner, grant, scene, 50), connections=10)
    assert set(outcomes) == {(503, "platform.unavailable")}
    assert left(grant, partner, at_least=70) == {"call.answered": 20, "platform.unavailable": 50}
    exchange.start_redis()
    exchange.ask(requests_of(partner, grant, scene, 1), connections=1)  # meets the loss and rebuilds
    time.sleep(0.01)
    outcomes = exchange.ask(requests_of(partner, grant, scene, 40), connections=20)
    assert Counter(outcomes) == {(200, ""): 10, (429, "quota.day_exceeded"): 30}
