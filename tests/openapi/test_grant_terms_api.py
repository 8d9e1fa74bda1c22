"""What a grant holds, over REST: versions of a day, narrowing, ending with notice, addresses; limits asked for in a request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from exchange.granting.grants import issue_grant
from exchange.granting.terminations import earliest_end
from exchange.models import AccessRequest, Grant
from tests import factories
from tests.factories import City
from tests.openapi.test_access_requests_api import JSON, ROOT, as_, body_of

LIMITS: dict[str, Any] = {
    "row_filter": [{"kind": "own_clients"}, {"kind": "list", "item": "sex", "values": ["1", "2"]}],
    "control_parameters": {"division": ["990101"]},
    "matters": ["A-1", "B-2"],
    "ip_list": ["192.0.2.0/24"],
    "quota_per_second": 20,
}


@pytest.fixture
def grant(city: City, now: datetime) -> Grant:
    system = factories.make_system(city.education)
    user = city.people["education_operator"]
    request = factories.make_request(factories.make_resource(city.police), system, user, **LIMITS)
    return issue_grant(access_request=request, actor=city.actor("reviewer"), now=now)


def test_a_request_asks_for_limits_and_its_grant_holds_them(city: City, client: Client, now: datetime) -> None:
    resource, system = factories.make_resource(city.police, base_database="POPULATION"), factories.make_system(city.education)
    asked = as_(client, city, "education_operator")
    headers = {"Idempotency-Key": uuid4().hex}
    reply = asked.post(f"{ROOT}/access-requests", body_of(resource, system, now, **LIMITS), JSON, headers=headers)
    assert reply.status_code == 201, reply.content.decode()
    assert {name: reply.json()[name] for name in LIMITS} == LIMITS
    made = issue_grant(access_request=AccessRequest.objects.get(), actor=city.actor("reviewer"), now=now)
    assert {name: getattr(made, name) for name in LIMITS} == LIMITS
    wrong = body_of(resource, system, now, row_filter=[{"kind": "list", "item": "nothing", "values": ["1"]}])
    reply = asked.post(f"{ROOT}/access-requests", wrong, JSON, headers={"Idempotency-Key": uuid4().hex})
    assert (reply.status_code, set(reply.json()["details"])) == (422, {"row_filter"})


def test_narrowing_names_only_what_changes_and_versions_tell_of_it(city: City, client: Client, grant: Grant, now: datetime) -> None:
    head = as_(client, city, "police_head")
    wider = head.post(f"{ROOT}/grants/{grant.uid}/narrow", {"reason": "调整", "matters": [], "quota_per_day": 2000}, JSON)
    assert (wider.status_code, set(wider.json()["details"])) == (422, {"matters", "quota_per_day"})
    done = head.post(
        f"{ROOT}/grants/{grant.uid}/narrow", {"reason": "最小必要", "matters": ["A-1"], "masks": {"sex": "HIDDEN"}}, JSON
    )
    assert (done.status_code, done.json()["matters"], done.json()["masks"]) == (200, ["A-1"], {"name": "NAME", "sex": "HIDDEN"})
    assert done.json()["row_filter"] == LIMITS["row_filter"]
    versions = head.get(f"{ROOT}/grants/{grant.uid}/versions").json()
    assert [(v["number"], v["event"], v["terms"]["matters"]) for v in versions] == [
        (2, "NARROWED", ["A-1"]),
        (1, "ISSUED", ["A-1", "B-2"]),
    ]
    today = head.get(f"{ROOT}/grants/{grant.uid}/versions", {"as_of": now.date().isoformat()}).json()
    assert [version["number"] for version in today] == [2, 1]
    earlier = head.get(f"{ROOT}/grants/{grant.uid}/versions", {"as_of": (now.date() - timedelta(days=2)).isoformat()})
    assert earlier.json() == []
    assert head.get(f"{ROOT}/grants/{grant.uid}/versions", {"on": "2026-01-01"}).status_code == 422


def test_ending_and_addresses_have_their_own_seats(city: City, client: Client, grant: Grant, now: datetime) -> None:
    end = {"reason": "系统下线", "negotiated_on": now.date().isoformat(), "ends_on": earliest_end(now).isoformat()}
    addresses = {"ip_list": ["192.0.2.7"]}
    consumer = as_(client, city, "education_operator")
    assert consumer.post(f"{ROOT}/grants/{grant.uid}/terminate", end, JSON).status_code == 403
    assert consumer.post(f"{ROOT}/grants/{grant.uid}/addresses", addresses, JSON).json()["ip_list"] == ["192.0.2.7/32"]
    head = as_(Client(), city, "police_head")
    assert head.post(f"{ROOT}/grants/{grant.uid}/addresses", addresses, JSON).status_code == 403
    assert head.post(f"{ROOT}/grants/{grant.uid}/terminate", end, JSON).json()["ends_on"] == end["ends_on"]
    stranger = as_(Client(), city, "market_head")
    assert stranger.get(f"{ROOT}/grants/{grant.uid}/versions").status_code == 404


def test_misuse_suspends_with_its_deadline(city: City, client: Client, grant: Grant, now: datetime) -> None:
    head = as_(client, city, "police_head")
    body: dict[str, Any] = {"reason": "夜间批量查询", "ground": "MISUSE"}
    assert head.post(f"{ROOT}/grants/{grant.uid}/suspend", body, JSON).status_code == 422
    done = head.post(f"{ROOT}/grants/{grant.uid}/suspend", body | {"put_right_by": now.date().isoformat()}, JSON).json()
    assert (done["state"], done["suspension_ground"], done["put_right_by"]) == ("SUSPENDED", "MISUSE", now.date().isoformat())
