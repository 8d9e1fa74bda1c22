"""Sources of the police bureau: its people and the reviewer see them; the national convention; authorization from above."""

from __future__ import annotations

from django.utils import timezone

from exchange.models import SourceConnection, UpstreamAccount, UpstreamInterface
from tests import factories
from tests.exchange.test_upstream import authorize
from tests.factories import City
from tests.house.table import Row, only

BUSINESS = ("operator", "head", "reviewer")
REGISTRARS = ("operator", "reviewer")
# The request is between education and the data centre: for the police it does not exist.
UPWARD = only(404, "operator", "head", anonymous=401) | {"reviewer": 422}

ROWS: list[Row] = [
    ("GET", "portal:source-list", {}, only(200, *BUSINESS)),
    *[(method, f"portal:source-{kind}-new", {}, only(status, *REGISTRARS)) for kind in ("table", "interface", "account")
      for method, status in (("GET", 200), ("POST", 422))],
    ("GET", "portal:source-account", {"uid": "account"}, only(200, *BUSINESS)),
    ("POST", "portal:source-account", {"uid": "account"}, only(422, *BUSINESS)),
    ("GET", "portal:source-detail", {"uid": "source"}, only(200, *BUSINESS)),
    ("POST", "portal:source-test", {"uid": "source"}, only(302, *REGISTRARS)),
    ("POST", "portal:source-switch", {"uid": "source"}, only(302, *REGISTRARS)),
    ("GET", "portal:source-password", {"uid": "table"}, only(200, "operator")),
    ("POST", "portal:source-password", {"uid": "table"}, only(422, "operator")),
    ("GET", "portal:national", {}, only(200, *BUSINESS)),
    ("GET", "portal:national-requester-new", {}, only(200, "operator")),
    ("POST", "portal:national-requester-new", {}, only(422, "operator")),
    ("GET", "portal:national-service-new", {}, only(200, "reviewer")),
    ("POST", "portal:national-service-new", {}, only(422, "reviewer")),
    ("GET", "portal:resource-authorization", {"uid": "resource"}, only(200, "reviewer")),
    ("POST", "portal:resource-authorization", {"uid": "resource"}, only(422, "reviewer")),
    ("GET", "portal:request-relay", {"uid": "request"}, only(200, "reviewer")),
    ("POST", "portal:request-relay", {"uid": "request"}, only(422, "reviewer")),
    ("GET", "portal:request-receipt", {"uid": "request"}, only(200, "reviewer")),
    ("POST", "portal:request-receipt", {"uid": "request"}, only(422, "reviewer")),
    ("GET", "openapi:source-tables", {}, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:source-interfaces", {}, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:request-relay", {"uid": "request"}, only(404, *BUSINESS, anonymous=401)),
    ("POST", "openapi:request-relay", {"uid": "request"}, UPWARD),
    ("POST", "openapi:request-receipts", {"uid": "request"}, UPWARD),
]  # fmt: skip


def things(city: City) -> dict[str, str]:
    """Return an interface and an account of the police, and a request for a resource from above."""
    now = timezone.now()
    account = UpstreamAccount.objects.create(title="省平台", department=city.police, auth="HEADER", header_name="X-Key")
    source = UpstreamInterface.objects.create(title="接口", department=city.police, url="http://127.0.0.1:1/person", timeout_ms=100)
    table = SourceConnection.objects.create(
        title="表",
        department=city.police,
        kind="MYSQL",
        host="127.0.0.1",
        port=1,
        database="d",
        username="u",
        table="t",
        key_column="k",
    )
    resource = factories.make_resource(city.police)
    authorize(city, resource, now)
    system, user = factories.make_system(city.education), city.people["education_operator"]
    request = factories.make_request(resource, system, user, state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST")
    found = {"account": account, "source": source, "resource": resource, "request": request, "table": table}
    return {name: str(thing.uid) for name, thing in found.items()}
