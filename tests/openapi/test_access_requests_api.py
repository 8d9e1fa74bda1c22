"""Requests, grants, systems and call records over REST."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from catalog.models import Resource
from exchange.models import AccessRequest, ConsumerSystem, Grant
from tests import factories
from tests.factories import City

ROOT = "/openapi/v1"
JSON = "application/json"


@pytest.fixture
def resource(city: City) -> Resource:
    return factories.make_resource(city.police, base_database="POPULATION")


@pytest.fixture
def system(city: City) -> ConsumerSystem:
    return factories.make_system(city.education)


def as_(client: Client, city: City, name: str) -> Client:
    client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def body_of(resource: Resource, system: ConsumerSystem, now: datetime, /, **change: Any) -> dict[str, Any]:
    return {
        "resource": str(resource.uid),
        "system": str(system.uid),
        "mode": "QUERY",
        "fields": ["name", "sex"],
        "purpose": "入学资格核验",
        "legal_basis": "《义务教育法》第九条",
        "scenario": "小学入学报名",
        "term_from": now.date().isoformat(),
        "term_to": (now.date() + timedelta(days=30)).isoformat(),
    } | change


def post(client: Client, path: str, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(ROOT + path, body, content_type=JSON, headers=headers)


def test_a_request_goes_from_draft_to_grant(
    client: Client, city: City, resource: Resource, system: ConsumerSystem, now: datetime
) -> None:
    as_(client, city, "education_operator")
    made = post(client, "/access-requests", body_of(resource, system, now), "k1")
    assert made.status_code == 201
    uid = made.json()["uid"]
    assert made.json()["fields"] == ["name", "sex"]
    assert [s["command"] for s in made.json()["steps"]] == ["SUBMIT"]
    assert post(as_(client, city, "education_head"), f"/access-requests/{uid}/endorse", {}).json()["desk"] == "DATA_CENTRE"
    stale = post(as_(client, city, "reviewer"), f"/access-requests/{uid}/approve", {"revision": 1})
    assert (stale.status_code, stale.json()["code"], stale.json()["details"]["last_command"]) == (409, "revision.stale", "ENDORSE")
    done = post(client, f"/access-requests/{uid}/approve", {}).json()
    grant = Grant.objects.get()
    assert (done["state"], done["grant"]) == ("APPROVED", str(grant.uid))
    listed = as_(client, city, "education_head").get(f"{ROOT}/grants").json()
    assert listed["items"][0]["fields"] == ["name", "sex"]
    assert listed["next"] is None
    again = post(as_(client, city, "reviewer"), f"/access-requests/{uid}/approve", {})
    assert (again.status_code, again.json()["code"]) == (409, "access_request.wrong_state")


def test_a_key_is_used_once(client: Client, city: City, resource: Resource, system: ConsumerSystem, now: datetime) -> None:
    as_(client, city, "education_operator")
    body = body_of(resource, system, now)
    assert post(client, "/access-requests", body).status_code == 422
    first, second = post(client, "/access-requests", body, "k1"), post(client, "/access-requests", body, "k1")
    assert (first.status_code, second.status_code, first.json()["uid"]) == (201, 200, second.json()["uid"])
    assert post(client, "/access-requests", body | {"purpose": "别的"}, "k1").status_code == 409
    assert AccessRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fields": "name"}, "fields"),
        ({"fields": ["salary"]}, "fields"),
        ({"purpose": 5 * ["a"]}, "purpose"),
        ({"purpose": "字" * 201}, "purpose"),
        ({"purpose": "a\x00"}, "purpose"),
        ({"term_to": "tomorrow"}, "term_to"),
        ({"quota_per_day": True}, "quota_per_day"),
        ({"system": "1"}, "system"),
        ({"unknown": 1}, "unknown"),
        ({"purpose": 5}, "purpose"),
        ({"fields": [1]}, "fields"),
        ({"submit": "false"}, "submit"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_bodies_are_refused_by_field(
    *, client: Client, city: City, resource: Resource, system: ConsumerSystem, now: datetime, change: dict[str, Any], field: str
) -> None:
    answer = post(as_(client, city, "education_operator"), "/access-requests", body_of(resource, system, now, **change), "k1")
    assert (answer.status_code, field in answer.json()["details"]) == (422, True)
    assert not AccessRequest.objects.exists()


def test_others_do_not_find_and_the_wrong_desk_is_refused(
    client: Client, city: City, resource: Resource, system: ConsumerSystem, now: datetime
) -> None:
    made = factories.make_request(resource, system, city.people["education_operator"], state="SUBMITTED", desk="REQUESTER_HEAD")
    path = f"/access-requests/{made.uid}"
    assert as_(client, city, "market_head").get(ROOT + path).status_code == 404
    assert post(client, path + "/endorse", {}).status_code == 404
    assert post(as_(client, city, "education_operator"), path + "/endorse", {}).status_code == 403
    assert post(client, path + "/edit", {}).status_code == 404
    assert post(as_(client, city, "education_head"), path + "/refuse", {}).json()["code"] == "access_request.reason"
    client.logout()
    assert client.get(ROOT + path).status_code == 401


def test_a_grant_is_revoked_by_those_who_keep_it(client: Client, city: City, resource: Resource, system: ConsumerSystem) -> None:
    grant = factories.make_grant(resource, system, city.people["education_operator"])
    path = f"/grants/{grant.uid}/revoke"
    assert post(as_(client, city, "education_head"), path, {"reason": "核查"}).status_code == 403
    assert post(as_(client, city, "market_head"), path, {"reason": "核查"}).status_code == 404
    assert post(as_(client, city, "police_head"), path, {}).status_code == 422
    assert post(client, path, {"reason": "核查"}).json()["state"] == "REVOKED"
    assert client.get(f"{ROOT}/grants/{grant.uid}").json()["version"] == 2


def test_systems_are_read_without_secrets(client: Client, city: City, system: ConsumerSystem, now: datetime) -> None:
    from exchange.systems import issue_credential

    issued = issue_credential(system_uid=system.uid, algorithm="HMAC-SM3", actor=city.actor("education_operator"), now=now)
    answer = as_(client, city, "education_head").get(f"{ROOT}/systems")
    assert answer.json()["items"][0]["credentials"][0]["key"] == issued.credential.key
    assert issued.secret not in answer.content.decode()
    assert as_(client, city, "police_head").get(f"{ROOT}/systems").json()["items"] == []


def test_call_records_are_read_by_filter(
    client: Client, city: City, resource: Resource, system: ConsumerSystem, now: datetime
) -> None:
    from tests.portal.test_requests import make_call

    grant = factories.make_grant(resource, system, city.people["education_operator"])
    call = make_call(grant, now, request_digest=b"\x01" * 32)
    found = as_(client, city, "police_head").get(f"{ROOT}/call-records", {"grant": str(grant.uid)}).json()["items"]
    assert [(item["call_id"], item["system"], item["request_digest"]) for item in found] == [
        (str(call.call_id), system.name, "01" * 32)
    ]
    assert client.get(f"{ROOT}/call-records", {"grant": str(uuid4())}).json()["items"] == []
    assert as_(client, city, "market_head").get(f"{ROOT}/call-records").json()["items"] == []
    assert client.get(f"{ROOT}/call-records", {"surprise": "1"}).status_code == 422
    span = client.get(f"{ROOT}/call-records", {"day_from": "2020-01-01"})
    assert span.status_code == 422
    assert span.json()["details"] == {"day_from": ["起始日期不得晚于截止日期，且相距不超过 400 天。"]}


def test_call_records_come_in_pages_of_the_size_asked_for(
    client: Client, city: City, resource: Resource, system: ConsumerSystem, now: datetime
) -> None:
    from tests.portal.test_requests import make_call

    grant = factories.make_grant(resource, system, city.people["education_operator"])
    for _each in range(3):
        make_call(grant, now)
    as_(client, city, "police_head")
    first = client.get(f"{ROOT}/call-records", {"limit": "2"}).json()
    second = client.get(f"{ROOT}/call-records", {"limit": "2", "after": first["next"]}).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)
