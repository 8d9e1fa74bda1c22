"""Limits of rejected rows: the batch that goes past one leaves its rejects and nothing else, and the next run begins with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from basedb.models import Person, SourceRecord
from core.audit import Actor
from core.models import AuditEntry
from exchange.aggregation import plans, rejects, runs
from exchange.models import AggregationPlan, RejectedRow, RunState
from tests.exchange.aggregation_sources import SourceTable, counts, csv_plan, csv_text, drop, person, run_now, table_plan
from tests.exchange.test_aggregation_parts import divided
from tests.factories import City


@pytest.fixture
def source() -> Iterator[SourceTable]:
    table = SourceTable("rk_jbxx_limits")
    yield table
    table.close()


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    return tmp_path / "drop" / "police"


@pytest.fixture
def clerk(city: City) -> Actor:
    return city.actor("police_operator")


def test_batch_past_the_limit_leaves_its_rejects_alone_and_the_next_run_begins_with_it(
    city: City, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    plan = table_plan(city.police, now, source.name, lag_seconds=0, reject_limit_percent=20)
    source.put((person(n, XM="" if n > 150 else f"张{n}") for n in range(1, 251)), at=now - timedelta(hours=1))
    run = run_now(plan, clerk)
    assert (run.state, counts(run), run.held_back_count) == (RunState.STOPPED, (200, 100, 100, 50), 50)
    assert "读取 200 行，其中拒收 50 行，超过拒收上限 20%" in run.message
    assert Person.objects.count() == SourceRecord.objects.count() == run.batches.get().accepted_count == 100
    assert RejectedRow.objects.filter(run=run, rule="name.required").count() == 50
    plan.refresh_from_db()
    assert plan.checkpoint["cursor"] == run.checkpoint["cursor"] == run.batches.get().checkpoint["cursor"]
    assert AuditEntry.objects.get(action="aggregation_run.stopped").detail["held_back"] == 50
    assert counts(run_now(plan, clerk)) == (100, 0, 0, 49), "no later batch is taken while this one is wrong"
    source.put((person(n) for n in range(151, 251)), at=now - timedelta(minutes=30), first_id=151)
    good = run_now(plan, clerk)
    assert (good.state, good.changed_count, Person.objects.count()) == (RunState.SUCCEEDED, 150, 250)


@pytest.mark.parametrize("case", [(3, RunState.SUCCEEDED, 47), (2, RunState.STOPPED, 0), (0, RunState.STOPPED, 0)])
def test_limit_by_count_judges_few_rows_too(
    city: City, clerk: Actor, folder: Path, now: datetime, case: tuple[int, RunState, int]
) -> None:
    limit, state, people = case
    plan = csv_plan(city.police, now, reject_limit_count=limit)
    drop(folder, "a.csv", csv_text(person(n, XM="" if n < 3 else f"张{n}") for n in range(50)))
    run = run_now(plan, clerk)
    assert (run.state, Person.objects.count(), RejectedRow.objects.count()) == (state, people, 3)
    assert (f"超过拒收上限 {limit} 行" in run.message) == (state == RunState.STOPPED)


def test_file_damaged_beyond_the_count_is_refused_as_a_whole(city: City, clerk: Actor, folder: Path, now: datetime) -> None:
    plan = csv_plan(city.police, now, reject_limit_count=1)
    drop(folder, "a.csv", csv_text([person(1)]) + "1,2\r\n1,2\r\n")
    run = run_now(plan, clerk)
    assert (run.state, "超过拒收上限 1 行，整个文件未归集" in run.message) == (RunState.FAILED, True)


def test_share_counts_what_the_other_shares_rejected(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now, 30, reject_limit_count=2)
    source.execute(f'UPDATE {source.name} SET "XM" = \'\' WHERE "ID" IN (1, 2, 30)')
    runs.work_part(run_uid=run.uid, number=1, clock=timezone.now)
    assert (counts(run), Person.objects.count()) == ((15, 13, 13, 2), 13)
    runs.work_part(run_uid=run.uid, number=2, clock=timezone.now)
    assert (counts(run), run.held_back_count, Person.objects.count()) == ((30, 13, 13, 3), 14, 13)
    assert (run.state, RejectedRow.objects.count(), AggregationPlan.objects.get().checkpoint) == (RunState.STOPPED, 3, {})
    assert run.parts.get(number=2).checkpoint == {}


def test_replay_is_not_stopped_by_a_limit(city: City, clerk: Actor, folder: Path, now: datetime) -> None:
    plan = csv_plan(city.police, now, reject_limit_count=1)
    drop(folder, "a.csv", csv_text([person(1, XM="")]))
    run_now(plan, clerk)
    AggregationPlan.objects.update(reject_limit_count=0)
    rejects.correct(uid=RejectedRow.objects.get().uid, values={"name": "张一"}, actor=clerk, now=now)
    drop(folder, "b.csv", csv_text([person(1, XM="李一")]))
    run_now(plan, clerk)
    RejectedRow.objects.update(created_at=now - timedelta(hours=1))
    run = rejects.replay(plan_uid=plan.uid, actor=clerk, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    assert counts(run) == (1, 0, 0, 1)
    assert run.state == RunState.SUCCEEDED


def test_limits_cost_a_batch_no_query(city: City, clerk: Actor, folder: Path, now: datetime) -> None:
    asked = []
    for limit, name in ((None, "a.csv"), (5, "b.csv")):
        plan = csv_plan(city.police, now, settings={"folder": "police", "pattern": name}, reject_limit_count=limit)
        drop(folder, name, csv_text(person(n) for n in range(250)))
        run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            runs.work(run_uid=run.uid, clock=timezone.now)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_database_keeps_percentages_within_a_hundred(city: City, now: datetime, folder: Path) -> None:
    csv_plan(city.police, now)
    with pytest.raises(IntegrityError, match="plan_limits_are_percentages"), transaction.atomic():
        AggregationPlan.objects.update(reject_limit_percent=101)
