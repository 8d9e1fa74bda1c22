"""The liability checklist: what departments owe or should not have done, by article, with the way to put it right."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from exchange.care.liabilities import liabilities
from portal.actor import actor, roles_required
from portal.care.pages import SEERS
from portal.monitoring import charts


@require_GET
@roles_required(*SEERS)
def liability_list(request: HttpRequest) -> HttpResponse:
    """Every line one may see."""
    lines = liabilities(actor=actor(request), now=timezone.now())
    counted: dict[str, int] = {}
    for line in lines:
        counted[line.department.short_name] = counted.get(line.department.short_name, 0) + line.count
    bars = sorted(counted.items(), key=lambda item: -item[1])
    context = {"lines": lines, "option": charts.bars(bars) if len(bars) > 1 else None}
    return render(request, "portal/care/liabilities.html", context)
