"""What aggregation and calls tell of quality (质量指标): whether plans kept their time and count, whether services answered.

Registered as measures of `basedb.quality`; and the runs whose rows have not been checked yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Sum

from basedb.models import QualityCheck
from basedb.quality import asking
from basedb.quality.measures import Measured
from catalog.models import Binding, Resource
from exchange.models import AggregationPlan, AggregationRun, CallStatistic, Grain, RunState
from exchange.statistics.sides import Side, side_of

LOOKED_BACK: Final = timedelta(days=7)
BATCHES_LOOKED_BACK: Final = timedelta(days=1)
_GRACE: Final = 2  # a plan is late when twice its period has passed without a good run


def freshness(dataset: str, now: datetime) -> Mapping[int, Measured]:
    """Return, by department, how many plans with a period there are, and how many had no good run in twice that period."""
    told: dict[int, Measured] = {}
    for plan in AggregationPlan.objects.filter(dataset=dataset, is_active=True).exclude(every_minutes=None):
        since = now - timedelta(minutes=_GRACE * (plan.every_minutes or 0))
        kept = plan.runs.filter(state=RunState.SUCCEEDED, is_replay=False, finished_at__gte=since).exists()
        so_far = told.get(plan.department_id, Measured(0, 0))
        told[plan.department_id] = Measured(so_far.checked + 1, so_far.failed + (not kept))
    return told


def reconciliation(dataset: str, now: datetime) -> Mapping[int, Measured]:
    """Return, by department, how many rows the sources counted in the last good run of each plan, and how many did not come in."""
    told: dict[int, Measured] = {}
    runs = AggregationRun.objects.filter(state=RunState.SUCCEEDED, is_replay=False, finished_at__lte=now)
    for plan in AggregationPlan.objects.filter(dataset=dataset, is_active=True):
        last = runs.filter(plan=plan).exclude(expected_count=None).order_by("-id").first()
        if last is None:
            continue
        so_far = told.get(plan.department_id, Measured(0, 0))
        checked = max(last.expected_count or 0, last.read_count)
        told[plan.department_id] = Measured(so_far.checked + checked, so_far.failed + checked - last.accepted_count)
    return told


def accessibility(dataset: str, now: datetime) -> Mapping[int, Measured]:
    """Return, by providing department, the calls of the last days, and those its own side or the platform's kept from an answer."""
    mounted = Resource.objects.filter(pk__in=Binding.objects.filter(dataset=dataset).values("resource"))
    lines = (
        CallStatistic.objects.filter(grain=Grain.HOUR, starts_at__gte=now - LOOKED_BACK, resource_id__in=mounted.values("pk"))
        .exclude(provider_id=None)
        .values("provider_id", "outcome")
        .annotate(calls=Sum("call_count"))
    )
    told: dict[int, Measured] = {}
    for line in lines:
        away = side_of(line["outcome"]) in (Side.PROVIDER, Side.PLATFORM, Side.UPSTREAM)
        provider = int(line["provider_id"] or 0)
        so_far = told.get(provider, Measured(0, 0))
        told[provider] = Measured(so_far.checked + line["calls"], so_far.failed + (line["calls"] if away else 0))
    return told


def check_batches(*, now: datetime) -> int:
    """Ask for a check of every run that brought changes lately and has none; return how many."""
    asked = 0
    checked = QualityCheck.objects.filter(batch=OuterRef("uid"))
    lately = AggregationRun.objects.filter(
        ~Exists(checked), state=RunState.SUCCEEDED, changed_count__gt=0, finished_at__gte=now - BATCHES_LOOKED_BACK
    )
    for run in lately.select_related("plan").order_by("id"):
        asked += asking.ask_for_batch(dataset=run.plan.dataset, batch=run.uid, run_id=run.pk, now=now) is not None
    return asked
