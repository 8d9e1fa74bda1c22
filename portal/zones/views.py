"""Zones: what a department has on the platform, how fresh, how good and used by whom; what a region holds and gets back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from basedb.dictionary import DATASETS
from basedb.geography.divisions import long_code, short_code
from basedb.geography.figures import Figure
from core.models import Region
from core.roles import Role
from exchange.models import Grant, GrantState
from exchange.zones import reading
from portal.actor import BUSINESS, actor, roles_required
from portal.thematic.charts import bars
from portal.zones import charts
from portal.zones.forms import DepartmentFilter, RegionFilter

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
_SUMS = ("row_count", "source_count", "reject_count", "quality_task_count", "conflict_count", "grant_count", "call_count")
_MOST_USERS = 20


@require_GET
@roles_required(*SEERS)
def department(request: HttpRequest) -> HttpResponse:
    """A department's zone; the data centre chooses whose."""
    who, now = actor(request), timezone.now()
    form = DepartmentFilter(request.GET, departments=reading.departments_visible_to(who))
    chosen = form.chosen().get("department")
    zone = reading.department_zone(actor=who, uid=chosen.uid if chosen else None)
    figures = [figure for figure in zone.figures if figure.dataset in DATASETS]
    titles = {figure.dataset: str(DATASETS[figure.dataset].title) for figure in figures}
    lines = [
        {"figure": figure, "title": titles[figure.dataset], "is_stale": reading.is_stale(figure, now=now)} for figure in figures
    ]
    users = Grant.objects.filter(resource__provider=zone.department, state=GrantState.ACTIVE, valid_to__gt=now)
    context = {
        "form": form,
        "sees_all": reading.sees_all(who),
        "zone": zone,
        "lines": lines,
        "sums": {name: sum(getattr(figure, name) for figure in zone.figures) for name in _SUMS},
        "history": charts.history(zone.history),
        "held": bars([(titles[figure.dataset], figure.row_count) for figure in figures if figure.row_count]),
        "users": users.select_related("system__department", "resource").order_by("-id")[:_MOST_USERS],
    }
    return render(request, "portal/zones/department.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def region(request: HttpRequest) -> HttpResponse:
    """A region's zone: figures of it and of the divisions below it, and its backflow."""
    who, form = actor(request), RegionFilter(request.GET)
    zone = reading.region_zone(actor=who, code=form.chosen().get("code", ""))
    own, below = _split(zone.figures, zone.region)
    people = [(line["name"], line["counts"].get("population.person", 0)) for line in below]
    context = {"form": form, "zone": zone, "own": own, "below": below, "chart": bars([pair for pair in people if pair[1]])}
    return render(request, "portal/zones/region.html", context, status=422 if form.errors else 200)


def _split(figures: Sequence[Figure], of: Region) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the figures of a region by dataset, and of the divisions below it by division."""
    whole = [
        {"title": DATASETS[figure.dataset].title, "count": figure.count, "at": figure.counted_at}
        for figure in figures
        if figure.division_code == long_code(of.code)
    ]
    counts: dict[str, dict[str, int]] = {}
    for figure in figures:
        if figure.division_code != long_code(of.code):
            counts.setdefault(short_code(figure.division_code), {})[figure.dataset] = figure.count
    names = dict(Region.objects.filter(code__in=counts).values_list("code", "name"))
    below = [
        {
            "code": code,
            "name": names.get(code, code),
            "counts": held,
            "people": held.get("population.person"),
            "entities": held.get("legal_entity.enterprise"),
            "addresses": held.get("geo.address"),
        }
        for code, held in sorted(counts.items())
    ]
    return whole, below
