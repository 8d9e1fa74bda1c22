"""Lineage in the portal and over REST: starts, the graph beside its list, impact as a file, a broken column on its plan's page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from exchange.lineage.deriving import column_key
from exchange.lineage.refreshing import refresh
from exchange.lineage.walking import Edge
from exchange.models import AggregationPlan, ColumnBreak, Grant, LineageNode
from portal.lineage.presenting import said_of
from tests.exchange.aggregation_sources import csv_plan
from tests.factories import City, make_grant, make_resource, make_system


@pytest.fixture
def plan(city: City, now: datetime) -> AggregationPlan:
    return csv_plan(city.police, now)


@pytest.fixture
def grant(city: City, now: datetime, plan: AggregationPlan) -> Grant:
    made = make_grant(
        make_resource(city.police, title="=人口基本信息"), make_system(city.education), city.people["education_operator"]
    )
    refresh(now=now)
    return made


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name])
    return client


def test_starts_are_found_by_name_and_kind(city: City, plan: AggregationPlan, grant: Grant) -> None:
    page = signed_in(city, "police_operator").get("/lineage/", {"kind": "SOURCE", "q": "人口文件"}).content.decode()
    assert f"?node=source%3Aplan%3A{plan.uid}" in page or f"?node=source:plan:{plan.uid}" in page
    other = signed_in(city, "market_operator").get("/lineage/", {"kind": "SOURCE"}).content.decode()
    assert str(plan.uid) not in other
    assert "没有符合条件的起点" in other


def test_a_lineage_is_a_graph_and_the_same_as_a_list(city: City, plan: AggregationPlan, grant: Grant) -> None:
    reply = signed_in(city, "police_head").get("/lineage/", {"node": f"source:plan:{plan.uid}"})
    page = reply.content.decode()
    assert reply.status_code == 200
    (option,) = re.findall(r'<script id="lineage-graph" type="application/json">(.*?)</script>', page, re.DOTALL)
    series = json.loads(option)["series"][0]
    names = [node["name"] for node in series["data"]]
    assert len(names) == len(set(names))
    assert {link["source"] for link in series["links"]} | {link["target"] for link in series["links"]} == set(names)
    for text in ("GMSFHM", "人口基本信息 · 姓名", grant.system.name, "脱敏：只留姓名首字", "市教育局", f"/grants/{grant.uid}/"):
        assert text in page, text
    assert "source_away" not in page


@pytest.mark.parametrize("name", ["reviewer", "auditor", "education_operator"])
def test_a_grant_is_traced_back_as_far_as_the_reader_may_see(city: City, plan: AggregationPlan, grant: Grant, name: str) -> None:
    reply = signed_in(city, name).get("/lineage/", {"node": f"grant:{grant.uid}", "direction": "UPSTREAM", "depth": 8})
    page = reply.content.decode()
    assert reply.status_code == 200
    assert ("XM" in page) == (name != "education_operator")
    assert ("/aggregation/plans/" in page) == (name == "reviewer")


def test_wrong_filters_are_said_and_unseen_starts_do_not_exist(city: City, plan: AggregationPlan, grant: Grant) -> None:
    client = signed_in(city, "market_operator")
    assert client.get("/lineage/", {"node": f"grant:{grant.uid}"}).status_code == 404
    assert client.get("/lineage/", {"node": f"grant:{grant.uid}", "depth": 99}).status_code == 422
    assert client.get("/lineage/", {"node": ""}).status_code == 422
    assert client.get("/lineage/impact/", {"node": f"grant:{grant.uid}"}).status_code == 404


def test_a_day_before_anything_was_known_has_no_lineage(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    day = (now - timedelta(days=9)).date()
    page = signed_in(city, "reviewer").get("/lineage/", {"node": column_key(plan, "XM"), "day": day.isoformat()})
    assert "这个起点没有上下游关系" in page.content.decode()


def test_impact_leaves_as_a_file_no_spreadsheet_runs(city: City, plan: AggregationPlan, grant: Grant) -> None:
    reply = signed_in(city, "police_operator").get("/lineage/impact/", {"node": column_key(plan, "XM")})
    text = b"".join(reply.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.splitlines()[0] == "\ufeff使用方,使用方系统,资源,方式,受影响的信息项,编号"
    assert f"市教育局,{grant.system.name},'=人口基本信息,检索查询,姓名,{grant.uid}" in text


def test_plan_resource_and_grant_lead_to_their_lineage(city: City, plan: AggregationPlan, grant: Grant) -> None:
    client = signed_in(city, "police_operator")
    for address in (f"/aggregation/plans/{plan.uid}/", f"/catalog/{grant.resource.uid}/", f"/grants/{grant.uid}/"):
        found = re.findall(r'href="(/lineage/\?node=[^"]+)"', client.get(address).content.decode())
        assert found, address
        assert client.get(found[0]).status_code == 200
    assert "/lineage/" not in signed_in(city, "system_admin").get(f"/catalog/{grant.resource.uid}/").content.decode()


def test_a_broken_column_names_its_consumers_on_the_page_of_its_plan(
    city: City, now: datetime, plan: AggregationPlan, grant: Grant
) -> None:
    ColumnBreak.objects.create(plan=plan, column="XM", is_missing=True, found_at=now)
    page = signed_in(city, "police_operator").get(f"/aggregation/plans/{plan.uid}/").content.decode()
    for text in ("数源字段异常，归集已停止", "缺失", "市教育局", grant.system.name):
        assert text in page, text
    new = csv_plan(city.police, now, title="新任务")
    ColumnBreak.objects.create(plan=new, column="XM", is_missing=False, found_at=now)
    page = signed_in(city, "police_operator").get(f"/aggregation/plans/{new.uid}/").content.decode()
    assert "血缘关系尚未更新" in page


def test_rest_tells_the_same(city: City, plan: AggregationPlan, grant: Grant) -> None:
    client, start = signed_in(city, "police_operator"), column_key(plan, "XM")
    nodes = client.get("/openapi/v1/lineage/nodes", {"kind": "COLUMN", "limit": 3}).json()
    assert len(nodes["items"]) == 3
    assert nodes["next"]
    found = client.get("/openapi/v1/lineage", {"node": start, "direction": "DOWNSTREAM"}).json()
    assert f"grant:{grant.uid}" in {node["key"] for node in found["nodes"]}
    assert found["edges"][0]["last_seen"] is None
    affected = client.get("/openapi/v1/lineage/impact", {"node": start}).json()
    assert affected["counts"]["grants"] == 1
    assert affected["affected"][0]["consumer"] == "市教育局"
    assert client.get("/openapi/v1/lineage", {"node": start, "depth": 0}).status_code == 422
    assert signed_in(city, "market_operator").get("/openapi/v1/lineage", {"node": start}).status_code == 404


def test_the_last_day_of_the_calendar_is_a_day_like_any_other(city: City, plan: AggregationPlan, grant: Grant) -> None:
    client, asked = signed_in(city, "reviewer"), {"node": column_key(plan, "XM"), "day": "9999-12-31"}
    for address in ("/lineage/", "/lineage/impact/", "/openapi/v1/lineage", "/openapi/v1/lineage/impact"):
        assert client.get(address, asked).status_code == 200, address


def test_what_ended_is_told_with_the_day_it_was_in_shanghai() -> None:
    ended = datetime(2026, 1, 1, 20, tzinfo=UTC)
    assert "2026-01-02" in said_of(LineageNode(kind="ITEM"), Edge("one", "other", {}, ended, ended))
