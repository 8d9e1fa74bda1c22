"""Map services over HTTP (地图服务): OGC API documents for everybody known, features and tiles for people signed in.

Systems that sign read features and tiles by the call door (`openapi.calls`); documents about layers they read here. Described by
its own document, `/openapi/v1/ogc/api`, which needs nothing from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import path, re_path
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework import exceptions

from core.accounts import actor_of
from core.audit import Actor
from core.errors import DomainError, Forbidden, NotFound
from core.texts import listed
from exchange.calls.refusals import Refusal
from exchange.features import asking, description, documents, showing
from exchange.features.calling import TILE_CACHE
from exchange.features.links import JSON
from exchange.features.reading import etag_of
from exchange.features.showing import Shown
from openapi.errors import body, describe, request_id_of
from openapi.permissions import ForBusiness
from openapi.signed import CallingSystem, SignedAuthentication

OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
NO_HEADERS: Mapping[str, str] = {}

View = Callable[..., HttpResponse]


def _answering(view: View) -> View:
    """Answer every refusal with the platform's error body, and keep copies out of caches that others share."""

    @csrf_exempt
    @login_not_required
    @require_safe
    @wraps(view)
    def answered(request: HttpRequest, **place: Any) -> HttpResponse:
        try:
            response = view(request, **place)
        except (Refusal, DomainError, exceptions.APIException) as error:
            status, code, message, details = describe(error)
            told = body(code, message, details, request)
            response = HttpResponse(json.dumps(told, ensure_ascii=False), status=status, content_type=JSON)
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["Cookie", "X-Gov-Key", "Accept"])
        return response

    return answered


@_answering
def landing(request: HttpRequest) -> HttpResponse:
    """The landing page."""
    return _document(request, documents.landing())


@_answering
def conformance(request: HttpRequest) -> HttpResponse:
    """What the service conforms to."""
    return _document(request, documents.conformance())


@_answering
def api(request: HttpRequest) -> HttpResponse:
    """The API description."""
    return _document(request, description.description(), OPENAPI)


@_answering
def collections(request: HttpRequest) -> HttpResponse:
    """The layers of the caller."""
    return _document(request, documents.collections(_layers(request)))


@_answering
def collection(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One layer."""
    return _document(request, documents.collection(_layer(request, uid)))


@_answering
def queryables(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What a layer may be filtered by."""
    return _document(request, documents.queryables(_layer(request, uid)), SCHEMA)


@_answering
def tilesets(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The tile sets of a layer."""
    return _document(request, documents.tilesets(_layer(request, uid)))


@_answering
def tileset(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The tile set of a layer."""
    return _document(request, documents.tileset(_layer(request, uid)))


@_answering
def items(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A page of features, for somebody signed in."""
    return _read(request, uid, "features.items")


@_answering
def item(request: HttpRequest, uid: UUID, fid: str) -> HttpResponse:
    """One feature, for somebody signed in."""
    return _read(request, uid, "features.item", fid)


@_answering
def tile(request: HttpRequest, uid: UUID, zoom: str, row: str, column: str) -> HttpResponse:
    """One tile, for somebody signed in. A copy is asked about every time, so that a right that ended shows at once."""
    response = _read(request, uid, "features.tile", zoom, row, column)
    response.headers["Cache-Control"] = TILE_CACHE
    return response


def _read(request: HttpRequest, uid: UUID, operation: str, *place: str) -> HttpResponse:
    if "HTTP_X_GOV_KEY" in request.META:
        raise Refusal("call.unknown_path")
    actor, now = _actor(request), timezone.now()
    shown = showing.layer_for(uid, actor, now=now)
    read = showing.read(shown, operation, place, request.META.get("QUERY_STRING", ""), actor=actor, now=now)
    headers = dict(read.reading.headers)
    if read.reading.is_text and _wants_html(request, read.reading.asked.format):
        return _page(request, json.loads(read.body), shown.title, headers)
    unchanged = False
    if not read.reading.is_text:
        headers["ETag"] = etag_of(read.digest)
        unchanged = headers["ETag"] in request.headers.get("If-None-Match", "")
    content = b"" if unchanged else read.body
    return HttpResponse(content, status=304 if unchanged else 200, content_type=read.reading.content_type, headers=headers)


def _document(request: HttpRequest, told: Mapping[str, Any], kind: str = JSON) -> HttpResponse:
    given = asking.read_query(request.META.get("QUERY_STRING", ""))
    asking.check_known(given, ("f",))
    if given.get("f", "json") not in ("json", "html"):
        raise asking.wrong(f="only_json_or_html")
    if _wants_html(request, given.get("f", "")):
        return _page(request, told, str(told.get("title") or told.get("info", {}).get("title") or _("地图服务")))
    return HttpResponse(json.dumps(told, ensure_ascii=False), content_type=kind)


def _wants_html(request: HttpRequest, asked: str) -> bool:
    accepted = request.headers.get("Accept", "")
    return asked == "html" or (not asked and "text/html" in accepted and "json" not in accepted)


def _page(request: HttpRequest, told: Mapping[str, Any], title: str, headers: Mapping[str, str] = NO_HEADERS) -> HttpResponse:
    features = told.get("features") or ([told] if told.get("type") == "Feature" else [])
    rest = {name: value for name, value in told.items() if name not in ("features", "links", "title", "collections")}
    context = {
        "title": title,
        "links": told.get("links", []),
        "collections": told.get("collections", []),
        "names": list(features[0]["properties"]) if features else [],
        "features": [{"id": one["id"], "values": list(one["properties"].values())} for one in features],
        "rest": json.dumps(rest, ensure_ascii=False, indent=1) if not features else "",
    }
    page = render_to_string("openapi/ogc.html", context, request)
    return HttpResponse(page, headers=dict(headers))


def _actor(request: HttpRequest) -> Actor:
    """Return who is signed in with a business role; raise what keeps anybody else out."""
    user = request.user
    if not user.is_authenticated:
        raise exceptions.NotAuthenticated
    if user.must_change_password:
        raise Forbidden("password.must_change", _("请先在门户中修改临时密码。"))
    actor = actor_of(user, client_ip=request.META.get("REMOTE_ADDR") or None, request_id=request_id_of(request))
    if not actor.has(*ForBusiness.roles):
        names = listed(role.label for role in ForBusiness.roles)
        raise Forbidden("role.required", _("此操作仅限%(role)s。") % {"role": names}, {"roles": list(ForBusiness.roles)})
    return actor


def _layers(request: HttpRequest) -> list[Shown]:
    signed = SignedAuthentication().authenticate(request)  # type: ignore[arg-type]  # META, path and method are Django's
    if signed is None:
        return showing.layers_for(_actor(request), now=timezone.now())
    system: CallingSystem = signed[0]
    return showing.layers_granted(Q(system_id=system.system_id), now=timezone.now())


def _layer(request: HttpRequest, uid: UUID) -> Shown:
    for shown in _layers(request):
        if shown.uid == str(uid):
            return shown
    raise NotFound("layer.not_found", _("没有这个图层，或您无权查看。"))


_LAYER = "ogc/collections/<uuid:uid>"
urlpatterns = [
    path("ogc/", landing, name="ogc-landing"),
    path("ogc/conformance", conformance, name="ogc-conformance"),
    path("ogc/api", api, name="ogc-api"),
    path("ogc/collections", collections, name="ogc-collections"),
    path(_LAYER, collection, name="ogc-collection"),
    path(f"{_LAYER}/queryables", queryables, name="ogc-queryables"),
    path(f"{_LAYER}/items", items, name="ogc-items"),
    re_path(r"^ogc/collections/(?P<uid>[0-9a-f-]{36})/items/(?P<fid>[0-9a-f]{32})$", item, name="ogc-item"),
    path(f"{_LAYER}/tiles", tilesets, name="ogc-tilesets"),
    path(f"{_LAYER}/tiles/WebMercatorQuad", tileset, name="ogc-tileset"),
    re_path(
        r"^ogc/collections/(?P<uid>[0-9a-f-]{36})/tiles/WebMercatorQuad/(?P<zoom>[0-9]{1,2})/(?P<row>[0-9]{1,9})/(?P<column>[0-9]{1,9})$",
        tile,
        name="ogc-tile",
    ),
]
