"""Documents about layers (图层说明): landing page, conformance, collections, queryables, tile sets. Pure.

Only classes of conformance are claimed that the tests go through one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.dictionary import DataType
from basedb.dictionary.geography import SHIFTED
from exchange.features.layers import Layer
from exchange.features.links import GEOJSON, HTML, JSON, MVT, ROOT, collection_path, link, told_at
from exchange.features.reading import TILE_LAYER, ZOOM_FROM, ZOOM_TO
from exchange.features.reference_systems import CGCS2000, CRS84, OFFERED
from exchange.features.showing import Shown
from exchange.features.statements import NOTE

_SPEC: Final = "http://www.opengis.net/spec"
_FILTERING: Final = ("queryables", "queryables-query-parameters", "filter", "features-filter")
_CQL2: Final = ("cql2-text", "basic-cql2", "advanced-comparison-operators", "basic-spatial-functions")
CONFORMANCE: Final = (
    *(f"{_SPEC}/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson", "html", "oas30")),
    f"{_SPEC}/ogcapi-features-2/1.0/conf/crs",
    *(f"{_SPEC}/ogcapi-features-3/1.0/conf/{name}" for name in _FILTERING),
    *(f"{_SPEC}/cql2/1.0/conf/{name}" for name in _CQL2),
    *(f"{_SPEC}/ogcapi-tiles-1/1.0/conf/{name}" for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")),
)  # fmt: skip
TILES_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
QUERYABLES_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
MATRIX: Final = "WebMercatorQuad"
MATRIX_URI: Final = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
WEB_MERCATOR: Final = "http://www.opengis.net/def/crs/EPSG/0/3857"
SHIFTED_NOTE: Final[dict[str, Any]] = {"type": "string", "enum": list(SHIFTED)}
KINDS: Final[dict[DataType, dict[str, str]]] = {
    DataType.TEXT: {"type": "string"},
    DataType.NUMBER: {"type": "number"},
    DataType.DATE: {"type": "string", "format": "date"},
}


def landing() -> dict[str, Any]:
    """Return the landing page."""
    return {
        "title": _("政务数据共享交换平台地图服务"),
        "description": _("按授权提供空间要素和矢量瓦片；图层、信息项、范围和精度以授权为准。"),
        "links": [
            *told_at(f"{ROOT}/"),
            link("service-desc", f"{ROOT}/api", "application/vnd.oai.openapi+json;version=3.0"),
            link("service-doc", f"{ROOT}/api?f=html", HTML),
            link("conformance", f"{ROOT}/conformance"),
            link("data", f"{ROOT}/collections"),
        ],
    }


def conformance() -> dict[str, Any]:
    """Return what this service conforms to."""
    return {"conformsTo": list(CONFORMANCE), "links": told_at(f"{ROOT}/conformance")}


def collections(layers: Sequence[Shown]) -> dict[str, Any]:
    """Return the layers a caller may read."""
    return {
        "collections": [collection(shown) for shown in layers],
        "crs": list(OFFERED),
        "links": told_at(f"{ROOT}/collections"),
    }


def collection(shown: Shown) -> dict[str, Any]:
    """Return one layer. Its extent is that of the country: nothing of the rows is told."""
    resource = shown.resource
    return {
        "id": shown.uid,
        "title": shown.title,
        "description": _("%(summary)s 提供方：%(provider)s。") % {"summary": resource.summary, "provider": resource.provider.name},
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [[73.6, 16.7, 134.8, 53.6]], "crs": CRS84}},
        "crs": list(OFFERED),
        "storageCrs": CGCS2000,
        "links": [
            *told_at(collection_path(shown.uid)),
            link("items", collection_path(shown.uid, "items"), GEOJSON),
            link("items", f"{collection_path(shown.uid, 'items')}?f=html", HTML),
            link(QUERYABLES_REL, collection_path(shown.uid, "queryables"), "application/schema+json"),
            link(TILES_REL, collection_path(shown.uid, "tiles")),
        ],
    }  # fmt: skip


def queryables(shown: Shown) -> dict[str, Any]:
    """Return what a layer may be filtered by, as a JSON Schema: neither masked nor withheld items."""
    layer = shown.layer
    known = {
        name: {"title": str(layer.field(column).title), **KINDS[layer.field(column).data_type]}
        for name, column in layer.queryables().items()
    }
    known[layer.geometry.item] = {"title": str(layer.field(layer.geometry).title), "format": "geometry-any"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": collection_path(shown.uid, "queryables"),
        "type": "object",
        "title": shown.title,
        "properties": known,
        "additionalProperties": False,
    }


def tilesets(shown: Shown) -> dict[str, Any]:
    """Return the tile sets of a layer: one."""
    told = {name: value for name, value in tileset(shown).items() if name in ("title", "dataType", "crs", "tileMatrixSetURI")}
    own = link("self", collection_path(shown.uid, "tiles", MATRIX))
    return {"tilesets": [told | {"links": [own]}], "links": told_at(collection_path(shown.uid, "tiles"))}


def tileset(shown: Shown) -> dict[str, Any]:
    """Return the description of the tile set of a layer."""
    template = collection_path(shown.uid, "tiles", MATRIX, "{tileMatrix}", "{tileRow}", "{tileCol}")
    return {
        "title": shown.title,
        "dataType": "vector",
        "crs": WEB_MERCATOR,
        "tileMatrixSetURI": MATRIX_URI,
        "tileMatrixSetLimits": [
            {"tileMatrix": str(zoom), "minTileRow": 0, "maxTileRow": 2**zoom - 1, "minTileCol": 0, "maxTileCol": 2**zoom - 1}
            for zoom in range(ZOOM_FROM, ZOOM_TO + 1)
        ],
        "layers": [{"id": TILE_LAYER, "dataType": "vector", "propertiesSchema": _schema(shown.layer)}],
        "links": [
            *told_at(collection_path(shown.uid, "tiles", MATRIX)),
            link("item", template, MVT) | {"templated": True},
            link("http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", MATRIX_URI, JSON),
        ],
    }


def _schema(layer: Layer) -> dict[str, Any]:
    """Return what every feature of a tile tells; masked items are texts."""
    items = {column.item: {"type": "string", "title": str(layer.field(column).title)} for column in layer.properties}
    for name, column in layer.queryables().items():
        items[name] |= KINDS[layer.field(column).data_type]
    return {"type": "object", "properties": {"fid": {"type": "string"}, NOTE: SHIFTED_NOTE} | items}
