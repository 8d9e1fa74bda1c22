"""`record.bytes`: a call record with its share of the indexes, at one million. `stats.page`: the figures of op-monitoring's page.

`record.bytes` measures records as calls leave them: every column of an answered query filled in, matter and officer too.
`stats.page` asks for 30 days over five million records; the yardstick `scan` groups the same records afresh in one pass: service,
consumer, outcome, hour and bucket of duration, and does nothing with the groups. Both are told as pages a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from bench import frame

MILLION = 1_000_000
RECORDS = 5 * MILLION
DAYS = 30
BATCH = 250_000
# 100 grants of 100 systems; 4 of 100 calls are refused. The transactions lie one behind the other, as calls' do.
FILL = """
INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, nonce, grant_id, grant_version, resource_id,
    provider_id, department_id, mode, outcome, fields, subject_key, row_count, request_digest, answer_digest, client_ip,
    recorded_at, xid, status, duration_us, request_bytes, answer_bytes, quota_left, subject_count, matter, officer, case_number)
SELECT at, n %% 100, gen_random_uuid(), n %% 100, substr(md5(n::text), 1, 22), n %% 100, 1, n %% 20, n %% 10, n %% 40, 'QUERY',
    CASE n %% 25 WHEN 7 THEN 'quota.day_exceeded' ELSE 'call.answered' END, ARRAY['citizen_id', 'name', 'sex', 'address'],
    substr(sha256(n::text::bytea), 1, 16), 1, sha256(n::text::bytea), sha256((n + 1)::text::bytea), '10.1.2.3', at,
    (3 + n::bigint * (%(last)s - 4) / %(count)s)::text::xid8, 200, 800 + n %% 9001,
    46, 210, 100000 - n %% 100000, 1, 'SX-320100-0042', '320104' || n %% 100, NULL
FROM (
    SELECT n, now() - %(days)s * interval '1 day' * (%(count)s - n) / %(count)s AS at FROM generate_series(1, %(count)s) n
) AS calls
"""
SCAN = """
SELECT count(*) FROM (
    SELECT resource_id, provider_id, consumer_id, department_id, outcome, date_trunc('hour', requested_at, 'Asia/Shanghai') AS hour,
        width_bucket(duration_us, ARRAY{bounds}::bigint[]) AS bucket, count(*), sum(row_count), sum(request_bytes),
        sum(answer_bytes), sum(duration_us), min(duration_us), max(duration_us)
    FROM exchange_callrecord WHERE requested_at >= %(since)s AND requested_at < %(until)s AND parent_call_id IS NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7) AS groups"""


def run() -> Iterable[dict[str, object]]:
    """Yield both figures."""
    from tests import factories

    _make_partitions()
    _fill(MILLION, last=2 * MILLION)  # a transaction each, as calls are
    yield frame.figure("record.bytes", _bytes_a_record(), "bytes") | {"records": MILLION, "limit": 600}
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE exchange_callrecord")
    _fill(RECORDS, last=_oldest_running())
    _fold()
    actor = factories.make_city().actor("reviewer")
    _check(actor)
    medians = frame.in_turn({"page": lambda: _page(actor), "scan": _scan}, rounds=3)
    line = frame.figure("stats.page", medians["page"], "1/s", scan=medians["page"] / medians["scan"])
    yield line | {"records": RECORDS, "seconds": float(f"{1 / medians['page']:.3g}")}


def _make_partitions() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT exchange_make_call_record_partition((current_date - n * 30)::date) FROM generate_series(0, 2) n")


def _oldest_running() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        number: int = cursor.fetchone()[0]
    return number


def _fill(count: int, *, last: int) -> None:
    from django.db import connection

    frame.say(f"Making {count:,} call records ...")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(FILL, {"count": count, "days": DAYS, "last": last})
        cursor.execute("VACUUM (ANALYZE) exchange_callrecord")


def _bytes_a_record() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(relid))::float8 / %s FROM pg_partition_tree('exchange_callrecord') WHERE isleaf",
            [MILLION],
        )
        size: float = cursor.fetchone()[0]
    return size


def _fold() -> None:
    from django.db import connection
    from django.utils import timezone

    from exchange.statistics import folding

    started = time.perf_counter()
    batches = folding.fold_all(now=timezone.now(), batch=BATCH)
    frame.say(f"Rolled up in {batches} batches, {RECORDS / (time.perf_counter() - started):,.0f} records/s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) exchange_callstatistic")


def _figures(actor: Any) -> Any:
    from django.utils import timezone

    from exchange.statistics import periods
    from exchange.statistics.figures import CallScope, figures
    from exchange.statistics.names import names_of

    found = figures(actor=actor, scope=CallScope(periods.last_days(DAYS + 1, timezone.now())))
    names_of(found)
    return found


def _check(actor: Any) -> None:
    calls = _figures(actor).total.calls
    if calls != RECORDS:
        raise RuntimeError(f"{calls} of {RECORDS} calls")


def _page(actor: Any) -> float:
    started = time.perf_counter()
    for _ in range(5):
        _figures(actor)
    return 5 / (time.perf_counter() - started)


def _scan() -> float:
    from django.db import connection
    from django.utils import timezone

    from exchange.statistics import periods
    from exchange.statistics.durations import BOUNDS

    period = periods.last_days(DAYS + 1, timezone.now())
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(SCAN.format(bounds=list(BOUNDS)), {"since": period.since, "until": period.until})
    return 1 / (time.perf_counter() - started)
