"""Folding call records into roll-ups (滚动汇总): each record once, whatever is killed when.

Records are taken by transaction, below the oldest one still running, so that a late commit is waited for and never missed. Cursor
and roll-ups are written in one transaction. What is not folded yet is read from the records themselves (`figures`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from exchange.evidence.sealing import end_of_batch
from exchange.models import CallStatistic, Chain, Grain, StatisticsCursor
from exchange.statistics.durations import BOUNDS, BUCKET_COUNT

BATCH: Final = 20_000
CURSOR: Final = 1
KEPT: Final = {Grain.MINUTE: timedelta(days=40), Grain.HOUR: timedelta(days=400)}  # days are kept for good

KEY: Final = "grain, starts_at, department_id, consumer_id, provider_id, resource_id, grant_id, mode, outcome"
SUMS: Final = "call_count, row_count, request_bytes, answer_bytes, duration_sum, duration_min, duration_max, buckets, hours"
GRAINS: Final = "(VALUES ('MINUTE', 'minute'), ('HOUR', 'hour'), ('DAY', 'day'), ('EVER', 'century'))"
_BUCKETS: Final = ", ".join(f"count(*) FILTER (WHERE bucket = {number})::int" for number in range(BUCKET_COUNT))
_HOURS: Final = ", ".join(f"count(*) FILTER (WHERE hour = {number})::int" for number in range(24))

# One line a roll-up out of the records a condition chooses. A closing record has neither duration nor hour: it is no call.
ROLLED: Final = f"""
SELECT grains.grain, CASE grains.grain WHEN 'EVER' THEN 'epoch'::timestamptz
        ELSE date_trunc(grains.unit, requested_at, 'Asia/Shanghai') END AS starts_at,
    department_id, consumer_id, provider_id, resource_id, grant_id, mode, outcome,
    count(*) AS call_count, coalesce(sum(row_count), 0)::bigint AS row_count,
    coalesce(sum(request_bytes), 0)::bigint AS request_bytes, coalesce(sum(answer_bytes), 0)::bigint AS answer_bytes,
    coalesce(sum(duration), 0)::bigint AS duration_sum, min(duration) AS duration_min, max(duration) AS duration_max,
    ARRAY[{_BUCKETS}] AS buckets, CASE grains.grain WHEN 'DAY' THEN ARRAY[{_HOURS}] END AS hours
FROM (
    SELECT requested_at, department_id, consumer_id, provider_id, resource_id, grant_id, mode, outcome, row_count,
        request_bytes, answer_bytes, CASE WHEN parent_call_id IS NULL THEN duration_us END AS duration,
        CASE WHEN parent_call_id IS NULL THEN width_bucket(duration_us, ARRAY{list(BOUNDS)}::bigint[]) END AS bucket,
        CASE WHEN parent_call_id IS NULL THEN extract(hour FROM requested_at AT TIME ZONE 'Asia/Shanghai') END AS hour
    FROM exchange_callrecord r WHERE {{condition}}
) AS records CROSS JOIN {{grains}} AS grains (grain, unit)
GROUP BY grains.grain, 2, 3, 4, 5, 6, 7, 8, 9"""


def _added(column: str, length: int) -> str:
    parts = (f"s.{column}[{number}] + EXCLUDED.{column}[{number}]" for number in range(1, length + 1))
    return f"{column} = ARRAY[{', '.join(parts)}]"


FOLD: Final = f"""
INSERT INTO exchange_callstatistic AS s ({KEY}, {SUMS})
{ROLLED.format(condition="r.xid >= %(xid_from)s::xid8 AND r.xid < %(xid_to)s::xid8", grains=GRAINS)}
ON CONFLICT ({KEY}) DO UPDATE SET
    call_count = s.call_count + EXCLUDED.call_count, row_count = s.row_count + EXCLUDED.row_count,
    request_bytes = s.request_bytes + EXCLUDED.request_bytes, answer_bytes = s.answer_bytes + EXCLUDED.answer_bytes,
    duration_sum = s.duration_sum + EXCLUDED.duration_sum, duration_min = least(s.duration_min, EXCLUDED.duration_min),
    duration_max = greatest(s.duration_max, EXCLUDED.duration_max), {_added("buckets", BUCKET_COUNT)},
    hours = CASE WHEN s.hours IS NOT NULL THEN {_added("hours", 24).removeprefix("hours = ")} END"""


def fold_all(*, now: datetime, batch: int = BATCH) -> int:
    """Fold whatever is due, a transaction a batch; return how many batches that were."""
    count = 0
    while fold_next(now=now, batch=batch):
        count += 1
    return count


@transaction.atomic(durable=True)
def fold_next(*, now: datetime, batch: int = BATCH) -> bool:
    """Fold the next batch; False when nothing is due or another worker is at it. Killed in the middle nothing has happened."""
    StatisticsCursor.objects.bulk_create([StatisticsCursor(pk=CURSOR, xid_to=0, folded_at=now)], ignore_conflicts=True)
    cursor = StatisticsCursor.objects.select_for_update(skip_locked=True).filter(pk=CURSOR).first()
    if cursor is None:
        return False
    with connection.cursor() as sql:
        xid_to = end_of_batch(sql, Chain.CALLS, cursor.xid_to, batch)
        if xid_to is None:
            return False
        sql.execute("SET LOCAL jit = off")
        sql.execute(FOLD, {"xid_from": str(cursor.xid_to), "xid_to": str(xid_to)})
    cursor.xid_to, cursor.folded_at = xid_to, now
    cursor.save(update_fields=["xid_to", "folded_at"])
    return True


def drop_expired(*, now: datetime) -> int:
    """Drop the minutes and hours that are no longer kept; return how many lines that were."""
    old = (CallStatistic.objects.filter(grain=grain, starts_at__lt=now - kept) for grain, kept in KEPT.items())
    return sum(rows.delete()[0] for rows in old)
