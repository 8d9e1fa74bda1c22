"""Rows that are gone at their source: by a mark, by comparing all keys; too many at once stop the run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from basedb.models import Person, SourceRecord
from core.audit import Actor
from core.errors import Conflict, Invalid
from exchange.aggregation.laying_down import switch_plan
from exchange.models import AggregationPart, AggregationPlan, RunState
from tests.exchange.aggregation_sources import COLUMNS, SourceTable, counts, csv_plan, csv_text, drop, person, run_now, table_plan
from tests.factories import City


@pytest.fixture
def source() -> Iterator[SourceTable]:
    table = SourceTable("rk_jbxx_deletes")
    yield table
    table.close()


@pytest.fixture
def clerk(city: City) -> Actor:
    return city.actor("police_operator")


def standing() -> int:
    return Person.objects.filter(withdrawn_at=None).count()


def test_row_with_the_mark_ends_its_record(city: City, clerk: Actor, source: SourceTable, now: datetime) -> None:
    source.execute(f'ALTER TABLE {source.name} ADD "SCBZ" text')
    plan = table_plan(city.police, now, source.name, delete_mode="TOMBSTONE", tombstone_column="SCBZ", tombstone_value="1", parts=1)
    source.put([person(1), person(2)], at=now)
    run_now(plan, clerk)
    source.execute(f'UPDATE {source.name} SET "SCBZ" = \'1\' WHERE "ID" = 2')
    run = run_now(plan, clerk)
    assert (counts(run), run.deleted_count, run.unchanged_count) == ((2, 2, 0, 0), 1, 1)
    assert standing() == 1
    assert run_now(plan, clerk).deleted_count == 0


def test_moment_the_source_names_is_when_the_row_holds(city: City, clerk: Actor, source: SourceTable, now: datetime) -> None:
    plan = table_plan(city.police, now, source.name, valid_from_column="GXSJ")
    source.put([person(1)], at=now - timedelta(days=3))
    run_now(plan, clerk)
    assert SourceRecord.objects.get().valid.lower == now - timedelta(days=3) + timedelta(microseconds=1)


@pytest.mark.parametrize("parts", [1, 3])
def test_keys_no_longer_listed_end_with_the_last_batch(
    city: City, clerk: Actor, source: SourceTable, now: datetime, parts: int
) -> None:
    plan = table_plan(city.police, now, source.name, cursor_column="", delete_mode="FULL_KEYS", parts=parts)
    source.put((person(n) for n in range(1, 251)), at=now)
    run_now(plan, clerk)
    source.execute(f'DELETE FROM {source.name} WHERE "ID" <= 20')
    run = run_now(plan, clerk)
    assert (run.state, counts(run), run.deleted_count) == (RunState.SUCCEEDED, (230, 230, 0, 0), 20)
    assert standing() == 230


@pytest.mark.parametrize("case", [(200, "不再列出 50 条记录"), (0, "不再列出 250 条记录")])
def test_too_many_missing_at_once_end_nothing(
    city: City, clerk: Actor, source: SourceTable, now: datetime, case: tuple[int, str]
) -> None:
    left, said = case
    plan = table_plan(city.police, now, source.name, cursor_column="", delete_mode="FULL_KEYS")
    source.put((person(n) for n in range(1, 251)), at=now)
    run_now(plan, clerk)
    source.execute(f'DELETE FROM {source.name} WHERE "ID" > {left}')
    run = run_now(plan, clerk)
    assert (run.state, run.deleted_count, standing()) == (RunState.STOPPED, 0, 250)
    assert said in run.message


def test_file_that_lists_all_ends_what_it_leaves_out(
    city: City, clerk: Actor, settings: Any, tmp_path: Path, now: datetime
) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    plan = csv_plan(city.police, now, delete_mode="FULL_KEYS")
    drop(tmp_path / "drop" / "police", "a.csv", csv_text(person(n) for n in range(1, 151)))
    run_now(plan, clerk)
    assert run_now(plan, clerk).deleted_count == 0  # no file, nothing to compare with
    drop(tmp_path / "drop" / "police", "b.csv", csv_text(person(n) for n in range(1, 146)))
    assert (run_now(plan, clerk).deleted_count, standing()) == (5, 145)


def test_row_without_a_key_is_not_taken_for_one_that_is_gone(
    city: City, clerk: Actor, settings: Any, tmp_path: Path, now: datetime
) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    plan = csv_plan(city.police, now, delete_mode="FULL_KEYS", key_column="ID")
    rows = [person(n) | {"ID": "" if n == 2 else str(n)} for n in range(1, 4)]
    for name in ("a.csv", "b.csv"):
        drop(tmp_path / "drop" / "police", name, csv_text(rows, ["ID", *COLUMNS.values()]))
        rows[2]["XM"] = "李三"
        run = run_now(plan, clerk)
        assert (run.state, run.deleted_count, standing()) == (RunState.SUCCEEDED, 0, 3)


def test_mark_without_a_column_is_refused(city: City, source: SourceTable, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        table_plan(city.police, now, source.name, delete_mode="TOMBSTONE")
    assert refused.value.code == "plan.tombstone_missing"


def test_manifest_sums_up_what_was_read_whatever_its_order(city: City, clerk: Actor, source: SourceTable, now: datetime) -> None:
    plan = table_plan(city.police, now, source.name, cursor_column="")
    source.put((person(n) for n in range(1, 121)), at=now)
    first = run_now(plan, clerk)
    AggregationPlan.objects.update(parts=3)
    second = run_now(plan, clerk)
    assert AggregationPart.objects.filter(run=second, state=RunState.SUCCEEDED).count() == 3
    assert (second.state, counts(second), second.expected_count) == (RunState.SUCCEEDED, (120, 120, 0, 0), 120)
    assert first.manifest["checksum"] == second.manifest["checksum"]
    source.put([person(3, XM="李三")], at=now, first_id=3)
    assert run_now(plan, clerk).manifest["checksum"] != first.manifest["checksum"]


@pytest.mark.parametrize("modes", [("FULL_KEYS", "FULL_KEYS"), ("FULL_KEYS", "NONE"), ("NONE", "FULL_KEYS")])
def test_plan_that_compares_all_keys_has_its_source_to_itself(
    city: City, settings: Any, tmp_path: Path, now: datetime, modes: tuple[str, str]
) -> None:
    settings.DROP_DIR, clerk = tmp_path / "drop", city.actor("police_operator")
    first = csv_plan(city.police, now, delete_mode=modes[0], title="先设的任务")
    with pytest.raises(Conflict) as refused:
        csv_plan(city.police, now, delete_mode=modes[1], source=first.source)
    assert (refused.value.code, "先设的任务" in str(refused.value.message)) == ("plan.source_shared", True)
    switch_plan(uid=first.uid, is_active=False, actor=clerk, now=now)
    csv_plan(city.police, now, delete_mode=modes[1], source=first.source)
    with pytest.raises(Conflict):
        switch_plan(uid=first.uid, is_active=True, actor=clerk, now=now)
    with pytest.raises(IntegrityError, match=r"plan_(one_compares_all_keys|comparing_keys_is_alone)"), transaction.atomic():
        AggregationPlan.objects.update(is_active=True)


def test_plans_that_end_nothing_by_themselves_may_share_a_source(city: City, settings: Any, tmp_path: Path, now: datetime) -> None:
    settings.DROP_DIR = tmp_path / "drop"
    first = csv_plan(city.police, now)
    csv_plan(city.police, now, source=first.source, settings={"folder": "other"})
    assert AggregationPlan.objects.filter(source=first.source, is_active=True).count() == 2
