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


def page_links(uid: str, query: str) -> tuple[str, str]:
    """Return the links of a page as JSON texts without brackets: those that are known, and the next one up to its key."""
    path = collection_path(uid, "items")
    own = f"{path}?{query}" if query else path
    known = [link("self", own, GEOJSON), link("collection", collection_path(uid))]
    rest = urlencode([(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "after"])
    following = json.dumps(link("next", f"{path}?{rest}{'&' * bool(rest)}after=", GEOJSON), ensure_ascii=False)
    return ",".join(json.dumps(one, ensure_ascii=False) for one in known), following.removesuffix('"}')


def feature_links(uid: str, fid: str) -> str:
    """Return the member `links` of one feature, with the comma before it."""
    told = [link("self", collection_path(uid, "items", fid), GEOJSON), link("collection", collection_path(uid))]
    return f',"links":{json.dumps(told)}'
