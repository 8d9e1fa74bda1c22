"""Backflow: a district holds exactly its own people, whoever changes, moves, or is killed in between."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connection, transaction
from django.utils import timezone

from basedb import changes, ingest
from basedb.dictionary import PERSON
from basedb.ingest import Intake, RejectSink
from basedb.models import DataSource, Person
from basedb.staging import RawRow
from core.audit import PLATFORM
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from exchange.backflow import batches, delivery, subscriptions
from exchange.models import BackflowBatch, BackflowMember, BackflowSubscription, SubscriptionState
from exchange.systems import key_ring
from tests.exchange.aggregation_sources import COLUMNS, person
from tests.exchange.killing import finish, kill_when
from tests.factories import City, make_city

TABLE = "hl_rk_test"
FIELDS = ["citizen_id", "name", "birth_on", "region_code", "address"]
INSIDE, OUTSIDE = "320102", "320104"

pytestmark = pytest.mark.django_db(transaction=True)


class District:
    """The receiver's database, looked at from over there."""

    def __init__(self) -> None:
        self.connection = psycopg2.connect(os.environ["DEMO_DISTRICT_URL"])
        self.connection.autocommit = True
        self.clear()

    def clear(self) -> None:
        self.rows(f"DROP TABLE IF EXISTS {TABLE}; DROP TABLE IF EXISTS backflow_receipt")

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def people(self) -> dict[str, str]:
        return dict(self.rows(f"SELECT citizen_id, name FROM {TABLE}"))

    def receipts(self) -> list[int]:
        return [row[0] for row in self.rows("SELECT sequence FROM backflow_receipt ORDER BY sequence")]


@pytest.fixture
def district() -> Iterator[District]:
    there = District()
    yield there
    there.clear()
    there.connection.close()


@pytest.fixture
def town() -> City:
    return make_city()


def subscribe(town: City, now: datetime, **values: Any) -> BackflowSubscription:
    url = urlsplit(os.environ["DEMO_DISTRICT_URL"])
    given: dict[str, Any] = {
        "title": "玄武区人口回流",
        "department": town.education,
        "region": town.districts[INSIDE],
        "dataset": PERSON.code,
        "fields": FIELDS,
        "settings": {"host": url.hostname, "port": url.port, "database": url.path[1:], "user": url.username, "table": TABLE},
        "password": url.password,
        "actor": PLATFORM,
        "batch_size": 10,
    }
    return subscriptions.create_subscription(now=now, **given | values)


@pytest.fixture
def subscription(town: City, now: datetime, district: District) -> BackflowSubscription:
    return subscribe(town, now)


def put(town: City, rows: list[dict[str, str]]) -> None:
    """Bring rows into the base table by ingest, in a transaction of their own."""
    sink = RejectSink("SELECT count(*) FROM rejected", ())
    now = timezone.now()
    described = {"title": "人口数源", "dataset": PERSON.code, "department": town.police, "collector": "PUBLIC_SECURITY"}
    source = DataSource.objects.get_or_create(code="backflow", defaults=described)[0]
    intake = Intake(PERSON, source, tuple(COLUMNS), 1, key_ring().subject_key, sink, now.date(), now)
    with transaction.atomic():
        raw = [RawRow(n, [row[c] for c in COLUMNS.values()]) for n, row in enumerate(rows)]
        assert ingest.merge(intake, ingest.stage(intake, "backflow_test", raw)).rejected == 0


def wait_for_horizon() -> None:
    """Other databases of the cluster hold the horizon back while their transactions last."""
    last = max(Person.objects.values_list("changed_xid", flat=True), default=0)
    until = time.monotonic() + 60
    while changes.horizon() <= last and time.monotonic() < until:
        time.sleep(0.02)


def flow(subscription: BackflowSubscription, *, wait: bool = True) -> BackflowSubscription:
    if wait:
        wait_for_horizon()
    BackflowSubscription.objects.update(next_run_at=None)
    batches.work(subscription_uid=subscription.uid, clock=timezone.now)
    subscription.refresh_from_db()
    return subscription


def own_people() -> dict[str, str]:
    return dict(Person.objects.filter(region_code__startswith=INSIDE).values_list("citizen_id", "name"))


def test_district_gets_its_own_people_and_later_only_changes(
    town: City, subscription: BackflowSubscription, district: District
) -> None:
    put(town, [person(n) for n in range(1, 61)])
    flow(subscription)
    assert subscription.last_error == ""
    assert district.people() == own_people() != {}
    assert len(own_people()) == 40
    done = list(BackflowBatch.objects.order_by("sequence").values_list("row_count", "removed_count", "state"))
    assert done == [(10, 0, "ACKNOWLEDGED")] * 4
    put(town, [person(1, XM="改名"), person(3, XM="外区改名")])
    flow(subscription)
    assert district.people() == own_people()
    assert BackflowBatch.objects.latest("sequence").row_count == 1
    assert flow(subscription).batches.count() == 5
    assert district.receipts() == [1, 2, 3, 4, 5]


def test_person_who_moves_away_is_removed_over_there(town: City, subscription: BackflowSubscription, district: District) -> None:
    put(town, [person(1), person(2)])
    flow(subscription)
    put(town, [person(1, HJQH=OUTSIDE)])
    flow(subscription)
    assert list(district.people().values()) == ["张2"]
    assert BackflowBatch.objects.latest("sequence").removed_count == 1
    assert BackflowMember.objects.count() == 1
    put(town, [person(1, HJQH=INSIDE + "001")])
    flow(subscription)
    assert sorted(district.people().values()) == ["张1", "张2"]


def test_row_that_commits_late_is_not_skipped(town: City, subscription: BackflowSubscription, district: District) -> None:
    late = psycopg2.connect(
        **{k: v for k, v in connection.get_connection_params().items() if k in ("host", "port", "dbname", "user", "password")}
    )
    put(town, [person(1), person(2)])
    with late.cursor() as cursor:
        cursor.execute("UPDATE basedb_person SET name = '迟到', changed_xid = pg_current_xact_id() WHERE name = '张1'")
    put(town, [person(4), person(2, XM="早到")])  # a newer transaction that commits first
    flow(subscription, wait=False)
    assert "迟到" not in district.people().values()
    late.commit()
    late.close()
    flow(subscription)
    assert district.people() == own_people()
    assert "迟到" in district.people().values()


def test_batch_delivered_but_not_acknowledged_is_not_written_again(
    town: City, subscription: BackflowSubscription, district: District, now: datetime
) -> None:
    put(town, [person(1), person(2)])
    wait_for_horizon()
    lease = batches.take(subscription_uid=subscription.uid, now=now)
    assert lease is not None
    received = delivery.prepare_target(subscription)
    batch = batches.prepare(lease, now, received=received)
    assert batch is not None
    delivery.deliver(subscription, batches.pack(lease, batch.pk))
    district.rows(f"UPDATE {TABLE} SET name = '未再写'")
    put(town, [person(1, HJQH=OUTSIDE)])  # moves away between delivery and acknowledgement
    BackflowSubscription.objects.update(lease_until=now - timedelta(seconds=1))
    flow(subscription)
    assert list(district.people().values()) == ["未再写"]
    assert list(BackflowBatch.objects.order_by("sequence").values_list("row_count", "removed_count")) == [(2, 0), (0, 1)]


def test_worker_that_lost_its_lease_acknowledges_nothing(
    town: City, subscription: BackflowSubscription, district: District, now: datetime
) -> None:
    put(town, [person(1)])
    stale = batches.take(subscription_uid=subscription.uid, now=now)
    assert stale is not None
    assert batches.take(subscription_uid=subscription.uid, now=now) is None
    assert batches.take(subscription_uid=subscription.uid, now=now + timedelta(minutes=5)) is not None
    with pytest.raises(batches.LeaseLost):
        batches.prepare(stale, now, received=0)
    assert not BackflowBatch.objects.exists()


def test_receiver_that_is_away_is_tried_again(town: City, now: datetime, district: District) -> None:
    subscription = subscribe(town, now, settings={"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "table": TABLE})
    put(town, [person(1)])
    flow(subscription)
    assert subscription.last_error == "目标库连接不上。"
    assert subscription.lease_token is None
    assert subscription.next_run_at is not None
    assert not BackflowBatch.objects.exists()
    subscribed = urlsplit(os.environ["DEMO_DISTRICT_URL"])
    subscription.settings |= {"port": subscribed.port, "database": subscribed.path[1:], "user": subscribed.username}
    subscription.save()
    assert flow(subscription).last_error == ""
    assert district.people() == own_people()


def test_receiver_set_back_is_noticed_and_can_start_over(
    town: City, subscription: BackflowSubscription, district: District, now: datetime
) -> None:
    put(town, [person(1), person(2)])
    flow(subscription)
    district.rows(f"DELETE FROM backflow_receipt; DELETE FROM {TABLE} WHERE name = '张1'")
    put(town, [person(4)])
    assert "恢复过备份" in flow(subscription).last_error
    with pytest.raises(Forbidden):
        subscriptions.start_over(uid=subscription.uid, actor=town.actor("education_head"), now=now)
    subscriptions.start_over(uid=subscription.uid, actor=town.actor("reviewer"), now=now)
    assert flow(subscription).last_error == ""
    assert district.people() == own_people()


def _set_back(subscription: BackflowSubscription) -> None:
    """Our own database as a backup from before the last batch would have it."""
    before = subscription.batches.get(sequence=1)
    subscription.batches.filter(sequence__gt=1).delete()
    BackflowSubscription.objects.update(cursor_xid=before.to_xid, cursor_id=before.to_id)


def test_our_own_database_set_back_is_noticed_and_starting_over_replaces_all(
    town: City, subscription: BackflowSubscription, district: District, now: datetime
) -> None:
    put(town, [person(1), person(2)])
    flow(subscription)
    BackflowBatch.objects.update(to_xid=subscription.cursor_xid)
    put(town, [person(4)])
    flow(subscription)
    assert district.receipts() == [1, 2]
    _set_back(subscription)
    put(town, [person(1, XM="恢复后改名")])
    assert "请由审核员重新全量回流" in flow(subscription).last_error
    assert not subscription.batches.filter(sequence__gt=1, state="ACKNOWLEDGED").exists()
    district.rows(f"UPDATE {TABLE} SET citizen_id = '990101', subject_key = 'ff' WHERE name = '张2'")
    subscriptions.start_over(uid=subscription.uid, actor=town.actor("reviewer"), now=now)
    assert flow(subscription).last_error == ""
    assert district.people() == own_people()
    assert district.receipts() == [1, 2, 3]
    put(town, [person(2, XM="再改名")])
    assert flow(subscription).last_error == ""
    assert district.people() == own_people()


def test_counting_transactions_anew_delivers_nothing_until_started_over(
    town: City, subscription: BackflowSubscription, district: District, now: datetime
) -> None:
    put(town, [person(n) for n in range(1, 40)])
    flow(subscription)
    held = district.people()
    with connection.cursor() as cursor:  # as after a restore elsewhere: rows and cursor keep the larger numbers of before
        cursor.execute("UPDATE basedb_person SET changed_xid = (changed_xid::text::bigint + 1000000000)::text::xid8")
        cursor.execute("UPDATE exchange_backflowsubscription SET cursor_xid = (cursor_xid::text::bigint + 1000000000)::text::xid8")
    put(town, [person(1, XM="改名")])
    assert "事务编号已重新计数" in flow(subscription, wait=False).last_error
    assert district.people() == held
    subscriptions.start_over(uid=subscription.uid, actor=town.actor("reviewer"), now=now)
    assert flow(subscription, wait=False).last_error == ""
    assert district.people() == own_people() != held
    put(town, [person(2, XM="又改名"), person(4, HJQH=OUTSIDE)])
    until = time.monotonic() + 60
    while district.people() != own_people() and time.monotonic() < until:
        assert flow(subscription, wait=False).last_error == ""
    assert district.people() == own_people()


def test_smaller_batches_do_not_break_an_open_one(
    town: City, subscription: BackflowSubscription, district: District, now: datetime
) -> None:
    put(town, [person(1), person(2), person(4)])
    lease = batches.take(subscription_uid=subscription.uid, now=now)
    assert lease is not None
    assert batches.prepare(lease, now, received=delivery.prepare_target(subscription)) is not None
    BackflowSubscription.objects.update(batch_size=1, lease_until=now - timedelta(seconds=1))
    assert flow(subscription).last_error == ""
    assert district.people() == own_people()


def test_audit_tells_counts_and_digest_and_no_person(town: City, subscription: BackflowSubscription, district: District) -> None:
    put(town, [person(1)])
    flow(subscription)
    entry = AuditEntry.objects.get(action="backflow_batch.acknowledged")
    assert (entry.detail["rows"], entry.detail["removed"], len(entry.detail["digest"])) == (1, 0, 64)
    assert person(1)["GMSFHM"] not in str(entry.detail)
    assert entry.department_ids == [town.education.pk]


def test_only_a_reviewer_lays_down_and_changes_subscriptions(town: City, subscription: BackflowSubscription, now: datetime) -> None:
    reviewer, receiver, other = town.actor("reviewer"), town.actor("education_head"), town.actor("market_head")
    with pytest.raises(Forbidden):
        subscribe(town, now, actor=receiver, region=town.districts[OUTSIDE])
    with pytest.raises(Conflict):
        subscribe(town, now, actor=reviewer)
    with pytest.raises(Invalid) as wrong:
        subscribe(town, now, actor=reviewer, region=town.districts[OUTSIDE], fields=["password"], settings={"table": "x; DROP"})
    assert wrong.value.details.keys() == {"fields", "table", "host"}
    pause: dict[str, Any] = {"uid": subscription.uid, "state": SubscriptionState.SUSPENDED, "now": now}
    with pytest.raises(Forbidden):
        subscriptions.change_state(**pause, revision=1, actor=receiver)
    with pytest.raises(NotFound):
        subscriptions.change_state(**pause, revision=1, actor=other)
    with pytest.raises(Conflict):
        subscriptions.change_state(**pause, revision=7, actor=reviewer)
    subscriptions.change_state(**pause, revision=1, actor=reviewer)
    assert batches.due(now=now) == []
    assert batches.take(subscription_uid=subscription.uid, now=now) is None


def test_killed_delivery_loses_and_doubles_nothing(town: City, district: District, now: datetime) -> None:
    subscription = subscribe(town, now, batch_size=40)
    put(town, [person(n) for n in range(1, 3001)])
    code = f"from exchange.backflow import batches; batches.work(subscription_uid='{subscription.uid}', clock=timezone.now)"
    wait_for_horizon()
    killed = 0
    for round_ in range(4):
        wanted = 10 * round_

        def reached(wanted: int = wanted) -> bool:
            subscription.refresh_from_db()
            return subscription.batches.count() > wanted and subscription.lease_until > timezone.now()

        killed += kill_when(code, reached, random.uniform(0, 0.1))
        put(town, [person(round_ * 7 + 1, HJQH=OUTSIDE, XM=f"迁{round_}"), person(round_ * 7 + 2, XM=f"改{round_}")])
        BackflowSubscription.objects.update(lease_until=timezone.now() - timedelta(seconds=1), next_run_at=None)
    assert killed >= 3
    wait_for_horizon()
    finish(code)
    assert district.people() == own_people()
    count = subscription.batches.count()
    assert district.receipts() == list(range(1, count + 1))
    assert not subscription.batches.filter(state="PREPARED").exists()
    assert {bytes(key) for key in BackflowMember.objects.values_list("subject_key", flat=True)} == {
        bytes(key) for key in Person.objects.filter(region_code__startswith=INSIDE).values_list("subject_key", flat=True)
    }


def test_row_our_own_database_does_not_take_is_in_no_log(
    town: City, subscription: BackflowSubscription, district: District, caplog: pytest.LogCaptureFixture
) -> None:
    put(town, [person(1)])
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_member() RETURNS trigger LANGUAGE plpgsql AS $$"
            "BEGIN RAISE EXCEPTION 'cannot take 张1 %', NEW; END $$;"
            "CREATE TRIGGER refuse_member BEFORE INSERT ON exchange_backflowmember FOR EACH ROW EXECUTE FUNCTION refuse_member()"
        )
    try:
        flow(subscription)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse_member CASCADE")
    assert subscription.last_error == "平台内部错误（错误码 P0001），稍后自动重试。"
    assert subscription.lease_token is None
    assert "P0001" in caplog.text
    assert "张1" not in caplog.text
    assert flow(subscription).last_error == ""
    assert district.people() == own_people()
