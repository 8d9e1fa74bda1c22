"""Plans and runs of aggregation: the list, a plan with its runs, starting one, watching it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.audit import Actor
from core.errors import NotFound
from core.keyset import page
from core.submissions import digest_of, once
from exchange.aggregation import laying_down, plans, schema_drift
from exchange.aggregation.connector import dataset_of
from exchange.aggregation.connectors.registry import DROPS
from exchange.aggregation.rejects import OPEN_STATES
from exchange.aggregation.visibility import may_look_after, plans_visible_to, runs_visible_to, visible_plan
from exchange.lineage.impact import broken_columns, impact_of_breaks
from exchange.models import AggregationPlan, AggregationRun, ConnectorKind, RejectedRow, RunState
from portal.actor import BUSINESS, actor, roles_required
from portal.aggregation.forms import StartForm
from portal.aggregation.upkeep import free_fields

RUNS_ON_CHART = 20
GOOD_RUNS = AggregationRun.objects.filter(plan=OuterRef("pk"), state=RunState.SUCCEEDED, is_replay=False)
LAST_SUCCESS = GOOD_RUNS.order_by("-id").values("finished_at")[:1]
WATCHED = (RunState.QUEUED, RunState.RUNNING)


@require_GET
@roles_required(*BUSINESS)
def plan_list(request: HttpRequest) -> HttpResponse:
    """The plans a person may see, each with its last run."""
    last = AggregationRun.objects.filter(plan=OuterRef("pk")).order_by("-id").values("pk")[:1]
    rows = plans_visible_to(actor(request)).annotate(last_run_id=Subquery(last), last_success_at=Subquery(LAST_SUCCESS))
    found = page(rows, order=("id",), cursor=request.GET.get("after", ""))
    runs = AggregationRun.objects.in_bulk([plan.last_run_id for plan in found.items if plan.last_run_id])  # type: ignore[attr-defined]
    lines = [
        {
            "plan": plan,
            "run": runs.get(plan.last_run_id or 0),  # type: ignore[attr-defined]
            "dataset": dataset_of(plan).title,
            "freshness": freshness_of(plan, plan.last_success_at),  # type: ignore[attr-defined]
        }
        for plan in found.items
    ]
    context = {"page": found, "lines": lines, "may_lay_down": laying_down.may_lay_down(actor(request))}
    return render(request, "portal/aggregation/list.html", context)


def freshness_of(plan: AggregationPlan, last: datetime | None) -> dict[str, Any]:
    """Say how old the data is, against the cycle that was promised; half a cycle more is forgiven."""
    if not plan.every_minutes or last is None:
        return {"last": last}
    late = timezone.now() - last > timedelta(minutes=plan.every_minutes * 1.5)
    return {"last": last, "state": "STOPPED" if late else "SUCCEEDED", "word": _("超期") if late else _("按期")}


@require_GET
@roles_required(*BUSINESS)
def plan_detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One plan: source, timetable, runs, and how many rejected rows wait."""
    plan = visible_plan(uid, actor(request))
    runs = AggregationRun.objects.filter(plan=plan).select_related("started_by")
    dataset = dataset_of(plan)
    context = {
        "plan": plan,
        "dataset": dataset,
        "source": _source_of(plan),
        "mapping": [(field, plan.columns[field.name]) for field in dataset.fields if field.name in plan.columns],
        "page": page(runs, order=("-id",), cursor=request.GET.get("after", ""), size=10),
        "waiting": RejectedRow.objects.filter(plan=plan, state__in=OPEN_STATES).count(),
        "files": plan.files.select_related("run").order_by("-id")[:10] if plan.connector in DROPS else [],
        "is_under_way": runs.filter(state__in=WATCHED).first(),
        "form": StartForm(),
        "chart": _chart(runs),
        "looks_after": may_look_after(plan, actor(request)),
        "changes": schema_drift.pending_of(plan),
        "free_fields": free_fields(plan),
        "freshness": freshness_of(plan, _last_success(runs)),
        "broken": _broken(plan, actor(request)),
    }
    return render(request, "portal/aggregation/plan.html", context)


def _broken(plan: AggregationPlan, who: Actor) -> dict[str, Any] | None:
    """Return the columns that broke and who waits for them; no impact while the lineage does not know the plan yet."""
    breaks = broken_columns(plan)
    if not breaks:
        return None
    try:
        return {"columns": breaks, "impact": impact_of_breaks(plan=plan, breaks=breaks, actor=who)}
    except NotFound:
        return {"columns": breaks, "impact": None}


def _last_success(runs: QuerySet[AggregationRun]) -> datetime | None:
    found = runs.filter(state=RunState.SUCCEEDED, is_replay=False).order_by("-id").first()
    return found.finished_at if found else None


def _source_of(plan: AggregationPlan) -> str:
    """Say where rows come from, without credentials."""
    place: dict[str, Any] = plan.settings
    if plan.connector in DROPS:
        return f"{place.get('folder', '')}/{place.get('pattern') or '*'}"
    if plan.connector == ConnectorKind.HTTP_PAGES:
        return str(place.get("url", "")).partition("?")[0]
    return f"{place.get('host', '')}:{place.get('port', '')}/{place.get('database', '')} · {place.get('table', '')}"


def _chart(runs: QuerySet[AggregationRun]) -> dict[str, Any] | None:
    """Return rows per run, the oldest on the left; None while there is nothing to compare."""
    last = list(reversed(runs.exclude(state__in=WATCHED).order_by("-id")[:RUNS_ON_CHART]))
    if len(last) < 2:
        return None
    series = (
        (_("变更"), [run.changed_count for run in last]),
        (_("未变"), [run.accepted_count - run.changed_count for run in last]),
        (_("拒收"), [run.rejected_count for run in last]),
    )
    return {
        "color": ["#2fb344", "#c8d3e1", "#d63939"],
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 8, "top": 16, "bottom": 36, "containLabel": True},
        "xAxis": {"type": "category", "data": [timezone.localtime(run.queued_at).strftime("%m-%d %H:%M") for run in last]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [{"name": name, "type": "bar", "stack": "rows", "data": values, "barMaxWidth": 40} for name, values in series],
    }


@require_POST
@roles_required(*BUSINESS)
def start(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Start a run by hand and go to watch it."""
    who = actor(request)
    plan = visible_plan(uid, who)
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("页面已失效，请刷新后重试。"))
        return redirect("portal:plan-detail", uid=plan.uid)

    def make() -> str:
        return str(plans.queue_run(plan_uid=uid, actor=who, now=timezone.now()).uid)

    run_uid, _is_new = once(
        owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest_of({"plan": str(uid)}), make=make
    )
    messages.success(request, _("已提交，空闲的后台进程会立即开始。本页自动更新进度。"))
    return redirect("portal:plan-run", uid=run_uid)


def _visible_run(request: HttpRequest, uid: UUID) -> AggregationRun:
    run = runs_visible_to(actor(request)).filter(uid=uid).first()
    if run is None:
        raise NotFound("run.not_found", _("没有这次归集，或您无权查看。"))
    return run


@require_GET
@roles_required(*BUSINESS)
def run_detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One run: progress, outcome, batches."""
    run = _visible_run(request, uid)
    context = {
        "run": run,
        "plan": run.plan,
        "page": page(run.batches.all(), order=("-sequence",), cursor=request.GET.get("after", "")),
    }
    return render(request, "portal/aggregation/run.html", context | _progress(run))


@require_GET
@roles_required(*BUSINESS)
def run_progress(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The part of the page that is asked for every two seconds."""
    run = _visible_run(request, uid)
    return render(request, "portal/aggregation/progress.html", {"run": run, "plan": run.plan} | _progress(run))


def _progress(run: AggregationRun) -> dict[str, Any]:
    known = run.expected_count is not None and run.expected_count > 0
    percent = min(100, 100 * run.read_count // run.expected_count) if known else None  # type: ignore[operator]
    seconds = ((run.finished_at or timezone.now()) - run.started_at).total_seconds() if run.started_at else None
    return {
        "is_live": run.state in WATCHED,
        "percent": percent,
        "unchanged": run.accepted_count - run.changed_count,
        "seconds": None if seconds is None else max(0, round(seconds)),
    }
