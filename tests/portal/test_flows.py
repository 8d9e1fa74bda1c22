"""The pages of aggregation and backflow: what they show, and that each step leads to the next."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from basedb.models import Person
from exchange.aggregation import runs
from exchange.models import AggregationPlan, AggregationRun, BackflowSubscription, RejectedRow, RejectState
from tests.exchange.aggregation_sources import csv_plan, csv_text, drop, person
from tests.factories import City


@pytest.fixture
def plan(city: City, now: datetime, settings: Any, tmp_path: Path) -> AggregationPlan:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    rows = [*(person(n) for n in range(1, 9)), person(9, XM=""), person(10, XB="9", HJQH="1")]
    drop(tmp_path / "drop" / "police", "a.csv", csv_text(rows))
    return csv_plan(city.police, now)


def as_(client: Client, city: City, name: str) -> Client:
    client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


def start(client: Client, plan: AggregationPlan, once: str = "t1") -> Any:
    return client.post(reverse("portal:plan-start", args=[plan.uid]), {"submission": once})


def test_clerk_starts_watches_corrects_and_replays(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_operator")
    assert plan.title in text(client.get(reverse("portal:plan-list")))
    answer = start(client, plan)
    run = AggregationRun.objects.get()
    assert answer.url == reverse("portal:plan-run", args=[run.uid])
    progress = reverse("portal:plan-run-progress", args=[run.uid])
    assert 'hx-trigger="every 2s"' in text(client.get(progress))
    runs.work(run_uid=run.uid, clock=timezone.now)
    done = text(client.get(progress))
    assert "hx-trigger" not in done
    assert "由 police_operator 启动" in done
    assert "下一步：由数源部门更正拒收记录并重放。" in done
    rejects_page = reverse("portal:plan-rejects", args=[plan.uid])
    listed = text(client.get(rejects_page, {"state": "OPEN", "run": str(run.uid)}))
    with CaptureQueriesContext(connection) as queries:
        assert "姓名不能为空" in text(client.get(rejects_page))
    parts = max(query["sql"].count("LIMIT 21") for query in queries.captured_queries)
    assert parts == len(RejectState), "each state by the index of the plan, not all plans' rows from the newest on"
    assert "姓名不能为空" in listed
    row = RejectedRow.objects.get(rule="name.required")
    page = reverse("portal:plan-reject", args=[row.uid])
    assert "姓名不能为空" in text(client.get(page))
    values = {name: row.raw.get(name) or "" for name in row.raw}
    assert client.post(page, values).status_code == 422
    assert client.post(page, values | {"name": "张九"}).url == rejects_page
    replayed = client.post(reverse("portal:plan-rejects-replay", args=[plan.uid]))
    replay_run = AggregationRun.objects.get(is_replay=True)
    assert replayed.url == reverse("portal:plan-run", args=[replay_run.uid])
    runs.work(run_uid=replay_run.uid, clock=timezone.now)
    assert Person.objects.filter(name="张九").exists()
    assert "runs-chart" in text(client.get(reverse("portal:plan-detail", args=[plan.uid])))


def test_double_click_starts_one_run_and_another_start_is_a_conflict(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_operator")
    assert start(client, plan).url == start(client, plan).url
    assert start(client, plan, "t2").status_code == 409
    assert AggregationRun.objects.count() == 1


def test_download_and_wrong_upload(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_operator")
    start(client, plan)
    runs.work(run_uid=AggregationRun.objects.get().uid, clock=timezone.now)
    file = client.get(reverse("portal:plan-rejects-download", args=[plan.uid]), {"state": "OPEN"})
    assert file["Content-Disposition"].startswith("attachment")
    content = b"".join(file.streaming_content)  # type: ignore[attr-defined]
    assert content.decode("utf-8-sig").count("\r\n") == 3
    upload = reverse("portal:plan-rejects-upload", args=[plan.uid])
    answer = client.post(upload, {"file": SimpleUploadedFile("a.csv", content)})
    assert answer.status_code == 422
    assert "第 2 行" in text(answer)
    assert "文件是空的" in text(client.post(upload, {"file": io.BytesIO(b"")}))


def test_rows_are_dismissed_together_with_a_reason(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_head")
    start(client, plan)
    runs.work(run_uid=AggregationRun.objects.get().uid, clock=timezone.now)
    uids = [str(uid) for uid in RejectedRow.objects.values_list("uid", flat=True)]
    address = reverse("portal:plan-rejects-dismiss", args=[plan.uid])
    assert client.post(address, {"rows": uids, "reason": ""}).status_code == 422
    assert client.post(address, {"rows": [*uids, str(uuid4()), "x"], "reason": "重复报送"}).status_code == 422
    assert client.post(address, {"rows": uids, "reason": "重复报送"}).status_code == 302
    assert set(RejectedRow.objects.values_list("state", "reason")) == {("DISMISSED", "重复报送")}


@pytest.mark.parametrize("name", ["portal:plan-detail", "portal:plan-rejects", "portal:plan-rejects-download"])
def test_other_departments_get_404(client: Client, city: City, plan: AggregationPlan, name: str) -> None:
    assert as_(client, city, "market_operator").get(reverse(name, args=[plan.uid])).status_code == 404
    assert start(client, plan).status_code == 404
    assert not AggregationRun.objects.exists()


def test_wrong_filters_are_answered_not_ignored(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_operator")
    address = reverse("portal:plan-rejects", args=[plan.uid])
    for query in ({"state": "NOPE"}, {"run": "x"}, {"unknown": "1"}):
        assert client.get(address, query).status_code == 422
    assert client.get(address, {"after": "!!"}).status_code == 422


def form_values(city: City, **values: Any) -> dict[str, Any]:
    given = {
        "submission": "b1",
        "title": "玄武区人口回流",
        "region": str(city.districts["320102"].uid),
        "department": str(city.education.uid),
        "dataset": "population.person",
        "items_population_person": ["citizen_id", "name"],
        "host": "127.0.0.1",
        "port": "5432",
        "database": "district",
        "user": "district",
        "password": "geheim-secret",
        "table": "people",
        "every_minutes": "5",
    }
    return given | values


def test_reviewer_lays_down_a_backflow_and_its_password_is_never_shown(client: Client, city: City) -> None:
    as_(client, city, "reviewer")
    address = reverse("portal:backflow-new")
    assert client.get(address).status_code == 200
    wrong = client.post(address, form_values(city, table="Drop Table", items_population_person=[]))
    assert wrong.status_code == 422
    assert "目标表名只能由" in text(wrong)
    assert "geheim-secret" not in text(wrong)
    done = client.post(address, form_values(city))
    row = BackflowSubscription.objects.get()
    assert done.url == reverse("portal:backflow-detail", args=[row.uid])
    assert client.post(address, form_values(city)).url == done.url
    page = text(client.get(done.url))
    assert "geheim-secret" not in page
    assert "还没有批次" in page
    stale = {"state": "SUSPENDED", "revision": "9"}
    state = reverse("portal:backflow-state", args=[row.uid])
    assert client.post(state, stale).status_code == 409
    assert client.post(state, stale | {"revision": "1"}).status_code == 302
    assert client.post(address, form_values(city, submission="b2")).status_code == 422


def test_receiver_looks_on_and_others_do_not(client: Client, city: City) -> None:
    as_(client, city, "reviewer").post(reverse("portal:backflow-new"), form_values(city))
    row = BackflowSubscription.objects.get()
    address = reverse("portal:backflow-detail", args=[row.uid])
    receiver = text(as_(client, city, "education_operator").get(address))
    assert row.title in receiver
    assert "重新全量回流" not in receiver
    assert as_(client, city, "market_operator").get(address).status_code == 404
    assert as_(client, city, "auditor").get(address).status_code == 403


def test_runs_over_rest(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_operator")
    root = "/openapi/v1/aggregation"
    listed = client.get(f"{root}/plans").json()
    assert [item["uid"] for item in listed["items"]] == [str(plan.uid)]
    address = f"{root}/plans/{plan.uid}/runs"
    assert client.post(address, {"x": 1}, content_type="application/json").status_code == 422
    made = client.post(address, {}, content_type="application/json", headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201
    again = client.post(address, {}, content_type="application/json", headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["uid"]) == (200, made.json()["uid"])
    assert client.post(address, {}, content_type="application/json").json()["code"] == "run.under_way"
    runs.work(run_uid=AggregationRun.objects.get().uid, clock=timezone.now)
    run = client.get(f"{root}/runs/{made.json()['uid']}").json()
    assert (run["state"], run["read_count"], run["rejected_count"]) == ("SUCCEEDED", 10, 2)
    as_(client, city, "market_operator")
    assert client.get(address).status_code == 404
    assert client.get(f"{root}/plans").json()["items"] == []


def test_rejected_rows_say_where_they_came_from_and_are_kept_in_no_cache(client: Client, city: City, plan: AggregationPlan) -> None:
    as_(client, city, "police_operator")
    start(client, plan)
    run = AggregationRun.objects.get()
    runs.work(run_uid=run.uid, clock=timezone.now)
    listed = client.get(reverse("portal:plan-rejects", args=[plan.uid]))
    assert "a.csv" in text(listed)
    assert reverse("portal:plan-run", args=[run.uid]) in text(listed)
    one = client.get(reverse("portal:plan-reject", args=[RejectedRow.objects.all()[0].uid]))
    assert "a.csv" in text(one)
    file = client.get(reverse("portal:plan-rejects-download", args=[plan.uid]))
    assert "a.csv" in b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
    for answer in (listed, one, file):
        assert "no-store" in answer["Cache-Control"]


def test_run_that_stopped_half_way_says_what_holds(client: Client, city: City, plan: AggregationPlan, tmp_path: Path) -> None:
    as_(client, city, "police_operator")
    rows = (person(n, XM="" if n > 150 else "名") for n in range(1, 401))
    drop(tmp_path / "drop" / "police", "a.csv", csv_text(rows))
    start(client, plan)
    run = AggregationRun.objects.get()
    runs.work(run_uid=run.uid, clock=timezone.now)
    assert "行有效，不会撤回" in text(client.get(reverse("portal:plan-run", args=[run.uid])))
    assert "部分归集" in text(client.get(reverse("portal:plan-detail", args=[plan.uid])))
    RejectedRow.objects.all().delete()
    drop(tmp_path / "drop" / "police", "a.csv", "GMSFHM\n1\n")
    start(client, plan, "t2")
    run = AggregationRun.objects.latest("id")
    runs.work(run_uid=run.uid, clock=timezone.now)
    assert "行有效" not in text(client.get(reverse("portal:plan-run", args=[run.uid])))
