"""A key that arrives as an HMAC-SM3: only for grants over registered clients, and telling nothing an identifier would not tell."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from basedb.identifiers import generate_citizen_id
from core.errors import Conflict, Forbidden
from core.models import AuditEntry
from exchange.granting.grant_clients import load_clients
from exchange.models import Grant, GrantSubject, GrantTokenKey
from exchange.subject_tokens import issue_token_key
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene

CLIENTS: list[dict[str, Any]] = [{"kind": "own_clients"}]
STRANGER = generate_citizen_id("990101", date(1991, 2, 3), 11)


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """A system of its own for every test: what a system has asked today is never forgotten."""
    return replace(scene, partner=partners.make_partner(scene.city.education))


def given(scene: Scene, grant: Grant, who: str = "education_operator") -> dict[str, Any]:
    return {"grant_uid": grant.uid, "actor": scene.city.actor(who), "now": timezone.now()}


def tokened(scene: Scene, *ids: str, **values: Any) -> tuple[Grant, str]:
    """Return a grant with these clients registered under a token key, and the key."""
    grant = scene.grant(**{"mode": "VERIFY", "row_filter": CLIENTS} | values)
    key = issue_token_key(**given(scene, grant))
    load_clients(lines=[*ids], **given(scene, grant))
    return grant, key


def token(key: str, citizen_id: str) -> dict[str, str]:
    """Compute a token as a consumer does, with nothing of the platform's."""
    return {"subject_token": hmac.digest(key.encode(), citizen_id.encode(), "sm3").hex()}


def verify(scene: Scene, grant: Grant, key: dict[str, str]) -> partners.Reply:
    return scene.partner.call(grant, "verify", {"key": key, "attributes": {"name": "张三丰"}})


def test_a_token_is_answered_and_recorded_as_the_identifier_is(scene: Scene) -> None:
    first, second = (person.citizen_id for person in scene.people)
    grant, key = tokened(scene, first, second)
    by_id, by_token = verify(scene, grant, {"citizen_id": first}), verify(scene, grant, token(key, first))
    assert by_id.json["result"] == by_token.json["result"] == {"name": "yes"}
    subjects = [bytes(record.subject_key or b"") for record in records_of(grant)]
    assert subjects[0] == subjects[1] == bytes(scene.people[0].subject_key)
    keys = [token(key, second), {"citizen_id": first}, token(key, STRANGER), {"subject_token": "x"}, token(key, first)]
    checks = [{"key": each, "attributes": {"name": "张三丰"}} for each in keys]
    results = scene.partner.call(grant, "verify", {"checks": checks}).json["results"]
    assert [each.get("result", {}).get("name") for each in results] == ["no", "yes", "not_available", None, "yes"]
    assert results[3] == {"status": "invalid", "details": {"key.subject_token": "must_be_64_hex_digits"}}


def test_a_token_of_nobody_looks_like_an_identifier_of_nobody(scene: Scene) -> None:
    grant, key = tokened(scene, scene.people[0].citizen_id)
    unregistered = scene.people[1].citizen_id
    replies = [
        verify(scene, grant, each) for each in ({"citizen_id": unregistered}, token(key, unregistered), token(key, STRANGER))
    ]
    assert {(reply.status, reply.json["result"]["name"]) for reply in replies} == {(200, "not_available")}
    assert {tuple(sorted(reply.json)) for reply in replies} == {tuple(sorted(replies[0].json))}
    assert outcomes_of(grant) == ["call.answered"] * 3
    assert all(len(bytes(record.subject_key or b"")) == 16 for record in records_of(grant))


def test_tokens_and_identifiers_count_for_the_same_limit(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CALL_QUESTIONS_PER_SUBJECT_PER_DAY", 2)
    citizen_id = scene.people[0].citizen_id
    grant, key = tokened(scene, citizen_id)
    assert verify(scene, grant, token(key, citizen_id)).status == 200
    assert verify(scene, grant, {"citizen_id": citizen_id}).status == 200
    check_refused(verify(scene, grant, token(key, citizen_id)), "quota.subject_exceeded")
    assert [verify(scene, grant, token(key, STRANGER)).status for _ in range(3)] == [200, 200, 429]


def test_a_token_is_good_under_its_own_grant_only(scene: Scene) -> None:
    citizen_id = scene.people[0].citizen_id
    _, key = tokened(scene, citizen_id)
    other, other_key = tokened(scene, citizen_id)
    assert verify(scene, other, token(key, citizen_id)).json["result"] == {"name": "not_available"}
    assert verify(scene, other, token(other_key, citizen_id)).json["result"] == {"name": "yes"}
    plain = scene.grant(mode="VERIFY")
    refused = verify(scene, plain, token(key, citizen_id))
    check_refused(refused, "call.invalid_parameter")
    assert refused.json["details"] == {"key": "must_be_an_object_with_citizen_id"}


def test_a_new_key_counts_from_the_next_list_on(scene: Scene) -> None:
    citizen_id = scene.people[0].citizen_id
    grant, old = tokened(scene, citizen_id)
    new = issue_token_key(**given(scene, grant))
    assert verify(scene, grant, token(old, citizen_id)).json["result"] == {"name": "yes"}
    assert verify(scene, grant, token(new, citizen_id)).json["result"] == {"name": "not_available"}
    load_clients(lines=[citizen_id], **given(scene, grant))
    assert verify(scene, grant, token(old, citizen_id)).json["result"] == {"name": "not_available"}
    assert verify(scene, grant, token(new, citizen_id)).json["result"] == {"name": "yes"}


def test_the_key_is_sealed_and_for_the_consumers_operator(scene: Scene) -> None:
    grant, key = tokened(scene, scene.people[0].citizen_id)
    row = GrantTokenKey.objects.get(grant=grant)
    assert key.encode() not in bytes(row.secret_ciphertext or b"")
    assert AuditEntry.objects.filter(action="grant.token_key_issued", object_uid=str(grant.uid)).count() == 1
    for who in ("education_head", "police_head", "reviewer"):
        with pytest.raises(Forbidden):
            issue_token_key(**given(scene, grant, who))
    useless: list[dict[str, Any]] = [{"row_filter": []}, {"mode": "BULK"}]
    for values in useless:
        with pytest.raises(Conflict):
            issue_token_key(**given(scene, scene.grant(**{"mode": "VERIFY", "row_filter": CLIENTS} | values)))


def test_a_grant_without_a_key_keeps_no_tokens(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", row_filter=CLIENTS)
    load_clients(lines=[scene.people[0].citizen_id], **given(scene, grant))
    assert [subject.token for subject in GrantSubject.objects.filter(grant=grant)] == [None]
    assert verify(scene, grant, {"subject_token": "0" * 64}).json["result"] == {"name": "not_available"}
