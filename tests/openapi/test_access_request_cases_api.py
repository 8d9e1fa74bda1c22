"""Returns, extensions and supervision over REST."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from exchange.models import AccessRequest, AccessRequestStep, ClockExtension
from tests import factories
from tests.factories import City
from tests.openapi.test_access_requests_api import JSON, ROOT, as_, body_of, post


@pytest.fixture
def checked(city: City, now: datetime) -> AccessRequest:
    made = factories.make_request(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        state="CHECKED", desk="PROVIDER_HEAD", route="PROVIDER_FIRST", due_at=now - timedelta(hours=1),
        answer_due_at=now + timedelta(days=3),
    )  # fmt: skip
    AccessRequestStep.objects.create(
        access_request=made, at=now, command="ENDORSE", from_state="SUBMITTED", to_state="ENDORSED",
        actor=city.people["education_head"], actor_name="x", actor_department="x", desk="REQUESTER_HEAD",
    )  # fmt: skip
    return made


def test_a_returned_request_is_completed_over_rest(client: Client, city: City, checked: AccessRequest, now: datetime) -> None:
    place = f"/access-requests/{checked.uid}"
    as_(client, city, "police_head")
    assert post(client, f"{place}/return", {}).json()["details"] == {"reason": ["退回补正须一次性列明全部所缺材料。"]}
    back = post(client, f"{place}/return", {"reason": "缺依据条款"}).json()
    assert (back["state"], back["returned_from"], back["answer_due_at"]) == ("RETURNED", "CHECKED", None)
    assert post(client, f"{place}/close", {}).status_code == 404
    as_(client, city, "education_operator")
    terms = body_of(checked.resource, checked.system, now, scope="招生科", term_to=checked.term_to.isoformat())
    terms |= {"term_from": checked.term_from.isoformat(), "revision": back["revision"], "submit": True}
    del terms["resource"]
    stale = client.put(ROOT + place, terms | {"revision": 1}, content_type=JSON)
    assert (stale.status_code, stale.json()["code"]) == (409, "revision.stale")
    done = client.put(ROOT + place, terms, content_type=JSON).json()
    assert (done["state"], done["returned_from"]) == ("CHECKED", "")
    assert done["returns"][0]["changes"] == {"legal_basis": ["《义务教育法》", "《义务教育法》第九条"], "scope": ["", "招生科"]}
    as_(client, city, "police_head")
    again = post(client, f"{place}/return", {"reason": "还缺"})
    assert (again.status_code, again.json()["code"]) == (409, "access_request.returned_once")


def test_an_extension_is_asked_for_once_a_key_and_decided_by_the_centre(client: Client, city: City, checked: AccessRequest) -> None:
    place = f"/access-requests/{checked.uid}/extensions"
    as_(client, city, "police_head")
    body = {"days": 3, "reason": "须征求省厅意见"}
    answers = [post(client, place, body, "k1") for _again in range(2)]
    assert [a.status_code for a in answers] == [201, 200]
    assert ClockExtension.objects.count() == 1
    assert post(client, place, body, "k2").status_code == 409
    decide = f"{place}/{answers[0].json()['uid']}"
    assert post(client, f"{decide}/consent", {}).status_code == 403
    assert post(as_(client, city, "market_head"), f"{decide}/consent", {}).status_code == 404
    done = post(as_(client, city, "reviewer"), f"{decide}/consent", {}).json()
    assert done["state"] == "CONSENTED"
    assert done["new_due_at"] > done["old_due_at"]
    listed = as_(client, city, "education_operator").get(ROOT + place).json()
    assert [line["state"] for line in listed] == ["CONSENTED"]


def test_a_notice_is_issued_listed_and_replied_to(client: Client, city: City, checked: AccessRequest) -> None:
    as_(client, city, "reviewer")
    made = post(client, f"/access-requests/{checked.uid}/supervision-notices", {"text": "请说明"}, "k1")
    assert made.status_code == 201
    listed = as_(client, city, "police_head").get(f"{ROOT}/supervision-notices").json()
    assert [line["uid"] for line in listed["items"]] == [made.json()["uid"]]
    reply = f"/supervision-notices/{made.json()['uid']}/reply"
    assert post(as_(client, city, "market_head"), reply, {"text": "x"}).status_code == 404
    assert post(as_(client, city, "education_head"), reply, {"text": "x"}).status_code == 403
    assert post(as_(client, city, "police_head"), reply, {"text": "明日办结"}).json()["reply"] == "明日办结"
