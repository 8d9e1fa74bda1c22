"""What follows a grant, over REST: the same rules, the same eyes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from exchange.models import Alert, Grant, UsageRecord
from tests import factories
from tests.factories import City

JSON = "application/json"


@pytest.fixture
def grant(city: City) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"]
    )


def test_a_usage_record_sent_twice_is_one(city: City, grant: Grant, client: Client) -> None:
    client.force_login(city.people["education_operator"])
    today = date.today().isoformat()
    body: dict[str, Any] = {"first_day": today, "last_day": today, "scenario": "入学报名", "process": "逐件比对"}
    body |= {"results": "免交材料", "storage": "未留存", "destruction": "未留存"}
    path, headers = f"/openapi/v1/grants/{grant.uid}/usage-records", {"Idempotency-Key": "usage-1"}
    first = client.post(path, body, JSON, headers=headers)
    again = client.post(path, body, JSON, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert UsageRecord.objects.count() == 1
    assert client.post(path, body | {"more": 1}, JSON).status_code == 422
    client.force_login(city.people["police_operator"])
    assert [line["uid"] for line in client.get("/openapi/v1/usage-records").json()["items"]] == [first.json()["uid"]]
    assert client.post(path, body, JSON).status_code == 403


def test_an_alert_is_handled_and_is_not_the_consumers_to_see(city: City, grant: Grant, client: Client, now: datetime) -> None:
    alert = Alert.objects.create(
        kind="ENUMERATION", grant=grant, system=grant.system, department=city.education, opened_at=now, last_seen_at=now,
        measure=300, threshold=100, evidence={"asked": 300, "missed": 300},
    )  # fmt: skip
    client.force_login(city.people["education_head"])
    assert client.get("/openapi/v1/alerts").json()["items"] == []
    assert client.post(f"/openapi/v1/alerts/{alert.uid}/suspend", {}, JSON).status_code == 404
    client.force_login(city.people["reviewer"])
    assert client.get("/openapi/v1/alerts").json()["items"][0]["evidence"] == {"asked": 300, "missed": 300}
    assert client.post(f"/openapi/v1/alerts/{alert.uid}/forget", {}, JSON).status_code == 404
    assert client.post(f"/openapi/v1/alerts/{alert.uid}/suspend", {}, JSON).json()["alert_state"] == "ACTED"
    grant.refresh_from_db()
    assert grant.state == "SUSPENDED"


def test_the_checklist_names_article_department_and_place(city: City, client: Client) -> None:
    factories.make_resource(city.market, share_attribute="UNCONDITIONAL", share_conditions="须书面来函", grade="L2")
    client.force_login(city.people["auditor"])
    (line,) = client.get("/openapi/v1/liabilities").json()
    assert (line["ground"], line["article"], line["department"], line["count"]) == (
        "SELF_ADDED_CONDITIONS", 39, "市市场监督管理局", 1,
    )  # fmt: skip
    client.force_login(city.people["police_head"])
    assert client.get("/openapi/v1/liabilities").json() == []
