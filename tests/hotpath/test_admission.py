"""Nonce and quota in Redis, and what happens when Redis has lost its memory."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exchange.calls import admission, bulk, connections, quota
from exchange.models import CallRecord
from tests.hotpath.records import outcomes_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene, forget_counters
from tests.hotpath.test_refusals import check_recorded

SHANGHAI = ZoneInfo("Asia/Shanghai")


def names_of(kind: str) -> list[bytes]:
    return list(admission.client().scan_iter(admission.key_of(kind, "*")))


def test_nonce_is_kept_exactly_as_long_as_the_signature_could_be_used(scene: Scene) -> None:
    scene.partner.query(scene.grant(), scene.people[0].citizen_id, at=time.time() - 100)
    [nonce] = names_of("nonce")
    assert 199_000 <= admission.client().pttl(nonce) <= 201_500


def test_daily_counter_is_of_the_shanghai_day_and_ends_after_it(scene: Scene) -> None:
    grant = scene.grant()
    scene.partner.query(grant, scene.people[0].citizen_id)
    now = datetime.now(tz=SHANGHAI)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    [counter] = [name for name in names_of("day") if f":{grant.id}:" in name.decode()]
    assert counter.decode().endswith(f":{(now.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days}")
    assert abs(admission.client().ttl(counter) - 3600 - (midnight - now).total_seconds()) < 5


def test_every_trace_of_a_call_in_redis_ends_by_itself_and_none_outlives_its_window(scene: Scene) -> None:
    scene.partner.query(scene.grant(), scene.people[0].citizen_id)
    question = {"key": {"citizen_id": scene.people[0].citizen_id}, "attributes": {"name": "张三丰"}}
    assert scene.partner.call(scene.grant(mode="VERIFY"), "verify", question).status == 200
    window, day = 2 * 300 + 2, 86_400 + 3_600
    for kind, at_most in {"nonce": window, "second": 2, "day": day, "subject": day}.items():
        lives = [admission.client().ttl(name) for name in names_of(kind)]
        assert lives, kind
        assert all(0 <= life <= at_most for life in lives), (kind, lives)
    assert {name.decode().split(":")[2] for name in names_of("*")} == {"epoch", "nonce", "second", "day", "subject"}


def test_per_second_quota_lets_through_what_it_says(scene: Scene) -> None:
    grant = scene.grant(quota_per_second=3)
    while datetime.now(tz=UTC).microsecond > 300_000:  # all calls within one second of the clock
        time.sleep(0.01)
    replies = [scene.partner.query(grant, scene.people[0].citizen_id) for _ in range(5)]
    assert [reply.code for reply in replies] == ["", "", "", "quota.second_exceeded", "quota.second_exceeded"]
    assert replies[3].headers["RateLimit-Limit"] == "3"


def test_a_second_that_ran_out_is_followed_by_a_full_one(scene: Scene) -> None:
    grant = scene.grant(quota_per_second=2)
    while datetime.now(tz=UTC).microsecond > 300_000:
        time.sleep(0.01)
    replies = [scene.partner.query(grant, scene.people[0].citizen_id) for _ in range(3)]
    assert replies[2].code == "quota.second_exceeded"
    assert [admission.client().ttl(name) <= 2 for name in names_of("second")] == [True]
    time.sleep(float(replies[2].headers["Retry-After"]))
    assert [scene.partner.query(grant, scene.people[0].citizen_id).status for _ in range(2)] == [200, 200]


def ask_at(moment: datetime, grant: str, *, nonce: str, quota: int = 3) -> tuple[str, int, int]:
    """Run the admission script as it is, but at a moment of the test's: the server's clock is the only thing not its own."""
    script = admission.ADMIT.replace("redis.call('TIME')", f"{{'{int(moment.timestamp())}', '0'}}")
    assert script != admission.ADMIT
    kinds = (("epoch", ""), ("nonce", nonce), ("second", f"{grant}:"), ("day", f"{grant}:"))
    keys = [admission.key_of(kind, rest) for kind, rest in kinds]
    code, left, reset = admission.client().eval(script, 4, *keys, int(moment.timestamp() * 1000), 300_000, 100, quota)
    return code.decode(), left, reset


def test_at_midnight_in_shanghai_the_days_quota_is_whole_again_and_counters_end_with_their_day(scene: Scene) -> None:
    late = datetime(2027, 3, 31, 23, 59, 57, tzinfo=SHANGHAI)  # still the 31st at 16:00 UTC: days are not of UTC
    asked = [ask_at(late + timedelta(seconds=n), "midnight", nonce=f"n{n}") for n in range(7)]
    assert [code for code, _, _ in asked] == ["", "", "", "", "", "", "quota.day_exceeded"]
    assert [left for _, left, _ in asked] == [2, 1, 0, 2, 1, 0, 0]
    assert [reset for _, _, reset in asked] == [3, 2, 1, 86_400, 86_399, 86_398, 86_397]
    days = sorted(name for name in names_of("day") if b":midnight:" in name)
    lives = [admission.client().ttl(name) for name in days]
    assert len(days) == 2
    assert 0 < lives[0] <= 3 + 3600
    assert 3600 < lives[1] <= 86_400 + 3600


def test_a_refusal_before_midnight_takes_nothing_from_the_day_after(scene: Scene) -> None:
    late = datetime(2027, 4, 30, 23, 59, 59, tzinfo=SHANGHAI)
    assert [ask_at(late, "eve", nonce=f"n{n}", quota=2)[0] for n in range(5)] == ["", "", *["quota.day_exceeded"] * 3]
    assert ask_at(late + timedelta(seconds=1), "eve", nonce="n5", quota=2) == ("", 1, 86_400)


def test_limit_headers_only_go_down_within_a_day_and_end_where_the_refusals_begin(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=6)
    replies = [scene.partner.query(grant, scene.people[0].citizen_id) for _ in range(9)]
    told = [{name: int(reply.headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")} for reply in replies]
    assert {each["Limit"] for each in told} == {6}
    assert [each["Remaining"] for each in told] == [5, 4, 3, 2, 1, 0, 0, 0, 0]
    assert [reply.status for reply in replies] == [200] * 6 + [429] * 3
    resets = [each["Reset"] for each in told]
    assert resets == sorted(resets, reverse=True)


def test_request_refused_for_quota_may_be_sent_again_as_it_is(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=1)
    scene.partner.query(grant, scene.people[0].citizen_id)
    at = time.time()
    assert scene.partner.query(grant, scene.people[0].citizen_id, nonce="try-again", at=at).code == "quota.day_exceeded"
    admission.client().delete(*names_of("day"))
    assert scene.partner.query(grant, scene.people[0].citizen_id, nonce="try-again", at=at).status == 200


def test_after_the_loss_quotas_are_rebuilt_and_older_requests_refused(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=3)
    old = time.time()
    for _ in range(2):
        assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    forget_counters()
    reply = scene.partner.query(grant, scene.people[0].citizen_id, at=old)
    check_refused(reply, "auth.before_restart")
    check_recorded(scene, reply, "auth.before_restart")
    time.sleep(0.002)
    assert scene.partner.query(grant, scene.people[0].citizen_id).headers["RateLimit-Remaining"] == "0"
    assert scene.partner.query(grant, scene.people[0].citizen_id).code == "quota.day_exceeded"


def test_calls_under_way_in_the_database_are_waited_for_before_quotas_are_rebuilt(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=2)
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    own = {"call_id": "gen_random_uuid()", "nonce": "nonce || '-slow'"}
    columns = [field.column for field in CallRecord._meta.concrete_fields if field.column]
    slow = (
        f"INSERT INTO exchange_callrecord ({', '.join(columns)}) SELECT {', '.join(own.get(name, name) for name in columns)} "
        "FROM exchange_callrecord, pg_sleep(0.5) WHERE grant_id = %s"
    )
    other = connections.connect()
    recording = threading.Thread(target=lambda: other.cursor().execute(slow, [grant.id]))
    recording.start()
    time.sleep(0.1)
    forget_counters()
    reply = scene.partner.query(grant, scene.people[0].citizen_id)
    recording.join()
    other.close()
    assert reply.code in {"quota.day_exceeded", "auth.before_restart"}
    time.sleep(0.002)
    assert scene.partner.query(grant, scene.people[0].citizen_id).code == "quota.day_exceeded"
    assert outcomes_of(grant).count("call.answered") == 2


def test_while_another_process_rebuilds_calls_are_told_to_wait(scene: Scene) -> None:
    forget_counters()
    admission.client().set(admission.key_of("lock"), "another", px=5_000)
    grant = scene.grant()
    reply = scene.partner.query(grant, scene.people[0].citizen_id)
    check_refused(reply, "platform.recovering")
    assert reply.headers["Retry-After"] == "1"
    assert outcomes_of(grant) == ["platform.recovering"]


def test_first_start_has_nothing_to_forget_and_answers_at_once(scene: Scene) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE exchange_callrecord")
    forget_counters()
    assert scene.partner.query(scene.grant(), scene.people[0].citizen_id).status == 200
    assert admission.client().get(admission.key_of("epoch")) == b"0"


def test_only_the_holder_of_the_lock_may_finish(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_counters()
    slow = quota._count

    def count(now: datetime) -> tuple[dict[str, int], datetime | None]:
        admission.client().set(admission.key_of("lock"), "another", px=5_000)
        return slow(now)

    monkeypatch.setattr(quota, "_count", count)
    check_refused(scene.partner.query(scene.grant(), scene.people[0].citizen_id), "platform.recovering")
    assert admission.client().get(admission.key_of("epoch")) is None


def test_bulk_answers_have_a_bounded_number_of_places(scene: Scene) -> None:
    grant = scene.grant(mode="BULK")
    for place in range(bulk.AT_ONCE):
        bulk.take_place(-place)
    try:
        reply = scene.partner.call(grant, "bulk", {})
    finally:
        for place in range(bulk.AT_ONCE):
            bulk.give_place(-place)
    check_refused(reply, "platform.busy")
    for _ in range(bulk.AT_ONCE + 1):
        assert scene.partner.call(grant, "bulk", {}).status == 200
    assert CallRecord.objects.filter(grant_id=grant.id, outcome="call.closed").count() == bulk.AT_ONCE + 1
