"""The map page: what is chosen stands in the URL; without JavaScript the same layers are a table with filters.

The tiles and features the map draws come from the OGC door, under the same rights. A searched address is sent, not put into the
URL: it may be somebody's home.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS
from basedb.geography import divisions, figures, matching, shapes
from basedb.wording import named
from core.calendar import SHANGHAI
from exchange.calls.refusals import Refusal
from exchange.features import showing
from exchange.features.showing import Shown
from exchange.features.statements import NOTE
from portal.actor import BUSINESS, actor, roles_required
from portal.map import charts
from portal.map.forms import AddressForm, MapForm

ROWS_SHOWN = 20
COLOURS = 6
CELLS_SHOWN = 500
CHINA = (73.6, 16.7, 134.8, 53.6)


@dataclass(frozen=True, slots=True)
class Line:
    """A layer in the legend."""

    shown: Shown
    is_on: bool
    colour: int


@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def map_page(request: HttpRequest) -> HttpResponse:
    """The page; a POST searches an address and shows the same page."""
    layers = showing.layers_for(actor(request), now=timezone.now())
    form = MapForm(request.GET or None, layers=layers)
    asked = form.chosen()
    chosen = set(asked.get("layer", [])) if "layer" in asked else {one.uid for one in layers[:1]}
    legend = [Line(one, one.uid in chosen, number % COLOURS) for number, one in enumerate(layers)]
    searcher = _address_layer(layers)
    address = AddressForm(request.POST or None)
    matches = _matches(address, searcher, to_the_room=matching.may_see_rooms(actor(request)))
    asked |= _picked(address, matches)
    names, day = divisions.names_below(figures.home()), _today()
    context = {
        "form": form,
        "legend": legend,
        "map": _drawn(legend, asked, names),
        "address_form": address if searcher else None,
        "matches": matches,
        "at": divisions.divisions_at(longitude=asked["at"][0], latitude=asked["at"][1], day=day) if "at" in asked else None,
        "table": _table(request, layers, asked, names),
        **_statistics(asked.get("division", "")),
    }
    return render(request, "portal/map/map.html", context, status=422 if form.errors or address.errors else 200)


@require_GET
@roles_required(*BUSINESS)
def outlines(request: HttpRequest) -> HttpResponse:
    """The approved outlines, simplified, as GeoJSON; none means that the map shows its tile grid instead."""
    division = request.GET.get("division", "")
    found = shapes.outlines_below(division if re.fullmatch("[0-9]{2,12}", division) else "", day=_today())
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(one.geometry),
            "properties": {"name": one.name + (_("（示意）") if one.is_fictive else "")},
        }
        for one in found
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


def _today() -> date:
    return timezone.now().astimezone(SHANGHAI).date()


def _drawn(legend: list[Line], asked: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what the script needs to draw the map."""
    on = [line for line in legend if line.is_on]
    extents = [extent for line in on if (extent := showing.extent_of(line.shown))]
    corners = list(zip(*extents, strict=True)) if extents else [(side,) for side in CHINA]
    return {
        "layers": [{"uid": line.shown.uid, "title": line.shown.title, "colour": line.colour} for line in on],
        "extent": [min(corners[0]), min(corners[1]), max(corners[2]), max(corners[3])],
        "at": asked.get("at"),
        "titles": {column.item: str(line.shown.layer.field(column).title) for line in on for column in line.shown.layer.properties},
        "labels": {line.shown.uid: _labels(line.shown, names) for line in on},
    }


def _labels(shown: Shown, names: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Return what the codes of a layer's items are called; `names` are those of divisions."""
    fields = {column.item: shown.layer.field(column) for column in shown.layer.properties}
    coded: dict[str, Mapping[str, str]] = {
        item: {code: str(label) for code, label in CODE_SETS[field.code_set].labels.items()}
        for item, field in fields.items()
        if field.code_set
    }
    return coded | {item: names for item, field in fields.items() if field.is_division}


def _picked(form: AddressForm, matches: matching.Match | None) -> dict[str, Any]:
    """Return the point of the address picked among those found."""
    number = form.cleaned_data.get("pick") if matches is not None else None
    if matches is None or number is None or number >= len(matches.candidates):
        return {}
    one = matches.candidates[number]
    return {"at": (one.longitude, one.latitude)} if one.longitude is not None and one.latitude is not None else {}


def _address_layer(layers: list[Shown]) -> Shown | None:
    """Return a layer of addresses that is seen as a whole: only then addresses may be searched, within its divisions."""
    for one in layers:
        is_limited = one.terms is not None and (bool(one.terms.lists) or one.layer.selection.rows.is_members_only)
        if one.layer.selection.dataset == "geo.address" and not is_limited:
            return one
    return None


def _matches(form: AddressForm, searcher: Shown | None, *, to_the_room: bool) -> matching.Match | None:
    if searcher is None or not form.is_bound or not form.is_valid():
        return None
    prefix = searcher.terms.region_prefix if searcher.terms else ""
    return matching.match_many([form.cleaned_data["address"]], division=prefix, to_the_room=to_the_room)[0]


def _table(request: HttpRequest, layers: list[Shown], asked: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any] | None:
    """Return one page of a layer's features as a table."""
    shown = next((one for one in layers if one.uid == asked.get("table")), None)
    if shown is None:
        return None
    wanted = {"limit": str(ROWS_SHOWN)} | {name: asked[name] for name in ("after",) if asked.get(name)}
    if asked.get("item") and asked.get("value"):
        wanted[asked["item"]] = asked["value"]
    columns = [(column.item, shown.layer.field(column).title) for column in shown.layer.properties]
    try:
        read = showing.read(shown, "features.items", (), urlencode(wanted), actor=actor(request), now=timezone.now())
    except Refusal as refusal:
        return {"shown": shown, "columns": columns, "refusal": refusal.verdict.message, "rows": []}
    told = json.loads(read.body)
    labels = _labels(shown, names)
    rows = [
        {
            "id": one["id"],
            "values": [_said(labels.get(name), one["properties"][name]) for name, _title in columns],
            "note": one.get(NOTE),
        }
        for one in told["features"]
    ]
    is_more = any(link["rel"] == "next" for link in told["links"])
    following = request.GET.copy()
    following["after"] = rows[-1]["id"] if rows else ""
    return {"shown": shown, "columns": columns, "rows": rows, "next": following.urlencode() if is_more else ""}


def _said(labels: Mapping[str, str] | None, value: Any) -> Any:
    """Return what a code is called, with the code; anything else as it is."""
    return named(value, labels) if labels and value in labels else value


def _statistics(division: str) -> dict[str, Any]:
    """Return the figures of a division and of those below it, as a chart and as a table."""
    division = division or figures.home()
    found = figures.figures_below(division)
    codes = list(dict.fromkeys(figure.division_code for figure in found))
    names = divisions.names_of(codes)
    titles = sorted({figure.dataset for figure in found}, key=figures.COUNTED.index)
    counts = {(figure.division_code, figure.dataset): figure.count for figure in found}
    labels = [names.get(code, code) for code in codes]
    parts = codes[1:] if len(codes) > 1 and codes[0] == divisions.long_code(division) else codes
    bars = {str(DATASETS[name].title): [counts.get((code, name), 0) for code in parts] for name in titles}
    return {
        "division": division,
        "figure_titles": list(bars),
        "figure_rows": [
            {"code": code, "name": label, "counts": [counts.get((code, name), 0) for name in titles]}
            for code, label in zip(codes, labels, strict=True)
        ],
        "figure_chart": charts.bars(labels[-len(parts) :], bars) if bars else None,
        "figure_height": 90 + 28 * len(parts),
        "has_outlines": shapes.are_loaded(),
        "approval_numbers": shapes.approval_numbers(),
    }
