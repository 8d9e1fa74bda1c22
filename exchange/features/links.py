"""Links (链接) of answers: path and query as they are signed, so that a client can sign what it follows. Pure."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qsl, urlencode

ROOT: Final = "/openapi/v1/ogc"
GEOJSON: Final = "application/geo+json"
JSON: Final = "application/json"
HTML: Final = "text/html"
MVT: Final = "application/vnd.mapbox-vector-tile"


def collection_path(uid: str, *rest: str) -> str:
    """Return the path of a layer or of something below it."""
    return "/".join((ROOT, "collections", uid, *rest))


def link(rel: str, href: str, kind: str = JSON, title: str = "") -> dict[str, str]:
    """Return one link as documents hold it."""
    return {"rel": rel, "type": kind, "href": href} | ({"title": title} if title else {})


def told_at(path: str, kind: str = JSON) -> list[dict[str, str]]:
    """Return the links of a document to itself: as data, and as a page for people."""
    return [link("self", path, kind), link("alternate", f"{path}?f=html", HTML)]


def page_links(uid: str, query: str, *, has_html: bool = False) -> tuple[str, str]:
    """Return the links of a page as JSON texts without brackets: those that are known, and the next one up to its key."""
    path = collection_path(uid, "items")
    rest = urlencode([(name, value) for name, value in _pairs(query) if name != "after"])
    following = json.dumps(link("next", f"{path}?{rest}{'&' * bool(rest)}after=", GEOJSON), ensure_ascii=False)
    return ",".join(json.dumps(one, ensure_ascii=False) for one in _known(uid, path, query, has_html)), following.removesuffix('"}')


def feature_links(uid: str, fid: str, query: str = "", *, has_html: bool = False) -> str:
    """Return the member `links` of one feature, with the comma before it."""
    return f',"links":{json.dumps(_known(uid, collection_path(uid, "items", fid), query, has_html))}'


def _known(uid: str, path: str, query: str, has_html: bool) -> list[dict[str, str]]:
    """Return the links of features to themselves and to their layer; people are shown them as a page, too."""
    told = [link("self", f"{path}?{query}" if query else path, GEOJSON), link("collection", collection_path(uid))]
    if has_html:
        asked = [(name, value) for name, value in _pairs(query) if name != "f"]
        told.append(link("alternate", f"{path}?{urlencode([*asked, ('f', 'html')])}", HTML))
    return told


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
