"""Scores and reports: how good the data is, what a check found, and asking for a check."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from basedb.dictionary import DATASETS
from basedb.models import CheckState, Dimension, QualityCheck, QualityResult
from basedb.quality import asking, scores
from basedb.quality.scores import Score, Verdict
from core.errors import DomainError
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from exchange.aggregation.rejects import by_rule
from exchange.aggregation.visibility import runs_visible_to
from portal.actor import BUSINESS, actor, roles_required
from portal.quality import charts
from portal.quality.forms import DatasetFilter, ScoreFilter, StartForm

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
WATCHED = (CheckState.QUEUED, CheckState.RUNNING)


def title_of(dataset: str) -> Any:
    """Return the title of a dataset, its code when it is gone."""
    return DATASETS[dataset].title if dataset in DATASETS else dataset


def field_title(dataset: str, name: str) -> Any:
    """Return the title of a field, its name when the contract has none such."""
    try:
        return DATASETS[dataset].field(name).title if name else ""
    except KeyError:
        return name


@require_GET
@roles_required(*SEERS)
def overview(request: HttpRequest) -> HttpResponse:
    """The newest scores by dimension, department, dataset and field, and how a dataset, or a part of it, did before."""
    who, form = actor(request), ScoreFilter(request.GET)
    chosen = form.chosen()
    dataset = chosen.pop("dataset", "")
    results = scores.narrowed(scores.newest_results(who), **chosen)
    if dataset:
        results = results.filter(rule__dataset=dataset)
    found = list(results.order_by("rule__dataset", "rule__code"))
    context = {"form": form, "start_form": StartForm(auto_id="start_%s"), "may_start": who.has(Role.REVIEWER)} | _figures(found)
    if dataset:
        past = scores.history(who, dataset=dataset, **chosen)
        labels = [timezone.localtime(check.finished_at).strftime("%m-%d %H:%M") for check, _score in past]
        context["past"] = [(check, score.percent) for check, score in past]
        context["trend"] = charts.trend(labels, [score.percent for _check, score in past])
        context["fields"] = _fields(found, dataset)
        context["lines"] = _lines(found)
    return render(request, "portal/quality/overview.html", context, status=422 if form.errors else 200)


def _figures(found: list[QualityResult]) -> dict[str, Any]:
    whole = Score()
    for result in found:
        whole.add(result)
    of_dimension = scores.grouped(found, lambda result: result.rule.dimension)
    told = (result for result in found if result.department or result.error)  # nothing checked is nobody's
    of_department = scores.grouped(told, lambda result: result.department)  # two may have the same short name
    named = [(department.short_name if department else _("全市"), score) for department, score in of_department.items()]
    of_dataset = scores.grouped(found, lambda result: result.rule.dataset)
    departments = sorted(named, key=lambda pair: (pair[1].percent is None, pair[1].percent or 0))
    return {
        "whole": whole,
        "dimensions": [(dimension.label, of_dimension[dimension]) for dimension in Dimension if dimension in of_dimension],
        "radar": charts.radar({name: score.percent for name, score in of_dimension.items()}),
        "departments": departments,
        "department_chart": charts.bars([(name, score.percent) for name, score in departments]),
        "datasets": [(code, title_of(code), score) for code, score in sorted(of_dataset.items())],
    }


def _fields(found: list[QualityResult], dataset: str) -> list[tuple[str, Any, Score]]:
    by_field = scores.grouped((result for result in found if result.rule.field), lambda result: result.rule.field)
    worst_first = sorted(by_field.items(), key=lambda pair: (pair[1].percent is None, pair[1].percent or 0))
    return [(name, field_title(dataset, name), score) for name, score in worst_first]


def _lines(found: list[QualityResult]) -> list[dict[str, Any]]:
    """Return results as a table shows them, the worst first."""
    order = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.PASS, Verdict.NOTHING)
    lines = [
        {
            "result": result,
            "verdict": scores.verdict(result),
            "share": 100 * result.passed / result.checked if result.checked else None,
            "field": field_title(result.rule.dataset, result.rule.field),
        }
        for result in found
    ]
    return sorted(lines, key=lambda line: order.index(line["verdict"]))


@require_GET
@roles_required(*SEERS)
def check_list(request: HttpRequest) -> HttpResponse:
    """The checks, the newest first."""
    form = DatasetFilter(request.GET)
    found = page(QualityCheck.objects.filter(**form.chosen()), order=("-id",), cursor=request.GET.get("after", ""))
    lines = [{"check": check, "title": title_of(check.dataset)} for check in found.items]
    return render(request, "portal/quality/checks.html", {"form": form, "page": found, "lines": lines})


@require_POST
@roles_required(Role.REVIEWER)
def start(request: HttpRequest) -> HttpResponse:
    """Ask for a check of a dataset and go to watch it."""
    who, form = actor(request), StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("页面已失效，请刷新后重试。"))
        return redirect("portal:quality-overview")
    dataset = form.cleaned_data["dataset"]

    def make() -> str:
        return str(asking.ask(dataset=dataset, actor=who, now=timezone.now()).uid)

    try:
        uid, _is_new = once(
            owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest_of({"dataset": dataset}), make=make
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("portal:quality-check-list")
    messages.success(request, _("已提交，空闲的后台进程会立即开始。本页自动更新。"))
    return redirect("portal:quality-check", uid=uid)


@require_GET
@roles_required(*SEERS)
def report(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What one check found, as a page to be printed; that of a batch begins with what the run rejected."""
    who = actor(request)
    check = get_object_or_404(QualityCheck, uid=uid)
    found = list(scores.results_visible_to(who).filter(check_of=check).order_by("rule__code"))
    run = runs_visible_to(who).filter(uid=check.batch).first() if check.batch else None
    context = {
        "check": check,
        "title": title_of(check.dataset),
        "run": run,
        "rejects": by_rule(run) if run else [],
        "lines": _lines(found),
        "is_watched": check.state in WATCHED,
    } | _figures(found)
    return render(request, "portal/quality/report.html", context)
