"""Figures of the calls: they equal what clients counted, at once, exactly, for those who may see them and nobody else."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from collections import Counter
from datetime import datetime
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection

from exchange.models import CallRecord, CallStatistic, Grain, StatisticsCursor
from exchange.statistics import folding, periods
from exchange.statistics.figures import CallScope, Figures, figures
from exchange.statistics.sides import ENDINGS, Side, side_of
from openapi.calls import application
from tests import factories
from tests.exchange.killing import finish, kill_when
from tests.hotpath import partner as partners
from tests.hotpath.scene import Scene

CALLS = 10_000


@pytest.fixture(autouse=True)
def empty(scene: Scene) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE exchange_callrecord, exchange_callstatistic, exchange_statisticscursor")


def read(scene: Scene, who: str = "reviewer", name: str = "7", **narrowed: object) -> Figures:
    now = datetime.now().astimezone()
    return figures(actor=scene.city.actor(who), scope=CallScope(periods.named(name, now), **narrowed))  # type: ignore[arg-type]


def own_connection() -> psycopg2.extensions.connection:
    place = connection.settings_dict
    return psycopg2.connect(
        host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user=place["USER"], password=place["PASSWORD"]
    )


def fold_everything() -> None:
    """Fold until nothing is left: transactions of other databases of the same server are waited for as well."""
    until = time.monotonic() + 120
    last = CallRecord.objects.order_by("-xid").values_list("xid", flat=True)[0]
    while not StatisticsCursor.objects.filter(xid_to__gt=last).exists():
        assert time.monotonic() < until, "a transaction on this server does not end"
        if not folding.fold_all(now=datetime.now().astimezone(), batch=50):
            time.sleep(0.05)


def counted(found: Figures) -> dict[str, int]:
    return {outcome: calls for outcome, calls in found.outcomes.items() if outcome not in ENDINGS}


def test_figures_equal_what_the_clients_counted_before_and_after_they_are_rolled_up(scene: Scene) -> None:
    choose = random.Random(7)
    query = scene.grant(quota_per_second=100_000, quota_per_day=900)
    verify = scene.grant(mode="VERIFY", quota_per_second=100_000, quota_per_day=100_000)
    suspended = scene.grant(state="SUSPENDED")
    person = scene.people[0].citizen_id
    kinds = [
        (lambda: scene.partner.query(query, person), 50),
        (lambda: scene.partner.query(query, partners.generate_citizen_id("990101", scene.people[0].birth_on, 999)), 10),
        (lambda: scene.partner.call(verify, "verify", {"key": {"citizen_id": person}, "attributes": {"name": "张三丰"}}), 45),
        (lambda: scene.partner.query(suspended, person), 5),
        (lambda: scene.partner.call(query, "query", {"key": {"citizen_id": "1"}}), 5),
        (lambda: scene.partner.call(query, "query", {"key": {"citizen_id": person}, "fields": ["address"]}), 3),
    ]
    told: Counter[str] = Counter()
    for position in range(CALLS):
        (kind,) = choose.choices([call for call, _ in kinds], [weight for _, weight in kinds])
        told[kind().code or "call.answered"] += 1
        if position in (CALLS // 4, CALLS // 2):
            folding.fold_all(now=datetime.now().astimezone(), batch=100)
    assert {"call.answered", "quota.day_exceeded", "grant.suspended", "call.invalid_parameter", "grant.field_not_granted"} <= set(
        told
    )
    for name in ("hour", "day", "7", "365"):
        assert counted(read(scene, name=name)) == dict(told)
    fold_everything()
    for name in ("hour", "day", "7", "365"):
        found = read(scene, name=name)
        assert counted(found) == dict(told)
        assert (found.total.answered, found.total.calls) == (told["call.answered"], CALLS)
        assert sum(sum(pair) for pair in found.trend.values()) == sum(found.heat.values()) == CALLS
    assert sum(CallStatistic.objects.filter(grain=Grain.EVER).values_list("call_count", flat=True)) == CALLS
    latency = read(scene).total.latency
    assert latency is not None
    assert 0 < latency.lowest <= latency.mean <= latency.highest
    assert latency.lowest <= latency.p95 <= latency.highest


def test_a_call_is_in_the_figures_as_soon_as_it_is_answered(scene: Scene) -> None:
    grant = scene.grant()
    folding.fold_all(now=datetime.now().astimezone())
    started = time.monotonic()
    scene.partner.query(grant, scene.people[0].citizen_id)
    assert read(scene, name="hour").total.answered == 1
    assert time.monotonic() - started < 5


def test_a_department_reads_only_what_it_used_or_provided(scene: Scene) -> None:
    foreign = factories.make_resource(scene.city.market)
    both = partners.make_partner(scene.city.education)
    other = partners.make_partner(scene.city.market)
    own_data = partners.grant_to(both, scene.resource, scene.city)
    foreign_data = partners.grant_to(both, foreign, scene.city)
    used_by_market = partners.grant_to(other, foreign, scene.city)
    for partner, grant in ((both, own_data), (both, foreign_data), (other, used_by_market)):
        assert partner.query(grant, scene.people[0].citizen_id).status == 200
    seen = {
        who: read(scene, who).total.calls for who in ("reviewer", "auditor", "police_operator", "education_head", "market_head")
    }
    assert seen == {"reviewer": 3, "auditor": 3, "police_operator": 1, "education_head": 2, "market_head": 2}
    assert read(scene, "system_admin").total.calls == read(scene, "security_admin").total.calls == 0
    assert read(scene, "police_operator", resource=foreign.uid).total.calls == 0
    assert read(scene, "market_head", resource=foreign.uid, system=both.system.uid).total.calls == 1


def test_filters_and_sides_follow_the_calls(scene: Scene) -> None:
    grant, revoked = scene.grant(), scene.grant(state="REVOKED")
    scene.partner.query(grant, scene.people[0].citizen_id)
    scene.partner.query(revoked, scene.people[0].citizen_id)
    scene.partner.query(grant, scene.people[0].citizen_id, at=time.time() - 3600)
    assert read(scene).sides() == {Side.GRANT: 1, Side.CREDENTIAL: 1}
    assert read(scene, grant=grant.uid).total.calls == 1  # a call out of time is refused before its grant is looked at
    assert read(scene, outcome="refused").total.calls == 2
    assert read(scene, outcome="grant.revoked").total.calls == 1
    assert read(scene, mode="BULK").total.calls == 0
    assert read(scene, department=uuid4()).total.calls == 0


def test_a_bulk_call_counts_once_and_brings_rows_and_bytes(scene: Scene) -> None:
    grant = scene.grant(mode="BULK")
    reply = scene.partner.call(grant, "bulk", {})
    for _ in range(2):
        found = read(scene)
        assert (found.total.calls, found.total.rows, found.total.answer_bytes) == (1, len(scene.people), len(reply.body))
        assert found.outcomes == {"call.opened": 1, "call.closed": 1}
        fold_everything()


def test_the_record_says_how_long_how_large_and_how_much_is_left(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=10)
    reply = scene.partner.query(grant, scene.people[0].citizen_id)
    scene.partner.call(grant, "query", b"{}")
    answered, refused = CallRecord.objects.filter(grant_id=grant.pk).order_by("recorded_at")
    assert answered.status == 200
    assert (answered.answer_bytes, answered.quota_left, answered.subject_count) == (len(reply.body), 9, 1)
    assert answered.request_bytes == len(json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}))
    assert 0 < (answered.duration_us or 0) < 5_000_000
    assert (refused.status, refused.outcome, refused.request_bytes, refused.answer_bytes) == (
        422,
        "call.invalid_parameter",
        2,
        None,
    )


def test_a_length_beyond_any_body_is_recorded_bounded(scene: Scene) -> None:
    grant = scene.grant()
    raw = b"{}"
    path = partners.path_of(grant, "query")
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": "9" * 30,
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(raw),
    }
    for name, value in scene.partner.headers(path, raw).items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    application(environ, lambda *_: None)
    assert CallRecord.objects.get(grant_id=grant.pk).request_bytes == 2**31 - 1


def test_a_record_that_commits_late_is_waited_for_and_counted_once(scene: Scene) -> None:
    grant = scene.grant()
    scene.partner.query(grant, scene.people[0].citizen_id)
    late = own_connection()
    with late.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exchange_callrecord"
            " (requested_at, consumer_id, call_id, credential_id, department_id, grant_id, mode, outcome)"
            " VALUES (now(), 1, gen_random_uuid(), 1, 1, 1, 'QUERY', 'call.answered')"
        )
    scene.partner.query(grant, scene.people[0].citizen_id)
    folding.fold_all(now=datetime.now().astimezone())
    assert read(scene).total.answered == 2
    late.commit()
    late.close()
    assert read(scene).total.answered == 3
    fold_everything()
    assert read(scene).total.answered == 3
    assert sum(CallStatistic.objects.filter(grain="DAY").values_list("call_count", flat=True)) == 3


def test_folding_twice_at_once_counts_once(scene: Scene) -> None:
    grant = scene.grant()
    for _ in range(60):
        scene.partner.query(grant, scene.people[0].citizen_id)

    def fold() -> None:
        try:
            folding.fold_all(now=datetime.now().astimezone(), batch=5)
        finally:
            connection.close()

    workers = [threading.Thread(target=fold) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    fold_everything()
    assert sum(CallStatistic.objects.filter(grain="DAY").values_list("call_count", flat=True)) == 60


def test_a_worker_killed_while_rolling_up_neither_loses_nor_doubles_a_call(scene: Scene) -> None:
    fill = """
        INSERT INTO exchange_callrecord
            (requested_at, consumer_id, call_id, credential_id, department_id, grant_id, mode, outcome, xid)
        SELECT now() - n * interval '1 second', n % 7, gen_random_uuid(), 1, n % 3, 1, 'QUERY', 'call.answered',
            (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 4000 + n)::text::xid8 FROM generate_series(1, 3000) n"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        cursor.execute(fill)
    fold = "from exchange.statistics import folding\nfolding.fold_all(now=timezone.now(), batch=20)"

    def begun() -> bool:
        return StatisticsCursor.objects.filter(xid_to__gt=0).exists()

    kills = sum(kill_when(fold, begun, delay) for delay in (0.0, 0.05, 0.2))
    finish(fold)
    fold_everything()
    assert kills
    assert sum(CallStatistic.objects.filter(grain="DAY").values_list("call_count", flat=True)) == 3000
    assert read(scene, name="30").total.answered == 3000


def test_every_refusal_has_a_side() -> None:
    from exchange.calls.refusals import REFUSALS

    assert {code for code in REFUSALS if side_of(code) is None} == set()
    assert side_of("platform.unavailable") is Side.PLATFORM
    assert side_of("grant.unusable") is Side.PROVIDER
