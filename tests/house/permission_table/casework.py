"""Cases of requests: extensions and supervision, on a late request of the police bureau on the market's data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exchange.models import ClockExtension, SupervisionNotice
from tests import factories
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")


def things(city: City) -> dict[str, str]:
    """Return a request that lies late on the market's desk, its extension and its notice."""
    now = datetime.now(tz=UTC)
    resource, system = factories.make_resource(city.market), factories.make_system(city.police)
    late = factories.make_request(
        resource, system, city.people["police_operator"], state="ENDORSED", desk="PROVIDER_OPERATOR", route="PROVIDER_FIRST",
        due_at=now - timedelta(hours=1), answer_due_at=now + timedelta(days=3),
    )  # fmt: skip
    asker = city.people["market_operator"]
    extension = ClockExtension.objects.create(
        access_request=late, desk=late.desk, days=3, reason="须征求意见", asked_by=asker, asked_by_name="x", asked_at=now
    )
    notice = SupervisionNotice.objects.create(
        access_request=late, desk=late.desk, department=city.market, text="请说明", due_at=now, issued_at=now,
        issued_by=city.people["reviewer"], issued_by_name="x",
    )  # fmt: skip
    return {"late_request": str(late.uid), "extension": str(extension.uid), "notice": str(notice.uid)}


ROWS: list[Row] = [
    ("POST", "portal:request-extension-ask", {"uid": "late_request"}, only(422, *SEERS)),
    ("POST", "portal:request-extension-decide", {"uid": "extension"}, only(422, "reviewer")),
    ("POST", "portal:request-notice-issue", {"uid": "late_request"}, only(422, *SEERS)),
    ("POST", "portal:request-notice-reply", {"uid": "notice"}, only(422, *SEERS)),
    ("GET", "portal:request-notice-list", {}, only(200, *SEERS)),
    ("PUT", "openapi:access-request-detail", {"uid": "late_request"}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:access-request-extensions", {"uid": "late_request"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:access-request-extensions", {"uid": "late_request"}, only(422, *SEERS, anonymous=401)),
    (
        "POST",
        "openapi:access-request-extension-decision",
        {"uid": "late_request", "extension": "extension", "decision": "consent"},
        only(200, "reviewer", anonymous=401),
    ),
    ("POST", "openapi:access-request-notices", {"uid": "late_request"}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:supervision-notice-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:supervision-notice-reply", {"uid": "notice"}, only(422, *SEERS, anonymous=401)),
]
