"""The API description of map services (接口描述): OpenAPI 3.0, complete in itself - every reference points into the document."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _

from exchange.features.asking import LIMIT, LIMIT_AT_MOST
from exchange.features.documents import SHIFTED_NOTE
from exchange.features.links import GEOJSON, HTML, JSON, MVT, ROOT
from exchange.features.reading import ZOOM_FROM, ZOOM_TO
from exchange.features.reference_systems import CRS84, OFFERED
from exchange.features.statements import NOTE

OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
_ID: Final = "/collections/{collectionId}"
_TILE: Final = f"{_ID}/tiles/WebMercatorQuad/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"


def description() -> dict[str, Any]:
    """Return the description; layers are told by /collections, so that nobody reads here what others were granted."""
    return {
        "openapi": "3.0.3",
        "info": {"title": _("政务数据共享交换平台地图服务"), "version": "1.0.0", "description": _notes()},
        "servers": [{"url": ROOT}],
        "paths": _paths(),
        "components": {
            "parameters": _parameters(),
            "schemas": _schemas(),
            "responses": {
                "Refused": _answer(_("请求被拒绝，原因见 code 和 details"), {JSON: {"schema": _ref("schemas", "Refusal")}})
            },
            "securitySchemes": {"signature": {"type": "apiKey", "in": "header", "name": "X-Gov-Key"}},
        },
    }


def _notes() -> str:
    return _(
        "使用方系统以授权编号为图层编号，签名方法与数据调用相同：方法为 GET，路径含查询串，请求体为空；"
        "每次取要素或瓦片计一次调用量并留痕。登录门户的人员按部门和授权查看。"
    )


def _paths() -> dict[str, Any]:
    asked = [
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "limit",
        "after",
        "count",
        "filter",
        "filter-lang",
        "filter-crs",
        "f",
        "queryables",
    ]
    tile = [_ref("parameters", name) for name in ("collectionId", "tileMatrix", "tileRow", "tileCol")]
    document = _ref("schemas", "Document")
    features, feature = _ref("schemas", "FeatureCollection"), _ref("schemas", "Feature")
    return {
        "/": _get(_("入口"), {JSON: document}, ["f"], is_open=True),
        "/conformance": _get(_("符合性声明"), {JSON: document}, ["f"], is_open=True),
        "/api": _get(_("本描述"), {OPENAPI: document}, ["f"], is_open=True),
        "/collections": _get(_("可用的图层"), {JSON: document}, ["f"]),
        _ID: _get(_("一个图层"), {JSON: document}, ["collectionId", "f"]),
        f"{_ID}/queryables": _get(_("可过滤的信息项"), {"application/schema+json": document}, ["collectionId", "f"]),
        f"{_ID}/items": _get(_("要素"), {GEOJSON: features}, ["collectionId", *asked]),
        f"{_ID}/items/{{featureId}}": _get(_("一个要素"), {GEOJSON: feature}, ["collectionId", "featureId", "crs", "f"]),
        f"{_ID}/tiles": _get(_("瓦片集"), {JSON: document}, ["collectionId", "f"]),
        f"{_ID}/tiles/WebMercatorQuad": _get(_("瓦片集说明"), {JSON: document}, ["collectionId", "f"]),
        _TILE: {"get": _operation(_("矢量瓦片"), {MVT: {"type": "string", "format": "binary"}}, tile)},
    }


def _get(summary: str, content: dict[str, Any], parameters: list[str], *, is_open: bool = False) -> dict[str, Any]:
    operation = _operation(summary, content, [_ref("parameters", name) for name in parameters])
    if not is_open:
        operation["security"] = [{"signature": []}]
    operation["responses"]["200"]["content"][HTML] = {"schema": {"type": "string"}}
    return {"get": operation}


def _operation(summary: str, content: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    shown = {kind: {"schema": schema} for kind, schema in content.items()}
    refused = {status: _ref("responses", "Refused") for status in ("400", "401", "403", "404", "429", "503")}
    return {"summary": summary, "parameters": parameters, "responses": {"200": _answer(summary, shown), **refused}}


def _answer(text: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": content}


def _ref(part: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{part}/{name}"}


def _parameters() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    crs = text | {"format": "uri", "enum": list(OFFERED), "default": CRS84}
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    index = {"type": "integer", "minimum": 0}
    in_query: dict[str, dict[str, Any]] = {
        "bbox": {"schema": numbers, "style": "form", "explode": False},
        "bbox-crs": {"schema": crs},
        "crs": {"schema": crs},
        "datetime": {"schema": text},
        "limit": {"schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_AT_MOST, "default": LIMIT}},
        "after": {"schema": text | {"pattern": "^[0-9a-f]{32}$"}},
        "count": {"schema": {"type": "boolean", "default": False}},
        "filter": {"schema": text},
        "filter-lang": {"schema": text | {"enum": ["cql2-text"], "default": "cql2-text"}},
        "filter-crs": {"schema": text | {"enum": [CRS84], "default": CRS84}},
        "f": {"schema": text | {"enum": ["json", "html"]}},
        "queryables": {"schema": {"type": "object", "additionalProperties": text}, "style": "form", "explode": True},
    }
    in_path = {
        "collectionId": text | {"format": "uuid"},
        "featureId": text | {"pattern": "^[0-9a-f]{32}$"},
        "tileMatrix": {"type": "integer", "minimum": ZOOM_FROM, "maximum": ZOOM_TO},
        "tileRow": index,
        "tileCol": index,
    }
    told: dict[str, Any] = {name: {"name": name, "in": "query", **rest} for name, rest in in_query.items()}
    return told | {name: {"name": name, "in": "path", "required": True, "schema": schema} for name, schema in in_path.items()}


def _schemas() -> dict[str, Any]:
    anything: dict[str, Any] = {"type": "object", "additionalProperties": True}
    feature = {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": anything,
            "properties": anything,
            NOTE: SHIFTED_NOTE,
        },
    }
    page = {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": _ref("schemas", "Feature")},
        "numberReturned": {"type": "integer"},
        "numberMatched": {"type": "integer"},
        "timeStamp": {"type": "string", "format": "date-time"},
        "links": {"type": "array", "items": anything},
    }
    refusal = {"code": {"type": "string"}, "message": {"type": "string"}, "details": anything, "request_id": {"type": "string"}}
    return {
        "Document": anything,
        "Feature": feature,
        "FeatureCollection": {"type": "object", "required": ["type", "features"], "properties": page},
        "Refusal": {"type": "object", "required": list(refusal), "properties": refusal},
    }
