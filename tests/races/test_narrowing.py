"""Narrowing while calls run: whatever is answered after the narrowing was committed holds only what is left."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from django.db import connection
from django.utils import timezone

from exchange.calls import connections
from exchange.calls.admission import close as close_line
from exchange.granting.grant_narrowing import narrow, narrowable
from exchange.models import Grant
from tests.hotpath.records import records_of
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]  # the fixtures of the hot path

CALLERS = 3


def test_the_next_call_obeys_a_narrowing(scene: Scene) -> None:
    grant = scene.grant(fields=["name", "sex", "address"])
    assert list(scene.partner.query(grant, scene.people[0].citizen_id).json["data"]) == ["name", "sex", "address"]
    asked = replace(narrowable(grant), fields=["sex"], masks={})
    narrow(grant_uid=grant.uid, asked=asked, reason="最小必要", actor=scene.city.actor("police_head"), now=timezone.now())
    assert scene.partner.query(grant, scene.people[0].citizen_id).json["data"] == {"sex": "1"}


def test_no_answer_begun_after_a_narrowing_holds_what_it_took_away(scene: Scene) -> None:
    grant: Grant = scene.grant(fields=["name", "sex", "address"], quota_per_second=10_000, quota_per_day=1_000_000)
    answers: list[tuple[float, set[str]]] = []
    stop = threading.Event()

    def call() -> None:
        try:
            while not stop.is_set():
                began = time.monotonic()
                reply = scene.partner.query(grant, scene.people[0].citizen_id)
                assert reply.status == 200
                answers.append((began, set(reply.json["data"])))
        finally:
            connections.close()
            close_line()
            connection.close()

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(0.4)
    asked = replace(narrowable(grant), fields=["sex"], masks={})
    narrow(grant_uid=grant.uid, asked=asked, reason="最小必要", actor=scene.city.actor("police_head"), now=timezone.now())
    narrowed = time.monotonic()
    time.sleep(0.4)
    stop.set()
    for caller in callers:
        caller.join()
    assert {"name", "sex", "address"} in [items for _, items in answers]
    later = [items for began, items in answers if began >= narrowed]
    assert later
    assert all(items == {"sex"} for items in later)
    assert {(r.grant_version, *(r.fields or ())) for r in records_of(grant)} == {(1, "name", "sex", "address"), (2, "sex")}
