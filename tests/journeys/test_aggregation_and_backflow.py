"""Whoever a department delivers and corrects reaches the base, and goes back to the district that person belongs to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.utils import timezone

from basedb.models import Person, SourceRecord
from core.models import AuditEntry
from exchange.aggregation import plans, rejects, runs
from exchange.backflow import batches, subscriptions
from exchange.models import AggregationRun, BackflowSubscription, RejectedRow
from tests.exchange.aggregation_sources import counts, csv_plan, csv_text, drop, person
from tests.exchange.test_backflow import wait_for_horizon
from tests.factories import make_city

TABLE = "hl_journey"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def district() -> Iterator[Any]:
    connection = psycopg2.connect(os.environ["DEMO_DISTRICT_URL"])
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}; DROP TABLE IF EXISTS backflow_receipt")
    yield cursor
    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}; DROP TABLE IF EXISTS backflow_receipt")
    connection.close()


def _worked(run: AggregationRun) -> tuple[int, int, int, int]:
    runs.work(run_uid=run.uid, clock=timezone.now)
    return counts(run)


def _flow(subscription: BackflowSubscription, district: Any) -> list[str]:
    wait_for_horizon()
    BackflowSubscription.objects.update(next_run_at=None)
    batches.work(subscription_uid=subscription.uid, clock=timezone.now)
    district.execute(f"SELECT name FROM {TABLE} ORDER BY name")
    return [name for (name,) in district.fetchall()]


def test_corrected_row_reaches_the_base_and_goes_back_to_its_district(district: Any, settings: Any, tmp_path: Path) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    city = make_city()
    clerk, reviewer = city.actor("police_operator"), city.actor("reviewer")
    url = urlsplit(os.environ["DEMO_DISTRICT_URL"])
    subscription = subscriptions.create_subscription(
        title="玄武区人口回流",
        department=city.education,
        region=city.districts["320102"],
        dataset="population.person",
        fields=["citizen_id", "name"],
        settings={"host": url.hostname, "port": url.port, "database": url.path[1:], "user": url.username, "table": TABLE},
        password=url.password or "",
        actor=reviewer,
        now=timezone.now(),
    )

    plan = csv_plan(city.police, timezone.now())
    drop(tmp_path / "drop" / "police", "a.csv", csv_text([person(1), person(2, XM=""), person(3)]), "gb18030")
    assert _worked(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now())) == (3, 2, 2, 1)
    assert _flow(subscription, district) == ["张1"]

    rejects.correct(uid=RejectedRow.objects.get().uid, values={"name": "张二"}, actor=clerk, now=timezone.now())
    assert _worked(rejects.replay(plan_uid=plan.uid, actor=clerk, now=timezone.now())) == (1, 1, 1, 0)
    assert _flow(subscription, district) == ["张1", "张二"]

    drop(tmp_path / "drop" / "police", "b.csv", csv_text([person(1, HJQH="320104")]))
    assert _worked(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now())) == (1, 1, 1, 0)
    assert _flow(subscription, district) == ["张二"]

    for one in Person.objects.all():
        record = SourceRecord.objects.get(pk=one.source_record_id)
        assert (record.run_id, record.payload["name"] or "张二") == (one.run_id, one.name)
    told = set(AuditEntry.objects.values_list("action", flat=True))
    assert told >= {"aggregation_run.queued", "aggregation_run.succeeded", "rejected_row.corrected", "rejected_row.replayed"}
    assert told >= {"backflow_subscription.created", "backflow_batch.acknowledged"}
