"""The lineage page (数据血缘): choose a start, see what feeds it and what it feeds, and who is affected when it changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from core.errors import Invalid
from core.keyset import page
from core.roles import Role
from exchange.lineage.impact import csv_lines, impact
from exchange.lineage.visibility import nodes_visible_to
from exchange.lineage.walking import DEEPEST, Direction, walk
from exchange.models import LineageRefresh, NodeKind
from exchange.models.lineage import LONGEST_KEY
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import FilterForm
from portal.lineage import presenting

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
STARTS = (NodeKind.SOURCE, NodeKind.DATASET, NodeKind.RESOURCE, NodeKind.GRANT)
WAYS = [
    ("", gettext_lazy("上游和下游")),
    (Direction.UPSTREAM, gettext_lazy("上游：数据从哪里来")),
    (Direction.DOWNSTREAM, gettext_lazy("下游：数据到哪里去")),
]
KINDS = [("", gettext_lazy("全部")), *((kind.value, kind.label) for kind in NodeKind if kind != NodeKind.SERVICE)]


class FindForm(FilterForm):
    """What to begin with."""

    kind = forms.ChoiceField(label=gettext_lazy("起点类别"), choices=KINDS)
    q = forms.CharField(label=gettext_lazy("名称"), max_length=60)


class WalkForm(FilterForm):
    """Where to from the start, how far, and as of which day."""

    node = forms.CharField(widget=forms.HiddenInput, max_length=LONGEST_KEY)
    direction = forms.ChoiceField(label=gettext_lazy("方向"), choices=WAYS)
    depth = forms.IntegerField(label=gettext_lazy("层数"), min_value=1, max_value=DEEPEST)
    day = forms.DateField(label=gettext_lazy("截至某日"), widget=forms.DateInput)


@require_GET
@roles_required(*SEERS)
def lineage(request: HttpRequest) -> HttpResponse:
    """The starts to choose from, or the lineage of the one that was chosen."""
    return _walked(request) if "node" in request.GET else _starts(request)


def _starts(request: HttpRequest) -> HttpResponse:
    who, form = actor(request), FindForm(request.GET)
    chosen = form.chosen()
    rows = nodes_visible_to(who).filter(kind__in=[chosen["kind"]] if "kind" in chosen else STARTS)
    if "q" in chosen:
        rows = rows.filter(title__icontains=chosen["q"])
    found = page(rows, order=("key",), cursor=request.GET.get("after", ""))
    lines = [{"node": node, "title": presenting.title_of(node)} for node in found.items]
    context = {"form": form, "page": found, "lines": lines, "refresh": LineageRefresh.objects.first()}
    return render(request, "portal/lineage/starts.html", context, status=422 if form.errors else 200)


def _walked(request: HttpRequest) -> HttpResponse:
    who, form = actor(request), WalkForm(request.GET)
    chosen = form.chosen()
    if not chosen.get("node"):
        return render(request, "portal/lineage/lineage.html", {"form": form}, status=422)
    node, day = chosen["node"], chosen.get("day")
    direction = Direction(chosen.get("direction") or Direction.BOTH)
    found = walk(starts=[node], direction=direction, actor=who, depth=chosen.get("depth") or DEEPEST, day=day)
    option, height = presenting.graph(found)
    context: dict[str, Any] = {
        "form": form,
        "node": nodes_visible_to(who).get(key=node),
        "found": found,
        "day": day,
        "graph": option,
        "height": height,
        "kinds": [(NodeKind(kind).label, colour) for kind, (_layer, colour) in presenting.LAYERS.items()],
    }
    context["title"] = presenting.title_of(context["node"])
    context["page"] = presenting.page_of(context["node"], who)
    if direction is not Direction.DOWNSTREAM:
        context["upstream"], context["upstream_is_cut"] = presenting.tree(found, who, upstream=True)
    if direction is not Direction.UPSTREAM:
        context["downstream"], context["downstream_is_cut"] = presenting.tree(found, who, upstream=False)
        context["impact"] = impact(starts=[node], actor=who, day=day)
    return render(request, "portal/lineage/lineage.html", context)


class ImpactForm(FilterForm):
    """Whose impact, as of which day."""

    node = forms.CharField(max_length=LONGEST_KEY)
    day = forms.DateField()


@require_GET
@roles_required(*SEERS)
def download(request: HttpRequest) -> HttpResponseBase:
    """Who is affected, as a file."""
    form = ImpactForm(request.GET)
    chosen = form.chosen()
    if "node" not in chosen:
        fault = gettext_lazy("请先选择血缘起点。")
        raise Invalid("lineage.start_missing", fault, {"node": str(fault)})
    found = impact(starts=[chosen["node"]], actor=actor(request), day=chosen.get("day"))
    response = StreamingHttpResponse(csv_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="impact-{timezone.localtime():%Y%m%d-%H%M%S}.csv"'
    return response
