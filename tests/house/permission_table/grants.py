"""What a grant holds: the grant of the scene is the police bureau's own, on the market's data, for its own clients only."""

from __future__ import annotations

from tests import factories
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")


def things(city: City) -> dict[str, str]:
    """Return a grant the police bureau's operator uses and the data centre keeps, and a request on the centre's desk."""
    resource, system = factories.make_resource(city.market), factories.make_system(city.police)
    grant = factories.make_grant(
        resource, system, city.people["police_operator"], mode="VERIFY", row_filter=[{"kind": "own_clients"}]
    )
    waiting = factories.make_request(
        resource, system, city.people["police_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST"
    )
    return {"grant": str(grant.uid), "cleared": str(waiting.uid)}


UID = {"uid": "grant"}
ROWS: list[Row] = [
    ("GET", "portal:grant-versions", UID, only(200, *SEERS)),
    ("GET", "portal:grant-narrow", UID, only(200, "reviewer")),
    ("POST", "portal:grant-narrow", UID, only(422, "reviewer")),
    ("GET", "portal:grant-terminate", UID, only(200, "reviewer")),
    ("POST", "portal:grant-terminate", UID, only(422, "reviewer")),
    ("GET", "portal:grant-addresses", UID, only(200, "operator")),
    ("POST", "portal:grant-addresses", UID, only(422, "operator")),
    ("GET", "portal:grant-clients", UID, only(200, "operator")),
    ("POST", "portal:grant-clients", UID, only(422, "operator")),
    ("POST", "portal:grant-token-key", UID, only(422, "operator")),
    ("POST", "portal:request-masks", {"uid": "cleared"}, only(422, "reviewer")),
    ("GET", "openapi:grant-versions", UID, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:grant-narrow", UID, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:grant-terminate", UID, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:grant-addresses", UID, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:grant-token-key", UID, only(201, "operator", anonymous=401)),
    ("POST", "openapi:grant-clients", UID, only(415, *SEERS, anonymous=401)),
    ("GET", "openapi:grant-jobs", UID, only(200, *SEERS, anonymous=401)),
]
