"""A department's own database as a source: increments, look-back, clear errors, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from basedb.models import Person, SourceRecord
from core.audit import Actor
from core.models import AuditEntry, Notification
from exchange.aggregation import plans, runs
from exchange.aggregation.connector import TellsHighest
from exchange.models import AggregationPlan, AggregationRun, ColumnBreak, RejectedRow, RunState
from exchange.sealed_passwords import seal_password
from tests.exchange.aggregation_sources import SourceTable, counts, person, run_now, table_plan
from tests.factories import City


@pytest.fixture
def source() -> Iterator[SourceTable]:
    table = SourceTable("rk_jbxx_test")
    yield table
    table.close()


@pytest.fixture
def plan(city: City, now: datetime, source: SourceTable) -> AggregationPlan:
    return table_plan(city.police, now, source.name)


@pytest.fixture
def clerk(city: City) -> Actor:
    return city.actor("police_operator")


def test_first_run_takes_all_and_the_next_only_what_changed(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    source.put((person(n) for n in range(1, 251)), at=now - timedelta(hours=2))
    first = run_now(plan, clerk)
    assert (first.state, counts(first), first.expected_count) == (RunState.SUCCEEDED, (250, 250, 250, 0), 250)
    source.put([person(7, HJDZ="秦淮区某路1号")], at=now, first_id=7)
    second = run_now(plan, clerk)
    assert counts(second)[2] == 1
    assert counts(second)[0] == 250  # all of it lies within the look-back window and is read again, changing nothing
    assert Person.objects.count() == 250
    assert SourceRecord.objects.filter(known__upper_inf=True, valid__upper_inf=True).count() == 250
    assert SourceRecord.objects.count() == 252  # the one closed, what is left of it, and the new one
    third = run_now(plan, clerk)
    assert (counts(third)[0], counts(third)[2]) == (1, 0)
    assert Person.objects.get(name="张7").version == 2


def test_run_that_does_not_get_to_the_cursor_the_source_told_fails(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    source.put([person(1), person(2)], at=now)
    run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now)
    lease = runs.take(run_uid=run.uid, now=now)
    assert lease is not None
    reading = runs.open_reading(AggregationRun.objects.select_related("plan").get(pk=run.pk))
    reading.begin()
    runs.expect(lease, reading.expected)
    assert isinstance(reading, TellsHighest)
    assert reading.highest is not None
    reading.highest = (now + timedelta(hours=1)).isoformat()
    assert not runs.take_batch(lease, reading, timezone.now)
    reading.close()
    run.refresh_from_db()
    assert (run.state, run.message[:5]) == (RunState.FAILED, "清单不符：")


def test_value_with_the_mark_that_parts_values_is_read_whole(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    source.put([person(1), person(2, HJDZ="甲\x1f乙"), person(3)], at=now)
    run = run_now(plan, clerk)
    assert (run.state, run.read_count) == (RunState.SUCCEEDED, 3)
    assert run_now(plan, clerk).changed_count == 0
    assert Person.objects.get(name="张3").address == "玄武区某路3号"
    rejected = RejectedRow.objects.get()
    assert (rejected.rule, rejected.raw["address"], rejected.raw["region_code"]) == (
        "address.control_character",
        "甲\x1f乙",
        "320102",
    )


def test_row_committed_late_is_found_within_the_look_back_window(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    source.put([person(1)], at=now)
    run_now(plan, clerk)
    source.put([person(2)], at=now - timedelta(seconds=200), first_id=2)
    assert run_now(plan, clerk).changed_count == 1


def test_row_read_again_as_it_was_is_rejected_once(plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime) -> None:
    source.put([person(1), person(2, XM="")], at=now)
    assert [counts(run_now(plan, clerk))[3] for _ in range(2)] == [1, 1]
    assert RejectedRow.objects.count() == 1
    source.put([person(2, XM="", HJDZ="别处")], at=now + timedelta(seconds=1), first_id=2)
    run_now(plan, clerk)
    assert RejectedRow.objects.count() == 2


def test_row_at_the_very_cursor_is_not_missed(city: City, clerk: Actor, source: SourceTable, now: datetime) -> None:
    plan = table_plan(city.police, now, source.name, lag_seconds=0)
    source.put([person(1)], at=now)
    run_now(plan, clerk)
    source.put([person(2)], at=now - timedelta(microseconds=1), first_id=2)
    assert run_now(plan, clerk).changed_count == 1


def test_rows_of_the_same_moment_are_read_in_the_order_of_the_key_not_of_its_text(
    city: City, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    plan = table_plan(city.police, now, source.name, batch_size=50)
    source.put((person(n) for n in range(1, 121)), at=now)
    source.execute(f'UPDATE {source.name} SET "GXSJ" = %s', [now])
    batches = run_now(plan, clerk).batches.all()
    assert [batch.checkpoint["key"] for batch in batches] == ["50", "100", "120"]


def test_table_without_cursor_is_compared_as_a_whole(city: City, clerk: Actor, source: SourceTable, now: datetime) -> None:
    plan = table_plan(city.police, now, source.name, cursor_column="")
    source.put((person(n) for n in range(1, 151)), at=now)
    assert counts(run_now(plan, clerk)) == (150, 150, 150, 0)
    source.put([person(3, XM="李三")], at=now, first_id=3)
    assert counts(run_now(plan, clerk)) == (150, 150, 1, 0)


def test_columns_a_run_stopped_over_are_remembered_until_a_run_finds_them(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    source.put([person(1)], at=now - timedelta(hours=1))
    source.execute(f'ALTER TABLE {source.name} RENAME "HJDZ" TO "DZ"')
    for _again in range(2):
        assert run_now(plan, clerk).state == RunState.FAILED
    broken = ColumnBreak.objects.get(mended_at=None)
    assert (broken.plan, broken.column, broken.is_missing) == (plan, "HJDZ", True)
    source.execute(f'ALTER TABLE {source.name} RENAME "DZ" TO "HJDZ"')
    assert run_now(plan, clerk).state == RunState.SUCCEEDED
    assert not ColumnBreak.objects.filter(mended_at=None).exists()


def _wrong_password(plan: AggregationPlan, source: SourceTable) -> None:
    seal_password(plan, "not-the-password")


def _column_gone(plan: AggregationPlan, source: SourceTable) -> None:
    source.execute(f'ALTER TABLE {source.name} RENAME "HJDZ" TO "DZ"')


def _table_gone(plan: AggregationPlan, source: SourceTable) -> None:
    plan.settings["table"] = "rk_jbxx_gone"


def _no_right(plan: AggregationPlan, source: SourceTable) -> None:
    source.execute(f"REVOKE SELECT ON {source.name} FROM ps_reader")


def _null_cursor(plan: AggregationPlan, source: SourceTable) -> None:
    source.execute(f'UPDATE {source.name} SET "GXSJ" = NULL')


def _no_database(plan: AggregationPlan, source: SourceTable) -> None:
    plan.settings["database"] = "nowhere"


@pytest.mark.parametrize(
    "case",
    [
        (_wrong_password, "用户名或口令不正确"),
        (_column_gone, "缺少字段：HJDZ"),
        (_table_gone, "数源表不存在"),
        (_no_right, "没有读取数源表的权限"),
        (_null_cursor, "「GXSJ」有 1 行为空"),
        (_no_database, "数源数据库不存在"),
    ],
)
def test_what_is_wrong_with_the_source_is_said_clearly(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime, case: tuple[Any, str]
) -> None:
    spoil, said = case
    source.put([person(1)], at=now)
    spoil(plan, source)
    plan.save()
    run = run_now(plan, clerk)
    assert run.state == RunState.FAILED
    assert said in run.message
    assert not Person.objects.exists()
    assert AuditEntry.objects.filter(action="aggregation_run.failed", object_uid=str(run.uid)).exists()
    assert Notification.objects.filter(user__username="police_operator", body=run.message).exists()


def test_source_that_is_away_is_waited_for_and_then_given_up(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    plan.settings["port"] = 1
    plan.save()
    run = run_now(plan, clerk)
    assert (run.state, run.lease_token) == (RunState.RUNNING, None)
    assert run.message == "数源数据库连接不上。 稍后自动重试。"
    assert run.uid in runs.unattended(now=now + timedelta(minutes=1))
    runs.work(run_uid=run.uid, clock=lambda: timezone.now() + timedelta(minutes=11))
    run.refresh_from_db()
    assert run.state == RunState.FAILED


def test_long_run_whose_source_goes_away_waits_as_long_as_a_short_one(
    plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    source.put([person(n) for n in range(1, 4)], at=now)
    run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now)
    lease = runs.take(run_uid=run.uid, now=timezone.now() - timedelta(hours=1))
    assert lease is not None
    reading = runs.open_reading(AggregationRun.objects.get(pk=run.pk))
    reading.begin()
    runs.take_batch(lease, reading, timezone.now)
    reading.close()
    AggregationRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING)
    for minutes, state in ((9, RunState.RUNNING), (11, RunState.FAILED)):
        at = timezone.now() + timedelta(minutes=minutes)
        held = runs.take(run_uid=run.uid, now=at)
        assert held is not None
        runs.postpone(held, "数源数据库连接不上。", None, at)
        run.refresh_from_db()
        assert run.state == state


def test_password_is_nowhere_in_the_row(plan: AggregationPlan) -> None:
    stored = AggregationPlan.objects.values().get(pk=plan.pk)
    assert "password" not in str(stored["settings"])
    assert bytes(stored["secret_ciphertext"])


def test_worker_that_lost_its_lease_writes_nothing(plan: AggregationPlan, clerk: Actor, source: SourceTable, now: datetime) -> None:
    source.put([person(1)], at=now)
    run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now)
    stale = runs.take(run_uid=run.uid, now=now)
    assert stale is not None
    assert runs.take(run_uid=run.uid, now=now) is None  # the lease holds
    fresh = runs.take(run_uid=run.uid, now=now + timedelta(minutes=1))
    assert fresh is not None
    reading = runs.open_reading(AggregationRun.objects.get(pk=run.pk))
    reading.begin()
    with pytest.raises(runs.LeaseLost):
        runs.take_batch(stale, reading, timezone.now)
    reading.close()
    assert not Person.objects.exists()
    assert counts(run) == (0, 0, 0, 0)


def test_due_plans_are_queued_once(plan: AggregationPlan, now: datetime) -> None:
    AggregationPlan.objects.update(every_minutes=10, next_run_at=now)
    assert plans.queue_due(now=now) == 1
    assert plans.queue_due(now=now) == 0
    plan.refresh_from_db()
    assert plan.next_run_at == now + timedelta(minutes=10)
    assert AggregationRun.objects.get().started_by is None


def test_cursor_that_is_not_a_time_is_refused(city: City, clerk: Actor, source: SourceTable, now: datetime) -> None:
    plan = table_plan(city.police, now, source.name, cursor_column="ID")
    source.put([person(1)], at=now)
    run = run_now(plan, clerk)
    assert run.state == RunState.FAILED
    assert "增量字段「ID」不是日期或时间类型" in run.message


@pytest.mark.parametrize("cursor_column", ["", "GXSJ"])
def test_key_that_stands_twice_stops_the_run(
    city: City, clerk: Actor, source: SourceTable, now: datetime, cursor_column: str
) -> None:
    plan = table_plan(city.police, now, source.name, key_column="XM", cursor_column=cursor_column, batch_size=50)
    source.put((person(n, XM=f"名{n // 2:03}") for n in range(120)), at=now)
    source.execute(f'UPDATE {source.name} SET "GXSJ" = %s', [now])
    run = run_now(plan, clerk)
    assert run.state == RunState.FAILED
    assert "源主键「XM」为空或重复" in run.message
    assert not Person.objects.exists()


def test_twin_of_the_row_a_killed_run_ended_with_is_not_passed_over(
    city: City, clerk: Actor, source: SourceTable, now: datetime
) -> None:
    plan = table_plan(city.police, now, source.name, key_column="XM", batch_size=1)
    source.put([person(1, XM="同"), person(2, XM="同")], at=now)
    source.execute(f'UPDATE {source.name} SET "GXSJ" = %s', [now])
    run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now)
    lease = runs.take(run_uid=run.uid, now=now)
    assert lease is not None
    reading = runs.open_reading(AggregationRun.objects.get(pk=run.pk))
    reading.begin()
    assert runs.take_batch(lease, reading, timezone.now)
    reading.close()
    runs.work(run_uid=run.uid, clock=lambda: timezone.now() + timedelta(minutes=2))
    run.refresh_from_db()
    assert (run.state, "源主键「XM」为空或重复" in run.message) == (RunState.FAILED, True)
