"""Tasks: they go by the names the timetable knows, may run twice, and find again what a queue lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from exchange import tasks
from exchange.aggregation import plans
from exchange.models import AggregationPlan, AggregationRun, RunState
from settings.celery import app
from tests.exchange.aggregation_sources import csv_plan, csv_text, drop, person
from tests.factories import City


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What was handed to the broker, which is away: rows are the truth."""
    messages: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(app, "send_task", lambda name, args: messages.append((name, args)))
    return messages


def test_timetable_names_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= app.tasks.keys()


def test_every_task_is_acknowledged_late_and_has_a_time_limit() -> None:
    ours = [task for name, task in app.tasks.items() if name.startswith("exchange.")]
    assert len(ours) >= 6
    for task in ours:
        assert task.acks_late
        assert task.time_limit


def test_dispatch_queues_what_is_due_and_finds_what_was_lost(
    city: City, now: datetime, settings: Any, tmp_path: Path, sent: list[tuple[str, list[str]]]
) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    drop(tmp_path / "drop" / "police", "a.csv", csv_text([person(1)]))
    plan = csv_plan(city.police, now - timedelta(seconds=1), every_minutes=5)
    tasks.dispatch_aggregation()
    run = AggregationRun.objects.get(plan=plan)
    assert sent == []  # it was queued just now; on commit it goes out by itself
    AggregationRun.objects.update(queued_at=now - timedelta(minutes=1))
    tasks.dispatch_aggregation()
    assert sent == [(plans.RUN_TASK, [str(run.uid)])]
    tasks.run_aggregation(str(run.uid))
    tasks.run_aggregation(str(run.uid))
    run.refresh_from_db()
    assert (run.state, run.read_count) == (RunState.SUCCEEDED, 1)
    AggregationPlan.objects.update(next_run_at=timezone.now())
    tasks.dispatch_aggregation()
    assert AggregationRun.objects.count() == 1  # no new file, no empty run


def test_unknown_ids_do_nothing(db: None) -> None:
    tasks.run_aggregation(str(uuid4()))
    tasks.deliver_backflow(str(uuid4()))
    tasks.dispatch_backflow()


def test_partitions_reach_three_months_ahead(db: None) -> None:
    tasks.make_partitions()
    tasks.make_partitions()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'exchange_callrecord'::regclass")
        assert cursor.fetchone()[0] >= 4


def test_reminders_run(db: None) -> None:
    tasks.remind_overdue()
