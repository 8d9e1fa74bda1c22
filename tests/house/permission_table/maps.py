"""Documents about map services are open; layers are for business roles, and nobody sees one without a right to it."""

from tests.house.table import Row, everyone, only

BUSINESS = ("operator", "head", "reviewer")
UID = {"uid": "layer"}


def things(_: object) -> dict[str, str]:
    """Return a layer nobody has a right to."""
    return {"layer": "00000000-0000-7000-8000-000000000000", "feature": "0" * 32}


ROWS: list[Row] = [
    ("GET", "portal:map", {}, only(200, *BUSINESS)),
    ("POST", "portal:map", {}, only(422, *BUSINESS)),
    ("GET", "portal:map-outlines", {}, only(200, *BUSINESS)),
    ("GET", "openapi:ogc-landing", {}, everyone(200)),
    ("GET", "openapi:ogc-conformance", {}, everyone(200)),
    ("GET", "openapi:ogc-api", {}, everyone(200)),
    ("GET", "openapi:ogc-collections", {}, only(200, *BUSINESS, anonymous=401)),
    *(
        ("GET", f"openapi:ogc-{name}", UID, only(404, *BUSINESS, anonymous=401))
        for name in ("collection", "queryables", "items", "tilesets", "tileset")
    ),
    ("GET", "openapi:ogc-item", UID | {"fid": "feature"}, only(404, *BUSINESS, anonymous=401)),
    ("GET", "openapi:ogc-tile", UID | {"zoom": "14", "row": "1", "column": "1"}, only(404, *BUSINESS, anonymous=401)),
]
