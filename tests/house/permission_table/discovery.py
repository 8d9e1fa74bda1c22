"""Discovery: open to people with a business role, to the auditor, and to systems that sign; anonymous requests get 401."""

from __future__ import annotations

from tests import factories
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")


def things(city: City) -> dict[str, str]:
    """Return a grant the police bureau's operator uses, and the code of its provider."""
    resource, system = factories.make_resource(city.market), factories.make_system(city.police)
    grant = factories.make_grant(resource, system, city.people["police_operator"])
    return {"described": str(grant.uid), "provider": city.market.code, "node": "320100", "class": "GOV", "share": "share"}


PLACE = {"instance": "node", "member_class": "class", "code": "provider", "application": "share"}
ROWS: list[Row] = [
    ("GET", "openapi:grant-openapi", {"uid": "described"}, only(200, *SEERS, anonymous=401)),
    ("GET", "portal:grant-example", {"uid": "described"}, only(200, *SEERS)),
]
for plain in ("", "-plain"):
    ROWS += [
        ("GET", f"mediator:list-clients{plain}", {}, only(200, *SEERS, anonymous=401)),
        ("GET", f"mediator:list-methods{plain}", PLACE, only(200, *SEERS, anonymous=401)),
        ("GET", f"mediator:allowed-methods{plain}", PLACE, only(400, *SEERS, anonymous=401)),
        ("GET", f"mediator:get-openapi{plain}", PLACE, only(400, *SEERS, anonymous=401)),
    ]
