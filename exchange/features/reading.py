"""What a request reads (取数): the statement, its parameters and the form of its answer, alike for systems and for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from exchange.calls.refusals import Refusal
from exchange.features import statements
from exchange.features.asking import LIMIT, Asked, read_item, read_items, read_tile
from exchange.features.layers import Layer
from exchange.features.links import GEOJSON, MVT, feature_links, page_links
from exchange.features.reference_systems import is_latitude_first
from exchange.features.statements import Parameters, Values

ZOOM_FROM: Final = 6
ZOOM_TO: Final = 18
TILE_LAYER: Final = "features"


@dataclass(frozen=True, slots=True)
class Reading:
    """One SELECT with its parameters, and the headers of what it answers. `is_text` tells GeoJSON from a tile.

    `is_light`: it reads about as much as it answers and no more.
    """

    sql: str
    parameters: Parameters
    values: Values
    content_type: str
    asked: Asked
    is_text: bool = True
    is_light: bool = False
    headers: list[tuple[str, str]] = field(default_factory=list)


class Reader(Protocol):
    """Makes the reading of one kind of request."""

    def __call__(self, layer: Layer, uid: str, place: tuple[str, ...], query: str, *, has_html: bool = False) -> Reading:
        """Return what is to be read, or refuse the request; `has_html` where it is shown as a page, too."""


def read_page(layer: Layer, uid: str, place: tuple[str, ...], query: str, *, has_html: bool = False) -> Reading:
    """A page of features."""
    asked = read_items(query, layer)
    parameters, values = statements.condition_parameters(asked.conditions)
    links, following = page_links(uid, query, has_html=has_html)
    values |= {"limit": asked.limit, "links": links, "next": following}
    given: list[tuple[str, str, Any]] = []
    if asked.after:
        given.append(("after", "bytea", f"\\x{asked.after}"))
    if asked.bbox:
        given.append(("bbox", "geometry", asked.bbox))
    first, last = asked.period or (None, None)
    given += [(name, "date", day) for name, day in (("first_day", first), ("last_day", last)) if day is not None]
    values |= {name: value for name, _, value in given}
    parameters += (("limit", "bigint"), ("links", "text"), ("next", "text"), *((name, kind) for name, kind, _ in given))
    is_light = bool(asked.bbox) and not asked.conditions and not asked.is_counted and asked.limit <= LIMIT
    sql = statements.page_sql(layer, asked)
    return Reading(sql, parameters, values, GEOJSON, asked, is_light=is_light, headers=_told(asked))


def read_feature(layer: Layer, uid: str, place: tuple[str, ...], query: str, *, has_html: bool = False) -> Reading:
    """One feature."""
    asked = read_item(query)
    links = feature_links(uid, place[0], query, has_html=has_html)
    values: Values = {"fid": f"\\x{place[0]}", "links": links, "missing": ""}
    sql = statements.feature_sql(layer, is_flipped=is_latitude_first(asked.crs))
    parameters = (("fid", "bytea"), ("links", "text"), ("missing", "text"))
    return Reading(sql, parameters, values, GEOJSON, asked, is_light=True, headers=_told(asked))


def read_one_tile(layer: Layer, uid: str, place: tuple[str, ...], query: str, *, has_html: bool = False) -> Reading:
    """One vector tile; the place is zoom, row and column."""
    asked = read_tile(query)
    zoom, row, column = (int(part) for part in place)
    if not ZOOM_FROM <= zoom <= ZOOM_TO or row >= 2**zoom or column >= 2**zoom:
        raise Refusal("features.no_such_tile", {"tile": "outside_the_tile_matrix_set"})
    values = {"z": zoom, "x": column, "y": row, "layer": TILE_LAYER}
    parameters = (("z", "integer"), ("x", "integer"), ("y", "integer"), ("layer", "text"))
    return Reading(statements.tile_sql(layer, zoom), parameters, values, MVT, asked, is_text=False)


READERS: Final[dict[str, Reader]] = {
    "features.items": read_page,
    "features.item": read_feature,
    "features.tile": read_one_tile,
}


def etag_of(digest: str) -> str:
    """Return the entity tag of a tile by the digest of its bytes."""
    return f'"{digest[:32]}"'


def _told(asked: Asked) -> list[tuple[str, str]]:
    return [("Content-Crs", f"<{asked.crs}>")]
