"""Metrics for Prometheus (监控指标): calls out of the roll-ups, and what waits: seals, desks, requests, batches, sources.

Services are told by resource code, providers by department code; consumers, people and subjects not at all. Counters only grow:
they are read from the roll-ups of all time, which are never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Min, Q
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from catalog.models import Resource
from core.models import Department
from exchange.evidence.lag import lags
from exchange.models import (
    AccessRequest,
    BackflowBatch,
    BatchState,
    BreakerState,
    Desk,
    SourceConnection,
    StatisticsCursor,
    UpstreamInterface,
)
from exchange.statistics import periods
from exchange.statistics.durations import BOUNDS, BUCKET_COUNT
from exchange.statistics.figures import CallScope, ask, values_of
from exchange.statistics.sides import ENDINGS, side_of

_BUCKETS: Final = ", ".join(f"sum(buckets[{number}])" for number in range(1, BUCKET_COUNT + 1))
CALLS: Final = "SELECT resource_id, provider_id, mode, outcome, sum(call_count) AS calls FROM base GROUP BY 1, 2, 3, 4"
SERVICES: Final = (
    "SELECT resource_id, provider_id, coalesce(sum(row_count), 0) AS rows, coalesce(sum(answer_bytes), 0) AS bytes, "
    f"coalesce(sum(duration_sum) FILTER (WHERE is_ok), 0) AS duration, ARRAY[{_BUCKETS}] AS buckets "
    "FROM base WHERE is_ok OR NOT calls > 0 GROUP BY 1, 2"
)


class Collector:
    """Asks the database anew for every reading; nothing is counted in a process."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        scope = CallScope(periods.ever())
        values = values_of(scope, sees_all=True, own=None)
        found = ask({"calls": CALLS, "services": SERVICES}, conditions=scope.conditions(), values=values)
        codes = _codes(found["services"] + found["calls"])
        yield from _calls(found["calls"], codes)
        yield from _services(found["services"], codes)
        yield from _waiting(self._now)


Codes = dict[tuple[int | None, int | None], list[str]]


def _codes(lines: list[dict[str, Any]]) -> Codes:
    """Return the labels service and provider of every pair of numbers."""
    pairs = {(line["resource_id"], line["provider_id"]) for line in lines}
    services = dict(Resource.objects.filter(pk__in=[a for a, _ in pairs if a]).values_list("pk", "code"))
    providers = dict(Department.objects.filter(pk__in=[b for _, b in pairs if b]).values_list("pk", "code"))
    return {(a, b): [services.get(a) or "", providers.get(b) or ""] for a, b in pairs}


def _calls(lines: list[dict[str, Any]], codes: Codes) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "exchange_calls", "Calls by side of failure (answered: none).", labels=["service", "provider", "mode", "outcome"]
    )
    counted: dict[tuple[str, ...], int] = {}
    for line in lines:
        side = side_of(line["outcome"])
        ending = line["outcome"].removeprefix("call.") if line["outcome"] in ENDINGS else "answered"
        key = (*codes[line["resource_id"], line["provider_id"]], line["mode"], side.value.lower() if side else ending)
        counted[key] = counted.get(key, 0) + line["calls"]
    for labels, number in sorted(counted.items()):
        calls.add_metric(list(labels), number)
    yield calls


def _services(lines: list[dict[str, Any]], codes: Codes) -> Iterator[Metric]:
    labels = ["service", "provider"]
    rows = CounterMetricFamily("exchange_rows", "Rows answered.", labels=labels)
    size = CounterMetricFamily("exchange_answer_bytes", "Bytes answered.", labels=labels)
    took = HistogramMetricFamily("exchange_call_duration_seconds", "From arrival to the record; answered calls.", labels=labels)
    for line in lines:
        own = codes[line["resource_id"], line["provider_id"]]
        rows.add_metric(own, line["rows"])
        size.add_metric(own, line["bytes"])
        took.add_metric(own, buckets=_cumulative(line["buckets"]), sum_value=line["duration"] / 1_000_000)
    yield from (rows, size, took)


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    bounds = [*(str(bound / 1_000_000) for bound in BOUNDS), "+Inf"]
    return [(bound, float(sum(buckets[: place + 1]))) for place, bound in enumerate(bounds)]


def _waiting(now: datetime) -> Iterator[Metric]:
    with connection.cursor() as cursor:
        seal = GaugeMetricFamily("exchange_seal_lag_seconds", "Age of the oldest unsealed record.", labels=["chain"])
        for chain, seconds in lags(cursor).items():
            seal.add_metric([chain], seconds)
    yield seal
    folded = StatisticsCursor.objects.values_list("folded_at", flat=True).first()
    if folded is not None:
        age = (now - folded).total_seconds()
        yield GaugeMetricFamily("exchange_statistics_age_seconds", "Since records were last rolled up.", value=age)
    open_requests = AccessRequest.objects.filter(decided_at=None, submitted_at__isnull=False).exclude(desk=Desk.NOBODY).order_by()
    waiting = GaugeMetricFamily("exchange_requests_waiting", "Requests that wait, by desk.", labels=["desk"])
    oldest = GaugeMetricFamily("exchange_requests_oldest_seconds", "Age of the oldest of them.", labels=["desk"])
    overdue = GaugeMetricFamily("exchange_requests_overdue", "Those past the deadline of their desk.", labels=["desk"])
    late = Count("pk", filter=Q(due_at__lt=now))
    for row in open_requests.values("desk").annotate(count=Count("pk"), first=Min("submitted_at"), late=late):
        waiting.add_metric([row["desk"]], row["count"])
        oldest.add_metric([row["desk"]], (now - row["first"]).total_seconds())
        overdue.add_metric([row["desk"]], row["late"])
    yield from (waiting, oldest, overdue)
    batches = BackflowBatch.objects.filter(state=BatchState.PREPARED).count()
    yield GaugeMetricFamily("exchange_backflow_batches_open", "Batches not yet acknowledged.", value=batches)
    breakers = GaugeMetricFamily("exchange_source_breaker_open", "1 while a source's breaker is not closed.", labels=["source"])
    for model in (SourceConnection, UpstreamInterface):
        for uid, state in model.objects.filter(is_active=True).values_list("uid", "breaker_state"):
            breakers.add_metric([str(uid)], float(state != BreakerState.CLOSED))
    yield breakers
