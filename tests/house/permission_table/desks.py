"""The inbox and what is done from it: the request of the scene waits for the head of the police bureau."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exchange.models import BulkDecision, Delegation, SavedFilter
from tests import factories
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
BUSINESS = ("operator", "head", "reviewer")


def things(city: City) -> dict[str, str]:
    """Return a waiting request of the police bureau, a delegation inside it, a filter and a bulk decision of its head."""
    now = datetime.now(tz=UTC)
    resource, system = factories.make_resource(city.market), factories.make_system(city.police)
    operator, head = city.people["police_operator"], city.people["police_head"]
    waiting = factories.make_request(resource, system, operator, state="SUBMITTED", desk="REQUESTER_HEAD", route="PROVIDER_FIRST")
    given = Delegation.objects.create(
        giver=head, delegate=operator, department=city.police, role="HEAD", created_at=now,
        valid_from=now + timedelta(days=1), valid_to=now + timedelta(days=2),
    )  # fmt: skip
    kept = SavedFilter.objects.create(user=head, page="inbox", name="常用", query="due=soon")
    done = BulkDecision.objects.create(decided_by=head, token="t", at=now)
    return {"waiting": str(waiting.uid), "delegation": str(given.uid), "filter": str(kept.uid), "bulk": str(done.uid)}


ROWS: list[Row] = [
    ("GET", "portal:request-inbox-bulk", {}, only(302, *BUSINESS)),
    ("POST", "portal:request-inbox-bulk", {}, only(422, *BUSINESS)),
    ("GET", "portal:request-inbox-bulk-result", {"uid": "bulk"}, only(200, "head") | {"operator": 404, "reviewer": 404}),
    ("POST", "portal:request-inbox-claim", {"uid": "waiting"}, only(302, "head")),
    ("POST", "portal:request-inbox-release", {"uid": "waiting"}, only(409, *BUSINESS)),
    ("POST", "portal:request-inbox-reassign", {"uid": "waiting"}, only(422, "head")),
    ("POST", "portal:request-filter-save", {}, only(422, *SEERS)),
    (
        "POST",
        "portal:request-filter-change",
        {"uid": "filter"},
        only(302, "head") | {"operator": 404, "reviewer": 404, "auditor": 404},
    ),
    ("GET", "portal:request-deadlines", {}, only(200, *SEERS)),
    ("GET", "portal:request-deadlines-export", {}, only(200, *SEERS)),
    ("GET", "portal:request-delegations", {}, only(200, *SEERS)),
    ("POST", "portal:request-delegations", {}, only(422, *SEERS)),
    ("POST", "portal:request-delegation-revoke", {"uid": "delegation"}, only(302, "operator", "head") | {"reviewer": 404}),
    ("GET", "openapi:inbox-list", {}, only(200, *BUSINESS, anonymous=401)),
    ("POST", "openapi:inbox-bulk", {}, only(422, *BUSINESS, anonymous=401)),
    ("PUT", "openapi:inbox-claim", {"uid": "waiting"}, only(200, "head", anonymous=401)),
    ("DELETE", "openapi:inbox-claim", {"uid": "waiting"}, only(409, *BUSINESS, anonymous=401)),
    ("GET", "openapi:delegation-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:delegation-list", {}, only(422, *SEERS, anonymous=401)),
    (
        "DELETE",
        "openapi:delegation-detail",
        {"uid": "delegation"},
        only(204, "operator", "head", anonymous=401) | {"reviewer": 404},
    ),
]
