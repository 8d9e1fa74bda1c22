"""Quota after Redis has lost its memory (配额重建): today's admissions are counted from the call record.

While the epoch marker is missing nobody is admitted. The first call that meets this rebuilds the counters under a lock;
then the marker is set to the time of the rebuilding, and requests signed before it are refused. Only when no call was
admitted lately - a first start - there is nothing to replay and the marker is zero. Nothing is counted before the
statements that were under way in the database have ended; a call that waits for a source outside may be missing in the
count, one a thread at most.
"""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import redis
from django.conf import settings
from redis.exceptions import RedisError

from exchange.calls import admission, connections
from exchange.calls.refusals import Refusal

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
LOCK_MS: Final = 15_000
COUNT: Final = """
SELECT coalesce(jsonb_object_agg(grant_id, used), '{}'), max(last_at) FROM (
    SELECT grant_id, coalesce(sum(coalesce(subject_count, 1)) FILTER (WHERE recorded_at >= <<midnight>>), 0) AS used,
        max(requested_at) AS last_at
    FROM exchange_callrecord
    WHERE requested_at >= <<since>> AND outcome IN ('call.answered', 'call.opened') GROUP BY grant_id) AS admitted"""
# Calls that Redis admitted before it was lost write their records in statements that had begun by then. A copy has its record.
UNDER_WAY: Final = """
SELECT coalesce(array_agg(pid || ' ' || query_start), '{}') FROM pg_stat_activity
WHERE application_name = <<application>> AND state = 'active' AND query NOT ILIKE 'copy %%' AND pid <> pg_backend_pid()"""
PAUSE_SECONDS: Final = 0.02
# Who was asked about only once starts again: their counts would be the most, and add one question to the limit.
SUBJECTS: Final = """
SELECT coalesce(jsonb_agg(jsonb_build_array(consumer_id, encode(substr(subject, 1, 8), 'hex'), asked)), '[]') FROM (
    SELECT consumer_id, subject, count(*) AS asked FROM (
        SELECT consumer_id, subject_key AS subject FROM exchange_callrecord
        WHERE requested_at >= <<since>> AND recorded_at >= <<midnight>> AND mode = 'VERIFY' AND outcome = 'call.answered'
            AND subject_key IS NOT NULL
        UNION ALL
        SELECT consumer_id, uuid_send(unnest(subject_keys))
        FROM exchange_callsubjects JOIN exchange_callrecord USING (requested_at, consumer_id, call_id)
        WHERE requested_at >= <<since>> AND recorded_at >= <<midnight>> AND mode = 'VERIFY') AS questions
    GROUP BY consumer_id, subject HAVING count(*) > 1) AS counted"""
PARAMETERS: Final = (("midnight", "timestamptz"), ("since", "timestamptz"))
# KEYS: lock, epoch, then counters. ARGV: token, epoch, seconds to live, then counts. Only the holder of the lock may set them.
FINISH: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
for i = 3, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1], 'EX', ARGV[3]) end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1])
return 1
"""


def rebuild() -> None:
    """Set today's counters and the epoch, unless another process is at it: then `platform.recovering`."""
    token = secrets.token_hex(16)
    try:
        client = admission.client()
        lock = admission.key_of("lock")
        if not client.set(lock, token, nx=True, px=LOCK_MS):
            raise Refusal("platform.recovering")
        seconds, microseconds = client.time()
        now = datetime.fromtimestamp(seconds + microseconds / 1e6, tz=UTC)
        _let_end_what_is_under_way()
        used, last_at = _count(now)
        window = timedelta(seconds=2 * settings.CALL_WINDOW_SECONDS)
        epoch = int(now.timestamp() * 1000) if last_at and last_at > now - window else 0
        day, until_midnight = _day(now)
        names = [admission.key_of("day", f"{grant}:{day}") for grant in used]
        _recount_subjects(client, now)
        finish = client.register_script(FINISH)
        keys = [lock, admission.key_of("epoch"), *names]
        if not finish(keys=keys, args=[token, epoch, until_midnight + 3600, *used.values()]):
            raise Refusal("platform.recovering")
    except RedisError as error:
        admission.logger.error("Redis away while quotas are rebuilt: %s", type(error).__name__)
        raise Refusal("platform.unavailable") from None
    level = logging.WARNING if used else logging.DEBUG  # on a first start there is nothing to warn of
    admission.logger.log(level, "quotas of %d grants rebuilt from the call record", len(used))


def _let_end_what_is_under_way() -> None:
    """Wait for the statements that may still write records of calls Redis no longer knows; each has its time limit."""
    until = time.monotonic() + connections.STATEMENT_TIMEOUT_MS / 1000
    waited_for = _under_way()
    while waited_for:
        if time.monotonic() > until:
            raise Refusal("platform.recovering")
        time.sleep(PAUSE_SECONDS)
        waited_for &= _under_way()


def _under_way() -> set[str]:
    row = connections.run(UNDER_WAY, (("application", "text"),), {"application": connections.APPLICATION})
    return set(row[0]) if row else set()


def _count(now: datetime) -> tuple[dict[str, int], datetime | None]:
    """Return today's admissions by grant and the latest signed time."""
    row = connections.run(COUNT, PARAMETERS, _today(now))
    if row is None:
        return {}, None
    return {grant: used for grant, used in row[0].items() if used}, row[1]


def _recount_subjects(client: redis.Redis, now: datetime) -> None:
    """Count again how often systems asked about the same person today; a day too large to be counted starts anew."""
    day, until_midnight = _day(now)
    try:
        row = connections.run(SUBJECTS, PARAMETERS, _today(now))
    except Refusal:
        admission.logger.error("questions about subjects could not be counted again: today's begin anew")
        return
    pipe = client.pipeline(transaction=False)
    for consumer, subject, asked in row[0] if row else ():
        name, field = admission.subject_counter(consumer, day, subject)
        pipe.hset(name, field, asked)
        pipe.expire(name, until_midnight + 3600)
    pipe.execute()


def _today(now: datetime) -> dict[str, Any]:
    """Return since when records are read, and the midnight they are counted from: signed times differ by the window."""
    midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    window = timedelta(seconds=2 * settings.CALL_WINDOW_SECONDS)
    return {"midnight": midnight, "since": min(midnight, now - window) - window}


def _day(now: datetime) -> tuple[int, int]:
    """Return the number of the Shanghai day, as the admission script counts it, and the seconds left of it."""
    shanghai = int(now.timestamp()) + 28_800
    return shanghai // 86_400, 86_400 - shanghai % 86_400
