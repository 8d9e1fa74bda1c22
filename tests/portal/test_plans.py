"""Pages of laying plans down: four steps without scripts, upkeep, drift, a catalogue entry out of a table."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Resource
from core.models import AuditEntry
from exchange.aggregation import plans, rejects, schema_drift
from exchange.aggregation.connectors.terms import Column
from exchange.models import AggregationPlan, AggregationRun, PlanDraft, RejectedRow, SchemaChange
from tests.exchange.aggregation_sources import COLUMNS, SourceTable, csv_plan, csv_text, drop, person, table_plan
from tests.factories import City


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    return tmp_path / "drop" / "police"


@pytest.fixture
def source() -> Iterator[SourceTable]:
    table = SourceTable("rk_plan_test")
    yield table
    table.close()


@pytest.fixture
def operator(city: City, client: Client) -> Client:
    client.force_login(city.people["police_operator"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def start(client: Client, city: City, connector: str, dataset: str = "population.person") -> PlanDraft:
    given = {"title": "户籍人口归集", "department": city.police.uid, "connector": connector, "dataset": dataset}
    reply = client.post("/aggregation/new/", given | {"submission": uuid4().hex})
    assert reply.status_code == 302, reply.content.decode()
    return PlanDraft.objects.get()


def place(source: SourceTable, city: City) -> dict[str, Any]:
    plan = table_plan(city.market, timezone.now(), source.name, title="别处的任务")
    return {**plan.settings}


SCHEDULE = {
    "every_minutes": 60, "is_lead": "1", "delete_mode": "NONE", "lag_seconds": 300, "batch_size": 1000,
    "reject_limit_percent": 20, "delete_limit_percent": 10, "parts": 1,
}  # fmt: skip


def test_a_mapping_that_lacks_fields_is_told_in_their_titles_with_the_way_back(
    city: City, operator: Client, source: SourceTable
) -> None:
    source.put([person(1)], at=timezone.now())
    draft = start(operator, city, "POSTGRESQL")
    url = f"/aggregation/drafts/{draft.uid}/"
    operator.post(url, place(source, city) | {"password": urlsplit(os.environ["DEMO_SOURCE_URL"]).password or ""})
    operator.post(f"{url}mapping/", {"field_citizen_id": "GMSFHM", "key_column": "ID"})
    refused = operator.post(f"{url}schedule/", SCHEDULE | {"submission": uuid4().hex})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "字段对应缺少姓名(name)" in page
    assert "没有字段" not in page
    assert f'<a class="btn" href="{url}mapping/">' in page


def test_a_plan_is_laid_down_in_four_pages_and_its_password_is_never_shown(
    city: City, operator: Client, source: SourceTable
) -> None:
    password = urlsplit(os.environ["DEMO_SOURCE_URL"]).password or ""
    source.put([person(1)], at=timezone.now())
    draft = start(operator, city, "POSTGRESQL")
    url = f"/aggregation/drafts/{draft.uid}/"
    reply = operator.post(url, place(source, city) | {"password": password})
    assert reply.status_code == 302, reply.content.decode()
    assert password not in operator.get(url).content.decode()
    page = operator.get(f"{url}mapping/").content.decode()
    assert "可以连接、登录，找到 9 个字段" in page
    assert person(1)["GMSFHM"] not in page
    chosen = dict(re.findall(r'<select name="(field_\w+|key_column)".*?<option value="(\w+)" selected', page, re.DOTALL))
    assert chosen["field_citizen_id"] == "GMSFHM"
    assert chosen["field_name"] == "XM"
    assert chosen["key_column"] == "ID"
    mapped = {f"field_{field}": column for field, column in COLUMNS.items()} | {"key_column": "ID", "cursor_column": "GXSJ"}
    assert operator.post(f"{url}mapping/", mapped).status_code == 302
    last = operator.get(f"{url}schedule/").content.decode()
    assert all(f'<a href="{back}">' in last for back in (url, f"{url}mapping/")), "every step leads back to those before"
    reply = operator.post(f"{url}schedule/", SCHEDULE | {"submission": uuid4().hex})
    assert reply.status_code == 302, reply.content.decode()
    plan = AggregationPlan.objects.get(title="户籍人口归集")
    assert (plan.columns, plan.cursor_column, plan.every_minutes) == (COLUMNS, "GXSJ", 60)
    assert plan.secret_ciphertext
    draft.refresh_from_db()
    assert (draft.plan, draft.secret_ciphertext) == (plan, None)
    assert operator.get(url).status_code == 404
    checked = operator.post(f"/aggregation/plans/{plan.uid}/check/").content.decode()
    assert "通过" in checked
    assert "1 行" in checked
    assert "下次" in operator.get("/aggregation/").content.decode()


def test_wrong_connection_is_said_on_its_page_with_its_code(city: City, operator: Client, source: SourceTable) -> None:
    draft = start(operator, city, "POSTGRESQL")
    url = f"/aggregation/drafts/{draft.uid}/"
    given = place(source, city)
    refused = operator.post(url, given | {"host": "10.9.8.7"})
    assert refused.status_code == 422
    assert "外联白名单" in refused.content.decode()
    usual = {name: value for name, value in given.items() if name != "port"}
    assert operator.post(url, usual | {"host": "10.9.8.7"}).status_code == 422
    assert operator.post(url, usual).status_code == 302, "the usual port of that kind of database is asked"
    operator.post(url, given | {"password": "wrong"})
    page = operator.get(f"{url}mapping/").content.decode()
    assert "source.wrong_password" in page
    assert "用户名或口令不正确" in page


def test_missing_driver_is_a_sentence_not_a_crash(city: City, operator: Client, source: SourceTable) -> None:
    draft = start(operator, city, "ORACLE")
    operator.post(f"/aggregation/drafts/{draft.uid}/", place(source, city) | {"password": "x"})
    page = operator.get(f"/aggregation/drafts/{draft.uid}/mapping/").content.decode()
    assert "connector.driver_missing" in page


def test_others_see_no_draft(city: City, operator: Client, client: Client) -> None:
    draft = start(operator, city, "CSV_DROP")
    client.force_login(city.people["market_operator"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/aggregation/drafts/{draft.uid}/").status_code == 404


def test_a_plan_is_edited_switched_off_and_started_over(city: City, operator: Client, folder: Path) -> None:
    plan = csv_plan(city.police, timezone.now())
    url = f"/aggregation/plans/{plan.uid}/"
    limits = {"reject_limit_percent": 5, "reject_limit_count": 1_000}
    form = SCHEDULE | limits | {"title": "新名称", "folder": "police", "pattern": "*.csv", "revision": plan.revision}
    for name in ("is_lead", "delete_mode"):
        form.pop(name)
    assert operator.get(f"{url}edit/").status_code == 200
    reply = operator.post(f"{url}edit/", form)
    assert reply.status_code == 302, reply.content.decode()
    assert operator.post(f"{url}edit/", form).status_code == 409
    plan.refresh_from_db()
    assert (plan.title, plan.every_minutes) == ("新名称", 60)
    assert {name: getattr(plan, name) for name in limits} == limits
    assert "5% · 1,000 行" in operator.get(url).content.decode()
    operator.post(f"{url}switch/")
    AggregationPlan.objects.update(checkpoint={"cursor": "2026-01-01"})
    operator.post(f"{url}start-over/")
    plan.refresh_from_db()
    assert (plan.is_active, plan.next_run_at, plan.checkpoint) == (False, None, {})
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"aggregation_plan.edited", "aggregation_plan.disabled", "aggregation_plan.started_over"} <= actions


def test_a_kept_password_goes_to_no_other_place(city: City, operator: Client, source: SourceTable) -> None:
    plan = table_plan(city.police, timezone.now(), source.name)
    given = {**plan.settings, "title": plan.title, "user": "somebody_else", "revision": plan.revision} | SCHEDULE
    for name in ("is_lead", "delete_mode"):
        given.pop(name)
    url = f"/aggregation/plans/{plan.uid}/edit/"
    refused = operator.post(url, given)
    assert refused.status_code == 422
    assert "请重新填写口令" in refused.content.decode()
    assert operator.post(url, given | {"password": "typed again"}).status_code == 302


def test_a_new_column_is_taken_in_or_left_out_by_a_person(city: City, operator: Client, folder: Path) -> None:
    mapped = {name: column for name, column in COLUMNS.items() if name != "address"}
    plan = csv_plan(city.police, timezone.now(), columns=mapped)
    known = [Column(name) for name in mapped.values()]
    schema_drift.compare(plan, known, now=timezone.now())
    schema_drift.compare(plan, [*known, Column("HJDZ"), Column("BZ")], now=timezone.now())
    assert "数源出现新字段" in operator.get(f"/aggregation/plans/{plan.uid}/").content.decode()
    first, second = SchemaChange.objects.order_by("id")
    head = Client()
    head.force_login(city.people["police_head"], backend="django.contrib.auth.backends.ModelBackend")
    assert head.post(f"/aggregation/changes/{first.uid}/", {"field": "address"}).status_code == 403
    run = plans.queue_run(plan_uid=plan.uid, actor=city.actor("police_operator"), now=timezone.now())
    assert operator.post(f"/aggregation/changes/{first.uid}/", {"field": "address"}).status_code == 409
    AggregationRun.objects.filter(pk=run.pk).update(state="STOPPED")
    operator.post(f"/aggregation/changes/{first.uid}/", {"field": "address"})
    operator.post(f"/aggregation/changes/{second.uid}/", {"field": ""})
    plan.refresh_from_db()
    assert plan.columns["address"] == "HJDZ"
    assert list(SchemaChange.objects.order_by("id").values_list("state", flat=True)) == ["ACCEPTED", "IGNORED"]
    assert operator.post(f"/aggregation/changes/{second.uid}/", {"field": ""}).status_code == 409


def test_a_table_becomes_a_draft_of_the_catalogue_which_people_complete(city: City, operator: Client, source: SourceTable) -> None:
    source.execute(f"COMMENT ON COLUMN {source.name}.\"GMSFHM\" IS '公民身份号码'")
    source.execute(f"COMMENT ON COLUMN {source.name}.\"XM\" IS '姓名'")
    draft = start(operator, city, "POSTGRESQL", dataset="")
    password = urlsplit(os.environ["DEMO_SOURCE_URL"]).password
    operator.post(f"/aggregation/drafts/{draft.uid}/", place(source, city) | {"password": password})
    url = f"/aggregation/drafts/{draft.uid}/catalog/"
    assert "公民身份号码" in operator.get(url).content.decode()
    reply = operator.post(url, {"title": "户籍人口信息", "submission": uuid4().hex})
    assert reply.status_code == 302, reply.content.decode()
    entry = Resource.objects.get(title="户籍人口信息")
    assert entry.state == "DRAFTED"
    item = entry.items.get(name="gmsfhm")
    assert (item.title, item.grade, item.mask, item.is_key) == ("公民身份号码", "L3", "CITIZEN_ID", True)
    assert entry.items.get(name="xm").mask == "NAME"
    Resource.objects.filter(pk=entry.pk).update(
        classification="301001", keywords="人口", secrecy_assessment="不涉密", personal_information_assessment="已评估"
    )
    page = operator.get(f"/catalog/{entry.uid}/").content.decode()
    assert "户籍人口信息" in page
    refused = operator.post(f"/catalog/{entry.uid}/submit/", {"revision": entry.revision})
    entry.refresh_from_db()
    assert entry.state == "SUBMITTED", refused.content.decode()


def test_rest_lays_down_checks_and_drafts_an_entry(city: City, operator: Client, folder: Path) -> None:
    drop(folder.with_name(city.police.code), "a.csv", csv_text([person(1)]))
    body = {
        "title": "接口设立", "department": str(city.police.uid), "dataset": "population.person", "connector": "CSV_DROP",
        "settings": {"folder": city.police.code}, "columns": COLUMNS, "key_column": "GMSFHM",
        "reject_limit_count": 0,
    }  # fmt: skip
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    made = [operator.post("/openapi/v1/aggregation/plans", json.dumps(body), content_type="application/json", **key) for _ in "ab"]
    assert [reply.status_code for reply in made] == [201, 200], made[0].content.decode()
    assert "password" not in made[0].content.decode()
    plan = AggregationPlan.objects.get()
    assert (
        [made[0].json()[name] for name in ("reject_limit_percent", "reject_limit_count")]
        == [20, plan.reject_limit_count]
        == [20, 0]
    )
    url = f"/openapi/v1/aggregation/plans/{plan.uid}"
    report = operator.post(f"{url}/check", "{}", content_type="application/json").json()
    assert (report["is_good"], report["count"]) == (True, 1)
    entry = operator.post(f"{url}/catalog-drafts", json.dumps({"title": "人口文件"}), content_type="application/json")
    assert (entry.status_code, entry.json()["state"]) == (201, "DRAFTED")
    other = operator.post(
        "/openapi/v1/aggregation/plans",
        json.dumps(body | {"department": str(city.market.uid)}),
        content_type="application/json",
    )
    assert other.json()["code"] == "plan.department_invalid"
    theirs = body | {"settings": {"folder": f"{city.market.code}/in"}}
    refused = operator.post("/openapi/v1/aggregation/plans", json.dumps(theirs), content_type="application/json")
    assert refused.json()["code"] == "plan.folder_not_yours"
    odd = body | {"connector": "HTTP_PAGES", "settings": {"url": "http://[", "first": "x"}}
    assert operator.post("/openapi/v1/aggregation/plans", json.dumps(odd), content_type="application/json").status_code == 422
    assert not AggregationRun.objects.exists()


def test_rejected_rows_are_chosen_by_the_rules_of_their_own_plan(city: City, operator: Client) -> None:
    for title, rules in (("甲", ["sex.required", "name.required", "name.required"]), ("乙", ["birth_on.pattern"]), ("丙", [])):
        plan = csv_plan(city.police, timezone.now(), title=title, settings={"folder": title})
        run = AggregationRun.objects.create(plan=plan, queued_at=timezone.now())
        RejectedRow.objects.bulk_create(
            RejectedRow(plan=plan, run=run, rule=rule, field=rule.partition(".")[0], raw={}, source_key=f"行{place}")
            for place, rule in enumerate(rules)
        )
        assert rejects.rules_of(plan) == sorted(set(rules))
    plan = AggregationPlan.objects.get(title="甲")
    answer = operator.get(f"/aggregation/plans/{plan.uid}/rejects/", {"rule": "name.required"})
    assert [line["row"].source_key for line in answer.context["lines"]] == ["行2", "行1"]
    assert operator.get(f"/aggregation/plans/{plan.uid}/rejects/", {"rule": "birth_on.pattern"}).status_code == 422


def test_a_run_stopped_at_a_limit_says_what_was_held_back_and_what_comes_next(city: City, operator: Client) -> None:
    plan = csv_plan(city.police, timezone.now())
    run = AggregationRun.objects.create(
        plan=plan, queued_at=timezone.now(), state="STOPPED", read_count=100, rejected_count=40, held_back_count=60
    )
    page = operator.get(f"/aggregation/runs/{run.uid}/").content.decode()
    assert 'data-count="held-back">60<' in page
    assert "可在任务中放宽上限后再归集" in page
    assert "已接收的" not in page
