"""Thematic databases in the portal: written with a preview, refused at its place, approved by another, read under masks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from basedb.models import ThematicDataset
from tests.basedb.thematic.rows import approved, household, refresh
from tests.basedb.thematic.test_thematic import NAME
from tests.factories import City


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name])
    return client


@pytest.fixture
def poverty(city: City) -> ThematicDataset:
    household(city, 1, ("MEDICAL_SPENDING", "4"))
    household(city, 2, ("MEDICAL_SPENDING", "4"), ("DISABILITY", "11"), region="320104")
    made = approved(city, "poverty_relapse")
    refresh(made)
    refresh(made)
    return made


def test_a_definition_shows_its_sources_columns_and_charts(city: City, poverty: ThematicDataset) -> None:
    page = signed_in(city, "police_operator").get(f"/thematic/{poverty.uid}/").content.decode()
    shown = ("防返贫监测预警专题库", "按同户成员", "风险分", 'data-chart="regions"', 'data-chart="history"', "玄武区", "每天 04:20")
    for text in shown:
        assert text in page, text
    assert "查阅记录" not in page
    assert "防返贫监测预警专题库" in signed_in(city, "auditor").get("/thematic/").content.decode()


def test_rows_are_read_under_masks_with_filters(city: City, poverty: ThematicDataset) -> None:
    client = signed_in(city, "education_operator")
    page = client.get(f"/thematic/{poverty.uid}/rows/").content.decode()
    assert "本次查阅已留痕" in page
    assert "990101********" in page
    assert "橙色" in page
    assert "玄武区（320102）" in page
    some = client.get(f"/thematic/{poverty.uid}/rows/", {"region": "320104", "level": "红色"}).content.decode()
    assert some.count("990101********") == 1
    assert signed_in(city, "police_operator").get(f"/thematic/{poverty.uid}/rows/").status_code == 403
    assert client.get(f"/thematic/{poverty.uid}/rows/", {"region": "x"}).status_code == 422


def written(**values: Any) -> dict[str, Any]:
    spec = {"columns": [NAME]}
    return {
        "submission": "a" * 32, "code": "people", "title": "人员主题库", "kind": "THEME", "subject": "PERSON", "purpose": "测试",
        "legal_basis": "测试", "every_minutes": "60", "daily_at": "", "spec": json.dumps(spec), "action": "save",
    } | values  # fmt: skip


def test_a_definition_is_counted_refused_at_its_place_saved_and_approved(city: City, poverty: ThematicDataset) -> None:
    client = signed_in(city, "education_operator")
    counted = client.post("/thematic/new/", written(action="preview")).content.decode()
    assert "不足 20 行" in counted
    refused = client.post("/thematic/new/", written(spec='{"columns": [{"name": "a", "title": "a", "field": "b; --"}]}'))
    assert refused.status_code == 422
    assert "columns[0].field：没有字段" in refused.content.decode()
    broken = client.post("/thematic/new/", written(spec='{"columns": ['))
    assert "第 1 行第" in broken.content.decode()
    saved = client.post("/thematic/new/", written(), follow=True)
    assert "等待数据中心的其他审核员审核" in saved.content.decode()
    made = ThematicDataset.objects.get(code="people")
    reviewer = signed_in(city, "reviewer")
    read = reviewer.get(f"/thematic/{made.uid}/").content.decode()
    for text in ("同意生效", "完整定义", f'value="{made.created_at.isoformat()}"', "&quot;field&quot;: &quot;name&quot;"):
        assert text in read, text
    unread = reviewer.post(
        f"/thematic/{made.uid}/approve/", {"revision": "2020-01-01T00:00:00+08:00"}, follow=True
    ).content.decode()
    assert "改写了这份定义" in unread
    assert "修订号缺失" in reviewer.post(f"/thematic/{made.uid}/approve/", follow=True).content.decode()
    as_read = {"revision": made.created_at.isoformat()}
    approved_page = reviewer.post(f"/thematic/{made.uid}/approve/", as_read, follow=True).content.decode()
    assert "已生效，后台即将开始首次更新" in approved_page
    assert "已提交" in client.post(f"/thematic/{made.uid}/refresh/", follow=True).content.decode()
    assert "正在更新" in client.post(f"/thematic/{made.uid}/refresh/", follow=True).content.decode()
    assert "已停用" in client.post(f"/thematic/{made.uid}/retire/", follow=True).content.decode()


def test_the_form_offers_what_comes_with_the_platform(city: City) -> None:
    page = signed_in(city, "education_operator").get("/thematic/new/", {"shipped": "environment_supervision"}).content.decode()
    assert "企业环境监管专题库" in page
    assert "days_until" in page


def test_systems_read_rows_of_their_department(city: City, poverty: ThematicDataset) -> None:
    client = signed_in(city, "education_operator")
    listed = client.get("/openapi/v1/thematic/databases").json()
    assert [one["code"] for one in listed["items"]] == ["poverty_relapse"]
    told = client.get(f"/openapi/v1/thematic/databases/{poverty.uid}/rows", {"limit": 1, "level": "橙色"}).json()
    assert told["items"][0]["values"]["name"] == "张*"
    assert told["next"] is None


@pytest.mark.parametrize(
    "odd", ['{"columns": [{"name": "a", "title": "\\u0000", "field": "sex"}]}', '{"\\ud800": 1}', "9" * 5000, '{"columns": NaN}']
)
def test_a_definition_that_cannot_be_kept_is_refused(city: City, odd: str) -> None:
    assert signed_in(city, "education_operator").post("/thematic/new/", written(spec=odd)).status_code == 422
