"""Pages of usage records: written once, corrected by another, inspected; and who has the ball."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from core.ids import uuid7
from exchange.models import Alert, Grant, UsageInspection, UsageRecord
from tests import factories
from tests.exchange.call_rows import counted
from tests.factories import City


@pytest.fixture
def grant(city: City) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"]
    )


def usage(**values: Any) -> dict[str, str]:
    today = date.today().isoformat()
    texts = {"scenario": "入学报名", "process": "逐件比对", "results": "免交材料 120 件", "storage": "未留存"}
    return {"submission": uuid7().hex, "first_day": today, "last_day": today, "destruction": "未留存"} | texts | values


def test_a_usage_record_is_written_once_corrected_and_inspected(city: City, grant: Grant, client: Client) -> None:
    page = f"/grants/{grant.uid}/usage/"
    client.force_login(city.people["education_operator"])
    assert "登记使用记录" in client.get(page).content.decode()
    form = usage()
    assert client.post(f"{page}record/", form).status_code == 302
    assert client.post(f"{page}record/", form).status_code == 302
    first = UsageRecord.objects.get()
    wrong = client.post(f"/usage/{first.uid}/correct/", usage(results="免交材料 12 件"))
    assert wrong.status_code == 422
    done = client.post(f"/usage/{first.uid}/correct/", usage(results="免交材料 12 件", correction_reason="件数误填"))
    assert done["Location"] == page
    shown = client.get(page).content.decode()
    assert "免交材料 120 件" in shown
    assert "件数误填" in shown

    client.force_login(city.people["police_operator"])
    assert client.get(f"{page}record/").status_code == 403
    findings = {"submission": uuid7().hex, "findings": "留存情况属实", "put_right_by": ""}
    assert client.post(f"{page}inspect/", findings).status_code == 302
    assert UsageInspection.objects.get().findings == "留存情况属实"
    client.force_login(city.people["market_operator"])
    assert client.get(page).status_code == 404


def test_alert_shows_habit_beside_today_and_is_dismissed_with_a_reason(
    city: City, grant: Grant, client: Client, now: datetime
) -> None:
    counted(grant, now, grain="DAY", calls=77)
    alert = Alert.objects.create(
        kind="UNUSUAL_VOLUME", grant=grant, system=grant.system, department=city.education, opened_at=now, last_seen_at=now,
        measure=77, threshold=10, evidence={"calls": 77, "usual_calls": 2},
    )  # fmt: skip
    client.force_login(city.people["police_head"])
    page = client.get(f"/alerts/{alert.uid}/").content.decode()
    assert "这项授权平时与今天的用量" in page
    assert "<td>77</td>" in page
    path = f"/alerts/{alert.uid}/handle/"
    assert client.post(path, {"action": "dismiss", "reason": ""}).status_code == 422
    assert client.post(path, {"action": "acknowledge"}).status_code == 302
    assert "police_head正在核查" in client.get(f"/alerts/{alert.uid}/").content.decode()
    assert client.post(path, {"action": "dismiss", "reason": "招生季首日"}).status_code == 302
    alert.refresh_from_db()
    assert (alert.state, alert.reason) == ("DISMISSED", "招生季首日")
