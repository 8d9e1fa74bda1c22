"""Figures of missing licenses with their chart, and the working days the data centre sets for the stages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.roles import Role
from licenses.reissue import clocks
from licenses.reissue.statistics import Line
from licenses.reissue.statistics import figures as figures_of
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, save
from portal.missing_licenses.forms import ClockForm, FigureFilter
from portal.monitoring.charts import BLUE, GREEN, RED

USUAL_SPAN = timedelta(days=365)
SHOWN = 12
ORANGE = "#f59f00"


@require_GET
@roles_required(*SEERS)
def figures(request: HttpRequest) -> HttpResponse:
    """How many licenses were reported missing, and what became of the reports."""
    form = FigureFilter(request.GET)
    now = timezone.now()
    today = timezone.localdate(now)
    first, last = form.span(first=today - USUAL_SPAN, last=today)
    by = form.chosen().get("by", "type")
    lines = figures_of(by=by, first=first, last=last, actor=actor(request), now=now)
    context = {"form": form, "lines": lines, "chart": _chart(lines), "first": first, "last": last, "by": by}
    return render(request, "portal/missing_licenses/statistics.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def clock_list(request: HttpRequest) -> HttpResponse:
    """The working days of the stages; the data centre's reviewer sets new ones."""
    form, who = ClockForm(request.POST or None), actor(request)

    def act() -> str:
        given = {name: value for name, value in form.cleaned_data.items() if name != "submission"}
        made = clocks.set_clock(**given, actor=who, now=timezone.now())
        words = {"stage": made.get_stage_display(), "days": made.days, "day": given["from_day"]}
        messages.success(request, _("已设定：%(stage)s %(days)s 个工作日，自 %(day)s 起施行。") % words)
        return request.path

    may_set = who.is_data_centre and who.has(Role.REVIEWER)
    context = {"clocks": clocks.in_force(timezone.localdate()), "may_set": may_set}
    return save(request, form, act, "portal/missing_licenses/clocks.html", **context)


def _chart(lines: Sequence[Line]) -> dict[str, Any]:
    """What became of the reports of each group, as lying bars."""
    shown = lines[:SHOWN]
    parts = (
        (_("已补发"), GREEN, [line.reissued for line in shown]),
        (_("已有电子证照"), BLUE, [line.found for line in shown]),
        (_("查无此证"), RED, [line.absent for line in shown]),
        (_("办理中"), ORANGE, [line.open for line in shown]),
    )
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0, "itemWidth": 12, "itemGap": 8},
        "grid": {"left": 8, "right": 32, "top": 8, "bottom": 32, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1, "name": _("件")},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [line.name for line in shown],
            "axisLabel": {"width": 140, "overflow": "break"},
        },
        "series": [
            {"name": name, "type": "bar", "stack": "all", "color": color, "barMaxWidth": 28, "data": data}
            for name, color, data in parts
        ],
    }
