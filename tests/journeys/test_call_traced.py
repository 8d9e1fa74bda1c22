"""Policy: an auditor follows any call to who allowed it and where its data came from, and from there to everybody who read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from exchange import tracing
from exchange.aggregation import plans, runs
from exchange.evidence import archiving
from exchange.models import AggregationPlan, AggregationRun, CallRecord, Grant
from exchange.tracing import Start
from tests.exchange.aggregation_sources import csv_plan, csv_text, drop, person
from tests.exchange.sealed import seal, tamper
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]


@pytest.fixture
def run(scene: Scene, settings: Any, tmp_path: Path) -> AggregationRun:
    """Four people, delivered by the police bureau."""
    settings.DROP_DIR, settings.UPLOAD_DIR, settings.ARCHIVE_DIR = tmp_path / "drop", tmp_path / "uploads", tmp_path / "archive"
    settings.ARCHIVE_DIR.mkdir()
    secrets = settings.ENV.run_dir / "secrets"
    settings.SIGNING_KEY_FILE, settings.SEAL_KEYS_FILE = secrets / "signing.pem", secrets / "seal_keys.pem"
    plan = csv_plan(scene.city.police, timezone.now(), title=f"人口归集{tmp_path.name}"[:100])
    drop(tmp_path / "drop" / "police", "a.csv", csv_text([person(number) for number in range(1, 5)]))
    made = plans.queue_run(plan_uid=plan.uid, actor=scene.city.actor("police_operator"), now=timezone.now())
    runs.work(run_uid=made.uid, clock=timezone.now)
    made.refresh_from_db()
    assert made.accepted_count == 4
    return made


def called(scene: Scene, grant: Grant, *serials: int) -> UUID:
    keys = [{"citizen_id": person(serial)["GMSFHM"]} for serial in serials]
    body = {"key": keys[0]} if len(keys) == 1 else {"keys": keys}
    reply = scene.partner.call(grant, "query", body)
    assert reply.status == 200, reply.body
    return UUID(reply.json["call_id"])


def test_an_auditor_traces_a_call_to_its_source_and_back(scene: Scene, run: AggregationRun, client: Client) -> None:
    grant = scene.grant()
    one, many = called(scene, grant, 1), called(scene, grant, 2, 3)
    called(scene, scene.grant(), 1)
    seal()
    archiving.archive_due(now=timezone.now(), everything=True)

    client.force_login(scene.city.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("portal:trace"), {"call": str(one)}).content.decode()
    for shown in (str(one), "刚刚核验：与封存时一致", grant.access_request.number, grant.purpose, run.plan.title, "mlog-calls-"):
        assert shown in page
    told = client.get("/openapi/v1/traces", {"call_id": str(one)}).json()
    assert told["call"]["call_id"] == str(one)
    assert (told["proof"]["is_intact"], told["proof"]["archive"] != "") == (True, True)
    assert [(found["run"], found["subject_count"]) for found in told["runs"]] == [(str(run.uid), 1)]
    assert client.get("/openapi/v1/traces", {"call_id": str(many)}).json()["runs"][0]["subject_count"] == 2

    back = client.get("/openapi/v1/traces", {"run": str(run.uid)}).json()
    assert {str(one), str(many)} <= {item["call_id"] for item in back["items"]}
    assert len(back["items"]) == 3
    of_grant = client.get("/openapi/v1/traces", {"grant": str(grant.uid), "limit": "1"}).json()
    assert [item["call_id"] for item in of_grant["items"]] == [str(many)]
    rest = client.get("/openapi/v1/traces", {"grant": str(grant.uid), "after": of_grant["next"]}).json()
    assert [item["call_id"] for item in rest["items"]] == [str(one)]
    by_request = client.get("/openapi/v1/traces", {"request": str(grant.access_request.uid)}).json()
    assert len(by_request["items"]) == 2
    subject = bytes(CallRecord.objects.get(call_id=one).subject_key or b"").hex()
    assert len(client.get("/openapi/v1/traces", {"subject": subject}).json()["items"]) == 2
    assert client.get(reverse("portal:trace"), {"run": str(run.uid)}).content.decode().count("<tr>") == 4
    assert AuditEntry.objects.filter(action="call_log.traced").count() >= 8

    tamper("exchange_callrecord", "UPDATE exchange_callrecord SET row_count = 9 WHERE call_id = %s", str(one))
    assert "刚刚核验：与封存时不一致" in client.get(reverse("portal:trace"), {"call": str(one)}).content.decode()


def test_each_side_traces_its_own_part_only(scene: Scene, run: AggregationRun, client: Client) -> None:
    grant = scene.grant()
    one = called(scene, grant, 1)
    now = timezone.now()
    for who, sees_runs in (("police_head", True), ("education_operator", False), ("reviewer", True)):
        chain = tracing.trace(call_id=one, actor=scene.city.actor(who), now=now)
        assert (chain.sees_runs, bool(chain.runs)) == (sees_runs, sees_runs)
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(scene.city.people["market_head"], backend=backend)
    assert client.get("/openapi/v1/traces", {"call_id": str(one)}).status_code == 404
    assert client.get("/openapi/v1/traces", {"run": str(run.uid)}).status_code == 404
    assert client.get("/openapi/v1/traces", {"grant": str(grant.uid)}).status_code == 404
    client.force_login(scene.city.people["police_head"], backend=backend)
    assert client.get("/openapi/v1/traces", {"run": str(run.uid)}).status_code == 200
    assert client.get("/openapi/v1/traces", {"subject": "0" * 32}).status_code == 403
    for wrong in ({}, {"subject": "x"}, {"call_id": str(one), "grant": str(grant.uid)}):
        assert client.get("/openapi/v1/traces", wrong).status_code == 422


def test_a_provider_sees_no_run_another_department_delivered(scene: Scene, run: AggregationRun) -> None:
    one = called(scene, scene.grant(), 1)
    AggregationPlan.objects.update(department=scene.city.market)
    try:
        told = {
            who: bool(tracing.trace(call_id=one, actor=scene.city.actor(who), now=timezone.now()).runs)
            for who in ("police_head", "reviewer", "auditor")
        }
    finally:
        AggregationPlan.objects.update(department=scene.city.police)
    assert told == {"police_head": False, "reviewer": True, "auditor": True}


def test_whoever_traces_a_subject_is_recorded(scene: Scene, run: AggregationRun) -> None:
    one = called(scene, scene.grant(), 1)
    subject = bytes(CallRecord.objects.get(call_id=one).subject_key or b"")
    for who in ("reviewer", "auditor"):
        tracing.calls_from(start=Start(subject=subject), actor=scene.city.actor(who), now=timezone.now())
    entries = AuditEntry.objects.filter(action="call_log.traced", detail__start__subject=subject.hex())
    assert set(entries.values_list("actor_name", flat=True)) == {"auditor", "reviewer"}


def test_a_trace_takes_the_same_queries_whatever_it_shows(scene: Scene, run: AggregationRun) -> None:
    grant = scene.grant()
    one, many = called(scene, grant, 1), called(scene, grant, 1, 2, 3, 4)
    seal()
    counts = []
    for call_id in (one, many):
        with CaptureQueriesContext(connection) as queries:
            tracing.trace(call_id=call_id, actor=scene.city.actor("reviewer"), now=timezone.now())
        counts.append(len(queries))
    assert abs(counts[0] - counts[1]) <= 2  # whom a call of many was about stands in another table
    assert max(counts) <= 40
    found = tracing.calls_from(start=Start(grant=grant.uid), actor=scene.city.actor("reviewer"), now=timezone.now())
    assert [line.record.call_id for line in found.lines] == [many, one]
