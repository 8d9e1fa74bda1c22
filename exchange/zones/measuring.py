"""Measuring data zones (专区统计): every night one line a department and dataset, each number by one statement over the platform.

Pages read these lines and count nothing themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, Max, Q, Sum

from basedb.dictionary import DATASETS
from basedb.models import ConflictState, DataSource, FusionConflict, QualityResult, QualityTask
from basedb.quality import scores
from catalog.models import Binding
from core.calendar import SHANGHAI
from exchange.models import (
    AggregationPlan,
    AggregationRun,
    CallStatistic,
    Grain,
    Grant,
    GrantState,
    RejectedRow,
    RejectState,
    RunState,
    ZoneFigure,
)
from exchange.statistics.sides import ENDINGS

CALL_DAYS: Final = 30
KEPT_DAYS: Final = 400
_Lines = dict[tuple[int, str], dict[str, Any]]


@transaction.atomic
def measure(*, now: datetime) -> int:
    """Write today's lines anew and drop those that are too old; return how many stand for today."""
    today = now.astimezone(SHANGHAI).date()
    lines: _Lines = defaultdict(dict)
    _held(lines)
    _delivered(lines, now)
    _put(lines, "quality_task_count", _of(QualityTask.objects.filter(closed_at=None), "department_id", "dataset"))
    _put(lines, "conflict_count", _of(FusionConflict.objects.filter(state=ConflictState.OPEN), "owner_id", "dataset"))
    _scored(lines)
    _used(lines, now)
    # One measuring at a time: the second one waits for the first and writes the same.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exchange_zonefigure'))")
    ZoneFigure.objects.filter(Q(measured_on=today) | Q(measured_on__lt=today - timedelta(days=KEPT_DAYS))).delete()
    figures = [
        ZoneFigure(department_id=department, dataset=dataset, measured_on=today, measured_at=now, **told)
        for (department, dataset), told in lines.items()
    ]
    return len(ZoneFigure.objects.bulk_create(figures))


def _put(lines: _Lines, name: str, told: Iterable[tuple[int | None, str, Any]]) -> None:
    for department, dataset, value in told:
        if department is not None and dataset in DATASETS:
            lines[department, dataset][name] = value


def _of(rows: Any, department: str, dataset: str) -> Iterable[tuple[int | None, str, Any]]:
    return list(rows.order_by().values_list(department, dataset).annotate(found=Count("id")))


def _held(lines: _Lines) -> None:
    """Count the rows that stand in each base by the department they come from."""
    with connection.cursor() as cursor:
        for code, dataset in DATASETS.items():
            cursor.execute(f"SELECT source_department_id, count(*) FROM {dataset.table} WHERE withdrawn_at IS NULL GROUP BY 1")
            _put(lines, "row_count", [(department, code, count) for department, count in cursor.fetchall()])


def _delivered(lines: _Lines, now: datetime) -> None:
    """Tell sources, the last run that went well, the cycle that was promised, rejected rows that wait.

    A replay brings back what was rejected, it is no delivery.
    """
    _put(lines, "source_count", _of(DataSource.objects.all(), "department_id", "dataset"))
    good = AggregationRun.objects.filter(state=RunState.SUCCEEDED, is_replay=False).order_by()
    last = good.values_list("plan__department_id", "plan__dataset").annotate(found=Max("finished_at"))
    _put(lines, "last_good_run_at", last)
    _promised(lines, dict(good.values_list("plan").annotate(found=Max("finished_at"))), now)
    waiting = RejectedRow.objects.filter(state__in=(RejectState.OPEN, RejectState.CORRECTED))
    _put(lines, "reject_count", _of(waiting, "plan__department_id", "plan__dataset"))


def _promised(lines: _Lines, last_of_plan: Mapping[int, datetime], now: datetime) -> None:
    """Put in cycle and last delivery of the plan that is furthest behind: one that keeps its time hides no other that does not."""
    furthest: dict[tuple[int, str], float] = {}
    for plan in AggregationPlan.objects.filter(is_active=True, every_minutes__gt=0).order_by("id"):
        last, key = last_of_plan.get(plan.pk), (plan.department_id, plan.dataset)
        behind = inf if last is None else (now - last) / timedelta(minutes=plan.every_minutes or 1)
        if plan.dataset in DATASETS and behind > furthest.get(key, -inf):
            furthest[key] = behind
            lines[key] |= {"promised_minutes": plan.every_minutes, "last_good_run_at": last}


def _scored(lines: _Lines) -> None:
    """Put in the score of what each department delivers, of the newest check of a dataset."""
    newest = QualityResult.objects.filter(check_of__in=scores.newest_checks().values()).exclude(department=None)
    found = scores.grouped(newest.select_related("rule"), lambda result: (result.department_id, result.rule.dataset))
    told = [(department, dataset, score.percent) for (department, dataset), score in found.items()]
    _put(lines, "quality_percent", told)


def _used(lines: _Lines, now: datetime) -> None:
    """Put in the grants in force on each provider's resources and the calls of the last days."""
    grants = Grant.objects.filter(state=GrantState.ACTIVE, valid_to__gt=now)
    _put(lines, "grant_count", _of(grants, "resource__provider_id", "resource__binding__dataset"))
    since = now - timedelta(days=CALL_DAYS)
    calls = CallStatistic.objects.filter(grain=Grain.DAY, starts_at__gte=since).exclude(outcome__in=ENDINGS)
    datasets = dict(Binding.objects.values_list("resource_id", "dataset"))
    counted: dict[tuple[int, str], int] = defaultdict(int)
    by_resource = calls.order_by().values_list("provider_id", "resource_id").annotate(found=Sum("call_count"))
    for provider, resource, count in by_resource:
        if provider is not None and resource in datasets:
            counted[provider, datasets[resource]] += count
    _put(lines, "call_count", [(provider, dataset, count) for (provider, dataset), count in counted.items()])
