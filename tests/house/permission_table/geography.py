"""Places: addresses and divisions for business roles; outlines are loaded by the system administrator and the data centre."""

from __future__ import annotations

from basedb.models import DataSource
from tests.factories import City
from tests.house.table import Row, only

BUSINESS = ("operator", "head", "reviewer")
LOADERS = ("system_admin", "reviewer")


def things(city: City) -> dict[str, str]:
    """Return a division, and a source of places; the divisions of the city are there already."""
    source = DataSource.objects.create(
        code="land", title="地名", dataset="geo.place", department=city.police, collector="CIVIL_AFFAIRS"
    )
    return {"division": "320102", "source": source.code}


ROWS: list[Row] = [
    ("GET", "portal:boundary-list", {}, only(200, *LOADERS)),
    ("GET", "portal:boundary-load", {}, only(200, *LOADERS)),
    ("POST", "portal:boundary-load", {}, only(422, *LOADERS)),
    ("GET", "portal:geometry-source-list", {}, only(200, "head", "reviewer", "auditor", "system_admin")),
    ("GET", "portal:geometry-source-decide", {"code": "source"}, only(200, "reviewer")),
    ("POST", "portal:geometry-source-decide", {"code": "source"}, only(422, "reviewer")),
    ("POST", "openapi:geography-address-matches", {}, only(422, *BUSINESS, anonymous=401)),
    ("GET", "openapi:geography-point-divisions", {}, only(422, *BUSINESS, anonymous=401)),
    ("GET", "openapi:geography-nearest-addresses", {}, only(422, *BUSINESS, anonymous=401)),
    ("GET", "openapi:geography-division-figures", {}, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:geography-division", {"code": "division"}, only(200, *BUSINESS, anonymous=401)),
]
