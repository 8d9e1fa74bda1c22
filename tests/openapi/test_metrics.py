"""Metrics: for whoever shows the token, in a form the library reads back, and without anything about people or consumers."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from exchange.statistics import folding
from tests import factories
from tests.factories import City
from tests.portal.test_monitoring import record

LABELS = ("service", "provider", "mode", "outcome", "le", "desk", "chain", "source")


@pytest.fixture
def token(settings: Any, tmp_path: Path) -> str:
    settings.METRICS_TOKEN_FILE = tmp_path / "metrics_token"
    settings.METRICS_TOKEN_FILE.write_text("a-token-of-the-test\n")
    return "a-token-of-the-test"


def read(client: Client, token: str) -> dict[str, dict[tuple[str, ...], float]]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    told: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            told.setdefault(sample.name, {})[tuple(sample.labels[name] for name in LABELS if name in sample.labels)] = sample.value
    return told


def test_only_the_token_opens_the_metrics(db: None, client: Client, token: str) -> None:
    assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    for shown in ({}, {"Authorization": "Bearer other"}, {"Authorization": token}, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=shown).status_code == 401


def test_without_a_token_only_the_machine_itself_reads(db: None, client: Client, settings: Any, tmp_path: Path) -> None:
    settings.METRICS_TOKEN_FILE = tmp_path / "none"
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 401
    for hop in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
        assert client.get("/metrics", headers={hop: "192.0.2.7"}).status_code == 401


def test_metrics_tell_calls_durations_and_what_waits(city: City, client: Client, token: str, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education, name="不得出现的系统")
    for outcome in ("call.answered", "call.answered", "grant.suspended"):
        record(consumer=system, resource=resource, outcome=outcome)
    late = factories.make_request(
        resource, system, city.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", due_at=now - timedelta(days=1)
    )
    late.submitted_at = now - timedelta(days=3)
    late.save()
    service = (resource.code, city.police.code)
    for _ in range(2):
        told = read(client, token)
        assert told["exchange_calls_total"] == {(*service, "QUERY", "answered"): 2, (*service, "QUERY", "grant"): 1}
        assert told["exchange_rows_total"] == {service: 2}
        assert told["exchange_call_duration_seconds_count"] == {service: 2}
        assert told["exchange_call_duration_seconds_bucket"][*service, "0.002"] == 0
        assert told["exchange_call_duration_seconds_bucket"][*service, "0.003"] == 2
        assert told["exchange_requests_overdue"] == {("DATA_CENTRE",): 1}
        folding.fold_all(now=now)
    text = client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).content.decode()
    assert "不得出现的系统" not in text
    assert {"calls", "audit", "uses"} == {labels[0] for labels in told["exchange_seal_lag_seconds"]}
