"""Shares of a run: each goes on where its dead worker left it, and the last to end ends the run with exact counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from basedb.models import DataSource, Person
from exchange.aggregation import parts, plans, runs
from exchange.models import AggregationPart, AggregationPlan, AggregationRun, ColumnBreak, RunState
from tests.exchange.aggregation_sources import SourceTable, counts, person, table_plan
from tests.factories import City

ROWS = 200


@pytest.fixture
def source() -> Iterator[SourceTable]:
    table = SourceTable("rk_jbxx_parts")
    yield table
    table.close()


def test_share_of_a_dead_worker_goes_on_at_its_checkpoint(city: City, source: SourceTable, now: datetime) -> None:
    source.put((person(n) for n in range(1, ROWS + 1)), at=now - timedelta(hours=1))
    plan = table_plan(city.police, now, source.name, batch_size=20, parts=3)
    run = plans.queue_run(plan_uid=plan.uid, actor=city.actor("police_operator"), now=now)
    lease = runs.take(run_uid=run.uid, now=now)
    assert lease is not None
    whole = runs.open_reading(AggregationRun.objects.get(pk=run.pk))
    whole.begin()
    runs.divide(lease, whole)
    whole.close()
    dead = parts.take(run_uid=run.uid, number=1, now=timezone.now())
    assert dead is not None
    reading = parts.open_share(dead, runs.open_reading)
    reading.begin()
    assert parts.take_batch(dead, reading, timezone.now)
    assert parts.take(run_uid=run.uid, number=1, now=timezone.now()) is None  # its lease holds
    later = timezone.now() + timedelta(minutes=1)
    assert parts.unattended(now=later) == [(run.uid, number) for number in (1, 2, 3)]
    for number in (2, 1, 3):
        runs.work_part(run_uid=run.uid, number=number, clock=lambda: timezone.now() + timedelta(minutes=1))
    with pytest.raises(parts.ShareLost):
        parts.take_batch(dead, reading, timezone.now)
    reading.close()
    assert counts(run) == (ROWS, ROWS, ROWS, 0)
    assert (run.state, run.expected_count, Person.objects.count()) == (RunState.SUCCEEDED, ROWS, ROWS)
    assert sum(AggregationPart.objects.filter(run=run).values_list("read_count", flat=True)) == ROWS
    assert list(run.batches.values_list("sequence", flat=True)) == list(range(1, run.batches.count() + 1))
    plan.refresh_from_db()
    assert datetime.fromisoformat(plan.checkpoint["cursor"]) == now - timedelta(hours=1) + timedelta(microseconds=ROWS)


def divided(city: City, source: SourceTable, now: datetime, count: int, **values: Any) -> AggregationRun:
    """A run of two shares over so many rows, cut and not begun."""
    source.put((person(n) for n in range(1, count + 1)), at=now)
    plan = table_plan(city.police, now, source.name, parts=2, **values)
    run = plans.queue_run(plan_uid=plan.uid, actor=city.actor("police_operator"), now=now)
    lease = runs.take(run_uid=run.uid, now=now)
    assert lease is not None
    whole = runs.open_reading(AggregationRun.objects.get(pk=run.pk))
    whole.begin()
    runs.divide(lease, whole)
    whole.close()
    return run


def test_second_share_gives_way_to_a_run_of_another_dataset(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now, 30)
    other = table_plan(city.police, now, source.name, title="其他数据")
    waiting = AggregationRun.objects.create(plan=other, queued_at=now)
    first = parts.take(run_uid=run.uid, number=1, now=now)
    assert first is not None
    assert parts.take(run_uid=run.uid, number=2, now=now) is not None  # the same dataset has to wait for the same writer
    AggregationPart.objects.filter(run=run, number=2).update(lease_token=None, lease_until=None)
    DataSource.objects.filter(pk=other.source_id).update(dataset="population.residence")
    assert parts.take(run_uid=run.uid, number=2, now=now) is None
    AggregationRun.objects.filter(pk=waiting.pk).update(state=RunState.SUCCEEDED, finished_at=now)
    assert parts.take(run_uid=run.uid, number=2, now=now) is not None


def test_failed_share_fails_the_run(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now, 30)
    source.execute(f"DROP TABLE {source.name}")
    runs.work_part(run_uid=run.uid, number=1, clock=timezone.now)
    run.refresh_from_db()
    assert (run.state, "数源表不存在" in run.message) == (RunState.FAILED, True)
    assert parts.unattended(now=now + timedelta(hours=1)) == []


def test_share_the_database_does_not_take_does_not_keep_its_run_open(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now, 30)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_person() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END $$;"
            "CREATE TRIGGER refuse_person BEFORE INSERT ON basedb_person FOR EACH ROW EXECUTE FUNCTION refuse_person()"
        )
    for minutes, state in ((0, RunState.RUNNING), (11, RunState.FAILED)):
        late = timedelta(minutes=minutes)
        runs.work_part(run_uid=run.uid, number=1, clock=lambda late=late: timezone.now() + late)
        run.refresh_from_db()
        assert run.state == state
    assert "P0001" in run.message


def test_column_gone_under_a_share_is_noted_for_those_it_concerns(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now, 30)
    source.execute(f'ALTER TABLE {source.name} RENAME COLUMN "XM" TO "XINGMING"')
    runs.work_part(run_uid=run.uid, number=1, clock=timezone.now)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert list(ColumnBreak.objects.filter(plan=run.plan).values_list("column", "is_missing")) == [("XM", True)]


def test_what_a_source_adds_while_shares_are_read_is_for_the_next_run(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now - timedelta(hours=1), 30, lag_seconds=0)
    runs.work_part(run_uid=run.uid, number=1, clock=timezone.now)
    later = now - timedelta(minutes=30)
    source.put([person(31), person(32)], at=later, first_id=31)
    source.put([person(3, XM="李三")], at=later, first_id=3)  # read already by the first share
    source.put([person(20, XM="李二十")], at=later, first_id=20)  # not yet read by the second
    source.put([person(33)], at=now - timedelta(hours=2), first_id=33)  # committed late
    source.execute(f'DELETE FROM {source.name} WHERE "ID" = 21')
    runs.work_part(run_uid=run.uid, number=2, clock=timezone.now)
    assert counts(run)[0] == run.expected_count == 29  # neither 20 nor 21 any more, but 33
    assert (run.state, run.message) == (RunState.SUCCEEDED, "")
    plan = AggregationPlan.objects.get()
    assert datetime.fromisoformat(plan.checkpoint["cursor"]) == now - timedelta(hours=1) + timedelta(microseconds=30)
    next_run = plans.queue_run(plan_uid=plan.uid, actor=city.actor("police_operator"), now=now)
    runs.work(run_uid=next_run.uid, clock=timezone.now)
    assert counts(next_run) == (5, 5, 4, 0)  # the row at the very cursor, 31, 32, 3 and 20
    next_run.refresh_from_db()
    assert next_run.state == RunState.SUCCEEDED
    assert set(Person.objects.filter(name__startswith="李").values_list("name", flat=True)) == {"李三", "李二十"}
    assert Person.objects.count() == 32


def test_share_that_ends_last_does_not_take_what_a_later_one_read_for_deleted(
    city: City, source: SourceTable, now: datetime
) -> None:
    run = divided(city, source, now, 30, cursor_column="", delete_mode="FULL_KEYS")
    first = parts.take(run_uid=run.uid, number=1, now=timezone.now())
    assert first is not None
    reading = parts.open_share(first, runs.open_reading)
    reading.begin()
    source.put([person(31)], at=now, first_id=31)
    runs.work_part(run_uid=run.uid, number=2, clock=timezone.now)
    while parts.take_batch(first, reading, timezone.now):
        pass
    reading.close()
    assert counts(run) == (31, 31, 31, 0)
    assert (run.state, run.deleted_count) == (RunState.SUCCEEDED, 0)
    assert Person.objects.filter(withdrawn_at=None).count() == 31


def test_share_that_does_not_agree_with_its_own_snapshot_fails_the_run(city: City, source: SourceTable, now: datetime) -> None:
    run = divided(city, source, now, 30)
    share = parts.take(run_uid=run.uid, number=2, now=timezone.now())
    assert share is not None
    reading = parts.open_share(share, runs.open_reading)
    reading.begin()
    reading.expected = 16
    assert not parts.take_batch(share, reading, timezone.now)
    reading.close()
    run.refresh_from_db()
    assert (run.state, run.message) == (RunState.FAILED, "清单不符：数源 16 行，实际读取 15 行。")
    assert AggregationPlan.objects.get().checkpoint == {}


def test_row_without_a_key_stops_a_run_before_it_is_cut(city: City, source: SourceTable, now: datetime) -> None:
    source.put([person(1), person(2)], at=now)
    source.execute(f'UPDATE {source.name} SET "XM" = NULL WHERE "ID" = 2')
    plan = table_plan(city.police, now, source.name, key_column="XM", parts=2)
    run = plans.queue_run(plan_uid=plan.uid, actor=city.actor("police_operator"), now=now)
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    assert (run.state, "为空或重复" in run.message, run.parts.count()) == (RunState.FAILED, True, 0)


def test_run_begun_whole_goes_on_whole_when_its_plan_is_given_shares(city: City, source: SourceTable, now: datetime) -> None:
    source.put((person(n) for n in range(1, 31)), at=now)
    plan = table_plan(city.police, now, source.name, batch_size=20)
    run = plans.queue_run(plan_uid=plan.uid, actor=city.actor("police_operator"), now=now)
    lease = runs.take(run_uid=run.uid, now=now)
    assert lease is not None
    reading = runs.open_reading(AggregationRun.objects.get(pk=run.pk))
    reading.begin()
    assert runs.take_batch(lease, reading, timezone.now)
    reading.close()
    AggregationPlan.objects.filter(pk=plan.pk).update(parts=2)
    runs.work(run_uid=run.uid, clock=lambda: timezone.now() + timedelta(minutes=1))
    assert counts(run) == (30, 30, 30, 0)
    assert (run.state, run.parts.count()) == (RunState.SUCCEEDED, 0)
