"""Verifications: details and a score when asked for, silence on what is hidden, and an end to guessing about one person."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.conf import settings

from basedb.identifiers import generate_citizen_id
from basedb.models import Person
from exchange.calls import admission, connections
from exchange.models import Grant
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene, forget_counters

LIMIT = 3


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """A system of its own for every test: what a system has asked today is never forgotten."""
    return replace(scene, partner=partners.make_partner(scene.city.education))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three questions a day about one person."""
    monkeypatch.setattr(settings, "CALL_QUESTIONS_PER_SUBJECT_PER_DAY", LIMIT)


def ask(scene: Scene, grant: Grant, number: int = 0, **values: Any) -> partners.Reply:
    """Verify one person's attributes; `details`, `score` and the like stand in the body as given."""
    body = {"key": {"citizen_id": scene.people[number].citizen_id}, "attributes": {"name": "张三丰"}} | values
    return scene.partner.call(grant, "verify", body)


def test_details_name_source_and_day_of_each_value(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", fields=["name", "address"])
    reply = ask(scene, grant, 1, attributes={"name": "王五", "address": "某地"}, details=True)
    source = {"code": scene.city.police.code, "name": scene.city.police.name}
    name, address = reply.json["result"]["name"], reply.json["result"]["address"]
    assert (name["result"], name["source"]) == ("no", source)
    assert datetime.fromisoformat(name["as_of"]) == Person.objects.get(pk=scene.people[1].pk).changed_at
    assert address == {"result": "not_available", "source": None, "as_of": None}
    stranger = {"citizen_id": generate_citizen_id("990101", date(1999, 9, 9), 98)}
    assert ask(scene, grant, key=stranger, details=True).json["result"]["name"]["source"] is None
    assert bytes(records_of(grant)[0].answer_digest) == hashlib.sha256(reply.body).digest()


def test_score_is_the_share_of_compared_values_that_agree(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", fields=["name", "sex", "address"])
    attributes = {"name": "李四", "sex": "2", "address": "某地"}
    assert ask(scene, grant, 1, attributes=attributes, score=True).json["score"] == 0.5
    assert ask(scene, grant, 1, attributes={"address": "某地"}, score=True).json["score"] is None
    assert "score" not in ask(scene, grant).json


def test_details_and_score_hold_for_every_check_of_a_batch(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", fields=["name", "sex"])
    keys = [{"citizen_id": person.citizen_id} for person in scene.people]
    checks = [{"key": keys[0], "attributes": {"name": "张三丰", "sex": "2"}}, {"key": keys[1], "attributes": {"sex": "1"}}, {}]
    results = scene.partner.call(grant, "verify", {"checks": checks, "details": True, "score": True}).json["results"]
    assert [result.get("score") for result in results] == [0.5, 1.0, None]
    assert [list(result.get("result", ())) for result in results] == [["name", "sex"], ["sex"], []]
    assert results[1]["result"]["sex"]["source"]["name"] == scene.city.police.name


@pytest.mark.parametrize("wanted", [{"details": 1}, {"score": "yes"}, {"details": None}])
def test_what_is_wanted_is_true_or_false(scene: Scene, wanted: dict[str, Any]) -> None:
    check_refused(ask(scene, scene.grant(mode="VERIFY"), **wanted), "call.invalid_parameter")


@pytest.mark.parametrize("details", [False, True])
def test_what_is_hidden_is_never_confirmed(scene: Scene, details: bool) -> None:
    grant = scene.grant(mode="VERIFY", masks={"name": "HIDDEN"})
    right, wrong = (ask(scene, grant, attributes={"name": name}, details=details).json["result"] for name in ("张三丰", "某人"))
    assert right == wrong
    assert "yes" not in str(right)
    assert scene.city.police.name not in str(right)


@pytest.mark.usefixtures("few")
def test_questions_about_one_person_end_and_the_refusal_is_recorded(scene: Scene) -> None:
    grant, other = scene.grant(mode="VERIFY", quota_per_day=LIMIT + 1), scene.grant(mode="VERIFY")
    for _ in range(LIMIT):
        assert ask(scene, grant).status == 200
    reply = ask(scene, other)
    check_refused(reply, "quota.subject_exceeded")
    assert reply.json["details"] == {"key": "asked_too_often_today"}
    assert int(reply.headers["Retry-After"]) > 0
    assert outcomes_of(other) == ["quota.subject_exceeded"]
    assert ask(scene, grant).code == "quota.subject_exceeded"
    assert ask(scene, grant, 1).headers["RateLimit-Remaining"] == "0"  # what was refused did not count for the day


@pytest.mark.usefixtures("few")
def test_another_system_and_queries_have_limits_of_their_own(scene: Scene) -> None:
    for _ in range(LIMIT):
        assert ask(scene, scene.grant(mode="VERIFY")).status == 200
    stranger = partners.make_partner(scene.city.market)
    grant = partners.grant_to(stranger, scene.resource, scene.city, mode="VERIFY")
    body = {"key": {"citizen_id": scene.people[0].citizen_id}, "attributes": {"name": "张三丰"}}
    assert stranger.call(grant, "verify", body).status == 200
    query = scene.grant()
    assert all(scene.partner.query(query, scene.people[0].citizen_id).status == 200 for _ in range(LIMIT + 1))


@pytest.mark.usefixtures("few")
def test_a_batch_over_the_limit_is_refused_whole_and_leaves_the_counts(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", quota_per_day=100)
    first, second = ({"key": {"citizen_id": p.citizen_id}, "attributes": {"name": "某人"}} for p in scene.people)
    assert scene.partner.call(grant, "verify", {"checks": [first, {}, second, first]}).status == 200
    reply = scene.partner.call(grant, "verify", {"checks": [{}, first, second, first]})
    check_refused(reply, "quota.subject_exceeded")
    assert reply.json["details"] == {"checks[3]": "asked_too_often_today"}
    reply = scene.partner.call(grant, "verify", {"checks": [first, second, second]})
    assert (reply.status, reply.headers["RateLimit-Remaining"]) == (200, "94")


@pytest.mark.usefixtures("few")
def test_questions_are_counted_again_when_redis_has_forgotten(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY")
    check = {"key": {"citizen_id": scene.people[0].citizen_id}, "attributes": {"name": "某人"}}
    assert ask(scene, grant).status == 200
    assert scene.partner.call(grant, "verify", {"checks": [check, check]}).status == 200
    forget_counters()
    body = {"key": check["key"], "attributes": {"name": "某人"}}
    reply = scene.partner.call(grant, "verify", body, at=time.time() + 1)
    assert reply.code == "quota.subject_exceeded"


def test_counters_of_subjects_end_with_the_day(scene: Scene) -> None:
    assert ask(scene, scene.grant(mode="VERIFY")).status == 200
    client = admission.client()
    names = list(client.scan_iter(admission.key_of("subject", "*")))
    assert names
    assert all(0 < client.ttl(name) <= 90_000 for name in names)
    assert scene.people[0].citizen_id not in str([client.hgetall(name) for name in names])


@pytest.mark.usefixtures("few")
def test_guesses_at_the_same_time_do_not_get_past_the_limit(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", quota_per_second=1000)
    statuses: list[int] = []

    def guess() -> None:
        statuses.append(ask(scene, grant).status)
        connections.close()
        admission.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * LIMIT + [429] * (12 - LIMIT)
