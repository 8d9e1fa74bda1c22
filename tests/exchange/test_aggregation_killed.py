"""A run whose worker is killed again and again ends as if nothing had happened: no row lost, none counted twice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from basedb.models import Person, SourceRecord
from exchange.aggregation import plans
from exchange.models import AggregationBatch, AggregationPlan, AggregationRun, RejectedRow, RunState
from tests.exchange.aggregation_sources import SourceTable, counts, csv_plan, csv_text, drop, person, table_plan
from tests.exchange.killing import finish, kill_when
from tests.factories import City, make_city

ROWS = 1_500
BROKEN = 30
KILLS = 4

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source() -> Iterator[SourceTable]:
    table = SourceTable("rk_jbxx_killed")
    yield table
    table.close()


def rows() -> list[dict[str, str]]:
    return [person(n, XM="" if n % (ROWS // BROKEN) == 0 else f"张{n}") for n in range(1, ROWS + 1)]


def _is_worked_on(run: AggregationRun) -> bool:
    """Whether a worker holds the run, or a share of it."""
    run.refresh_from_db()
    now = timezone.now()
    is_held = run.lease_until is not None and run.lease_until > now
    return run.state == RunState.RUNNING and (is_held or run.parts.filter(lease_until__gt=now).exists())


def _run_through_kills(plan: AggregationPlan, clerk: Any, kills: int = KILLS) -> AggregationRun:
    run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now())
    code = f"from exchange.aggregation import runs; runs.work(run_uid='{run.uid}', clock=timezone.now)"
    killed = 0
    for round_ in range(kills):
        wanted = ROWS * round_ // (kills + 1)

        def reached(wanted: int = wanted) -> bool:
            return _is_worked_on(run) and run.read_count >= wanted

        killed += kill_when(code, reached, random.uniform(0, 0.15))
        over = timezone.now() - timedelta(seconds=1)
        AggregationRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(lease_until=over)
        run.parts.filter(state=RunState.RUNNING).update(lease_until=over)
    assert killed >= kills - 1
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    finish(code)
    return run


def _is_as_undisturbed(run: AggregationRun) -> None:
    good = ROWS - BROKEN
    assert counts(run) == (ROWS, good, good, BROKEN)
    assert run.state == RunState.SUCCEEDED
    assert run.expected_count == ROWS
    batches = AggregationBatch.objects.filter(run=run)
    assert batches.aggregate(n=Sum("read_count"))["n"] == ROWS
    assert list(batches.values_list("sequence", flat=True)) == list(range(1, batches.count() + 1))
    wanted = {(row["GMSFHM"], row["XM"], row["HJDZ"], 1) for row in rows() if row["XM"]}
    assert set(Person.objects.values_list("citizen_id", "name", "address", "version")) == wanted
    assert Person.objects.count() == SourceRecord.objects.count() == good
    assert RejectedRow.objects.filter(rule="name.required").count() == RejectedRow.objects.count() == BROKEN


def test_killed_run_of_a_database_resumes(source: SourceTable, now: datetime) -> None:
    city: City = make_city()
    source.put(rows(), at=now - timedelta(hours=1))
    plan = table_plan(city.police, now, source.name, batch_size=50)
    _is_as_undisturbed(_run_through_kills(plan, city.actor("police_operator")))


def test_killed_run_in_shares_resumes(source: SourceTable, now: datetime) -> None:
    city: City = make_city()
    source.put(rows(), at=now - timedelta(hours=1))
    plan = table_plan(city.police, now, source.name, batch_size=50, parts=3)
    run = _run_through_kills(plan, city.actor("police_operator"), kills=2)
    _is_as_undisturbed(run)
    assert sorted(run.parts.values_list("state", flat=True)) == [RunState.SUCCEEDED] * 3


def test_killed_run_of_a_file_resumes(settings: Any, tmp_path: Path, now: datetime) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    city: City = make_city()
    drop(tmp_path / "drop" / "police", "a.csv", csv_text(rows()), "gb18030")
    plan = csv_plan(city.police, now, batch_size=50)
    run = _run_through_kills(plan, city.actor("police_operator"))
    _is_as_undisturbed(run)
    assert list(RejectedRow.objects.order_by("id").values_list("line_number", flat=True)[:2]) == [
        ROWS // BROKEN + 1,
        2 * ROWS // BROKEN + 1,
    ]
    assert not list((tmp_path / "uploads" / "aggregation").iterdir())
