"""What a grant of map services asks and answers (地图服务授权的请求与应答), as OGC API Features and tiles have it. Pure."""

from __future__ import annotations

from typing import Any, Final

from exchange.descriptions import Description, Item
from exchange.features.asking import LIMIT, LIMIT_AT_MOST
from exchange.features.documents import SHIFTED_NOTE
from exchange.features.reference_systems import CRS84, OFFERED
from exchange.features.statements import NOTE

GEOMETRY: Final = "G"
TEXT: Final[dict[str, Any]] = {"type": "string"}
CODE: Final[dict[str, Any]] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"}
CRS: Final[dict[str, Any]] = {"type": "string", "enum": list(OFFERED), "default": CRS84}
BOX: Final[dict[str, Any]] = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
KINDS: Final = {"N": {"type": ["number", "string", "null"]}, "D": {"type": ["string", "null"]}}
ASKED: Final[dict[str, dict[str, Any]]] = {
    "bbox": BOX,
    "bbox-crs": CRS,
    "crs": CRS,
    "datetime": TEXT,
    "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_AT_MOST, "default": LIMIT},
    "after": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "count": {"type": "boolean", "default": False},
    "filter": TEXT,
    "filter-lang": {"type": "string", "enum": ["cql2-text"]},
    "filter-crs": {"type": "string", "enum": [CRS84]},
}
ASKED_OF: Final = {"listFeatures": tuple(ASKED), "showFeature": ("crs",), "fetchTile": ()}


def query_of(operation: str, told: Description) -> list[dict[str, Any]]:
    """Return the parameters behind the question mark: those of the service, the items that filter, what the grant demands."""
    if operation not in ASKED_OF:
        return []
    found = [_parameter(name, ASKED[name]) for name in ASKED_OF[operation]]
    if operation == "listFeatures":
        found += [
            _parameter(item.name, TEXT, item.title) for item in told.items if item.data_type != GEOMETRY and item.mask == "NONE"
        ]
    matter = CODE | ({"enum": list(told.matters)} if told.matters else {})
    found.append(_parameter("matter", matter, is_required=bool(told.matters)))
    found += [_parameter(name, CODE) for name in ("officer", "case")]
    demanded = ((f"parameter.{name}", TEXT | {"enum": list(values)}) for name, values in told.parameters.items())
    return found + [_parameter(name, schema, is_required=True) for name, schema in demanded]


def _parameter(name: str, schema: dict[str, Any], title: str = "", *, is_required: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "in": "query", "required": is_required, "schema": schema}
    if schema is BOX:
        made |= {"style": "form", "explode": False}
    return made | ({"description": title} if title else {})


def features_of(told: Description, mark: str) -> dict[str, Any]:
    """Return the schemas of one feature and of a page of them."""
    shown = {item.name: _cell(item) for item in told.items if item.data_type != GEOMETRY}
    link = _closed(dict.fromkeys(("href", "rel", "type", "title"), TEXT), ["href", "rel"])
    links = {"links": {"type": "array", "items": link}}
    geometry = {"type": TEXT, "coordinates": {"type": "array"}, "geometries": {"type": "array"}}
    feature = {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": TEXT,
        "geometry": {"oneOf": [_closed(geometry, ["type"]), {"type": "null"}]},
        "properties": _closed(shown, list(shown)),
    }
    page = {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"$ref": f"#/components/schemas/Feature{mark}"}},
        "numberReturned": {"type": "integer"},
        "timeStamp": TEXT | {"format": "date-time"},
    }
    return {
        "Feature": _closed(feature | links | {NOTE: SHIFTED_NOTE}, list(feature)),
        "Features": _closed(page | links | {"numberMatched": {"type": "integer"}}, [*page, "links"]),
    }


def _cell(item: Item) -> dict[str, Any]:
    kind: dict[str, Any] = KINDS.get(item.data_type, {"type": ["string", "null"]})
    return kind | {"description": item.title}


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | ({"required": required} if required else {})
