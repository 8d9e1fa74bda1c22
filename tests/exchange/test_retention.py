"""Months of records leave the table calls write to when they are old, proven and free, and stay verifiable ever after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from psycopg2.errors import CheckViolation, InsufficientPrivilege, UndefinedTable

from core.audit import PLATFORM
from core.errors import Conflict, Invalid
from core.models import AuditEntry
from exchange.care import holds
from exchange.evidence import archiving, retention
from exchange.evidence.checking import Trust, verify_archives
from exchange.models import CallRecord, Chain, HoldScope, RetiredMonth, Seal
from tests import factories
from tests.exchange.sealed import INSERT, append, first_bad, seal, sealable, tamper
from tests.hotpath.scene import password_of

__all__ = ["sealable"]
OLD = "(%s::date + time '12:00') AT TIME ZONE 'Asia/Shanghai'"


def month_ago(months: int) -> date:
    return retention.months_back(timezone.localdate(), months)


def make_month(month: date) -> None:
    """A partition of each table, as the owner makes them: the function makes none so long ago."""
    with connection.cursor() as cursor:
        for table in ("exchange_callrecord", "exchange_callsubjects"):
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {table}_{month:%Y%m} PARTITION OF {table} FOR VALUES FROM"
                f" (%s::timestamp AT TIME ZONE 'Asia/Shanghai') TO (%s::timestamp AT TIME ZONE 'Asia/Shanghai')",
                [month, retention.months_back(month, -1)],
            )


def append_in(month: date, count: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(count):
            cursor.execute(INSERT.replace("clock_timestamp()", OLD, 1), [month.replace(day=15)])
        cursor.execute(
            "WITH made AS (INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, department_id, mode,"
            f" outcome, subject_count, subjects_digest) VALUES ({OLD}, 7, gen_random_uuid(), 9, 4, 'QUERY', 'call.answered', 1,"
            " sha256(uuid_send('0190a1b2-0000-7000-8000-000000000001'::uuid))) RETURNING requested_at, consumer_id, call_id)"
            " INSERT INTO exchange_callsubjects"
            " SELECT requested_at, consumer_id, call_id, ARRAY['0190a1b2-0000-7000-8000-000000000001'::uuid] FROM made",
            [month.replace(day=15)],
        )


@pytest.fixture
def retirable(sealable: None) -> Iterator[date]:
    """A month of fourteen months ago with records in three batches, the last one together with newer records."""
    month = month_ago(14)
    make_month(month)
    append_in(month, 24)
    append(10)
    yield month
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'retired'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE retired.{table}")
        for table in ("exchange_callrecord", "exchange_callsubjects"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}_{month:%Y%m}")


def proven() -> None:
    seal()
    archiving.archive_due(now=timezone.now(), everything=True)


def retire(month: date) -> RetiredMonth:
    return retention.retire(month=month, actor=PLATFORM, now=timezone.now())


def test_a_month_stays_until_every_record_is_sealed_and_archived(retirable: date) -> None:
    with pytest.raises(Conflict) as refused:
        retire(retirable)
    assert refused.value.code == "retention.unsealed"
    seal()
    with pytest.raises(Conflict) as refused:
        retire(retirable)
    assert refused.value.code == "retention.unarchived"
    assert retirable in retention.due(before=month_ago(0))
    assert not RetiredMonth.objects.exists()


def test_a_retired_month_is_out_of_the_way_and_still_verified(retirable: date) -> None:
    proven()
    assert retire(retirable).record_count == 25
    assert CallRecord.objects.count() == 10
    assert retirable not in retention.due(before=month_ago(0))
    assert AuditEntry.objects.get(action="records.retired").detail == {"month": f"{retirable:%Y-%m}", "record_count": 25}
    assert first_bad() == ""
    append(5)
    seal(until=40)
    assert first_bad() == ""
    retired = f"retired.exchange_callrecord_{retirable:%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {retired} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {retired} SET row_count = 9 WHERE xid = (SELECT xid FROM {retired} ORDER BY xid OFFSET 3 LIMIT 1)")
    assert first_bad().startswith("CALLS seal 1, record 4 of 10")


def test_whom_a_retired_call_with_many_keys_was_about_is_still_compared(retirable: date) -> None:
    proven()
    retire(retirable)
    retired = f"retired.exchange_callsubjects_{retirable:%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {retired} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {retired} SET subject_keys = ARRAY[gen_random_uuid()]")
    assert "subjects of call" in first_bad()


def test_a_month_that_is_not_as_it_was_sealed_stays(retirable: date) -> None:
    proven()
    tamper("exchange_callrecord", "UPDATE exchange_callrecord SET row_count = 9 WHERE consumer_id = 7 AND subject_count = 1")
    with pytest.raises(Conflict) as refused:
        retire(retirable)
    assert refused.value.code == "retention.refuted"
    assert CallRecord.objects.count() == 35


def test_a_month_whose_archive_is_missing_stays(retirable: date) -> None:
    proven()
    next(Path(settings.ARCHIVE_DIR).glob("*.zip")).unlink()
    with pytest.raises(Conflict) as refused:
        retire(retirable)
    assert refused.value.code == "retention.refuted"


def test_a_held_month_stays_until_the_hold_is_released(retirable: date) -> None:
    proven()
    city, now = factories.make_city(), timezone.now()
    scope = holds.Scope(HoldScope.PERIOD, first_day=retirable.replace(day=28), last_day=retirable.replace(day=28))
    held = holds.place(case_number="A-1", reason="案件调查", scope=scope, actor=city.actor("auditor"), now=now)
    verdicts = retention.retire_due(before=None, actor=PLATFORM, now=now)
    assert [verdict.reason for verdict in verdicts if verdict.month == retirable] == ["该月记录在法律保全范围内，不能转存或销毁。"]
    holds.release(hold_uid=held.uid, reason="结案", actor=city.actor("security_admin"), now=now)
    verdicts = retention.retire_due(before=None, actor=PLATFORM, now=now)
    assert [(verdict.record_count, verdict.reason) for verdict in verdicts if verdict.month == retirable] == [(25, "")]


def test_young_months_are_refused_whoever_asks(retirable: date, settings: object) -> None:
    settings.CALLS_HOT_MONTHS = 1  # type: ignore[attr-defined]
    assert retention.hot_since(datetime(2026, 9, 9, tzinfo=timezone.get_current_timezone())) == date(2026, 3, 1)
    with pytest.raises(Invalid):
        retention.retire_due(before=month_ago(0), actor=PLATFORM, now=timezone.now())
    proven()
    with as_role("worker") as cursor, pytest.raises(CheckViolation):
        cursor.execute("SELECT exchange_retire_call_month(%s)", [month_ago(3)])


def test_the_worker_may_take_months_out_and_nothing_else(retirable: date) -> None:
    with as_role("worker") as cursor:
        with pytest.raises(CheckViolation):  # nothing is archived
            cursor.execute("SELECT exchange_retire_call_month(%s)", [retirable])
        cursor.connection.rollback()
        with pytest.raises(UndefinedTable):
            cursor.execute("SELECT exchange_retire_call_month(%s)", [month_ago(40)])
        cursor.connection.rollback()
        proven()
        cursor.execute("SELECT exchange_retire_call_month(%s)", [retirable])
        cursor.connection.commit()
        cursor.execute(f"SELECT count(*) FROM retired.exchange_callrecord_{retirable:%Y%m}")
        assert cursor.fetchall() == [(25,)]
    retired = f"retired.exchange_callrecord_{retirable:%Y%m}"
    for statement in (
        f"DELETE FROM {retired}",
        f"UPDATE {retired} SET row_count = 1",
        f"DROP TABLE {retired}",
        f"SELECT exchange_drop_retired_month('{retirable}')",
        "CREATE TABLE retired.mine (id int)",
    ):
        with as_role("worker") as cursor, pytest.raises(InsufficientPrivilege):
            cursor.execute(statement)
    for role in ("web", "sealer"):
        with as_role(role) as cursor, pytest.raises(InsufficientPrivilege):
            cursor.execute("SELECT exchange_retire_call_month(%s)", [retirable])


def test_nothing_is_dropped_before_three_years(retirable: date) -> None:
    proven()
    retire(retirable)
    with pytest.raises(CommandError):
        call_command("drop_records", f"{retirable:%Y-%m}")
    with connection.cursor() as cursor, pytest.raises(Exception, match="three years"):
        cursor.execute("SELECT exchange_drop_retired_month(%s)", [retirable])
    assert RetiredMonth.objects.get().dropped_at is None


def test_after_three_years_the_archives_alone_prove_the_month(sealable: None, capsys: pytest.CaptureFixture[str]) -> None:
    month = month_ago(40)
    make_month(month)
    append_in(month, 24)
    tamper("exchange_callrecord", "UPDATE exchange_callrecord SET recorded_at = requested_at")
    append(10)
    proven()
    call_command("detach_records", "--before", f"{retention.months_back(month, -1):%Y-%m}")
    assert f"{month:%Y-%m}: detached, 25 records" in capsys.readouterr().out
    call_command("drop_records", f"{month:%Y-%m}")
    assert RetiredMonth.objects.get().dropped_at is not None
    assert first_bad() == ""
    whole = verify_archives(Chain.CALLS, Trust.of_this_platform())
    assert (whole.bad, whole.record_count) == (None, 35)
    assert Seal.objects.filter(chain=Chain.CALLS).count() == 4
    call_command("verify_evidence")
    with pytest.raises(CommandError):
        call_command("drop_records", f"{month:%Y-%m}")


def test_a_row_that_calls_young_records_dropped_hides_nothing(sealable: None) -> None:
    """Whoever owns the database may write such a row; the signed seal says how old its records are."""
    append(10)
    proven()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchange_retiredmonth (month, record_count, xid_first, xid_last, retired_at, dropped_at)"
            " SELECT '2020-01-01', 10, min(xid::text::bigint)::text::xid8, max(xid::text::bigint)::text::xid8, now(), now()"
            " FROM exchange_callrecord"
        )
    tamper("exchange_callrecord", "DELETE FROM exchange_callrecord")
    assert "deleted" in first_bad()


class as_role:  # noqa: N801 - reads as a word
    """A cursor of a real connection as a database role."""

    def __init__(self, role: str) -> None:
        place = connection.settings_dict
        self.real = psycopg2.connect(
            host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user=role, password=password_of(role)
        )

    def __enter__(self) -> psycopg2.extensions.cursor:
        return self.real.cursor()

    def __exit__(self, *_: object) -> None:
        self.real.close()
