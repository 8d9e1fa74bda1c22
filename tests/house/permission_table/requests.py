"""Requests, grants, systems, calls: the request of the scene is the police bureau's own and lies on its head's desk."""

from __future__ import annotations

from datetime import UTC, datetime

from core.ids import uuid7
from exchange.models import CallRecord, Credential
from tests import factories
from tests.factories import City
from tests.house.table import Row, everyone, only

SEERS = ("operator", "head", "reviewer", "auditor")
BUSINESS = ("operator", "head", "reviewer")


def things(city: City) -> dict[str, str]:
    """Return a request, a draft, a grant, a system, a credential and a call of the police bureau, on the market's data."""
    now = datetime.now(tz=UTC)
    resource, system = factories.make_resource(city.market), factories.make_system(city.police)
    operator = city.people["police_operator"]
    waiting = factories.make_request(resource, system, operator, state="SUBMITTED", desk="REQUESTER_HEAD", route="PROVIDER_FIRST")
    grant = factories.make_grant(resource, system, operator)
    credential = Credential.objects.create(
        system=system, key=uuid7().hex, algorithm="HMAC-SHA256", valid_from=now, valid_to=grant.valid_to
    )
    call = CallRecord.objects.create(
        requested_at=now, consumer_id=system.pk, call_id=uuid7(), credential_id=credential.pk, grant_id=grant.pk, grant_version=1,
        resource_id=resource.pk, provider_id=city.market.pk, department_id=city.police.pk, mode="QUERY", outcome="call.answered",
    )  # fmt: skip
    return {
        "resource": str(resource.uid),
        "request": str(waiting.uid),
        "draft": str(factories.make_request(resource, system, operator).uid),
        "grant": str(grant.uid),
        "system": str(system.uid),
        "credential": str(credential.uid),
        "call": str(call.call_id),
        "withdraw": "withdraw",
        "revoke": "revoke",
    }


def _page(name: str, arguments: dict[str, str] | None = None, *kinds: str) -> Row:
    return ("GET", f"portal:{name}", arguments or {}, only(200, *(kinds or SEERS)))


ROWS: list[Row] = [
    _page("request-list"),
    _page("request-inbox", {}, *BUSINESS),
    _page("request-new", {"resource_uid": "resource"}, "operator"),
    ("POST", "portal:request-new", {"resource_uid": "resource"}, only(422, "operator")),
    _page("request-detail", {"uid": "request"}),
    _page("request-edit", {"uid": "draft"}, "operator"),
    ("POST", "portal:request-edit", {"uid": "draft"}, only(422, "operator")),
    ("POST", "portal:request-decide", {"uid": "request"}, only(422, *SEERS)),
    _page("grant-list"),
    _page("grant-detail", {"uid": "grant"}),
    ("POST", "portal:grant-change", {"uid": "grant"}, only(422, *SEERS)),
    _page("system-list"),
    ("POST", "portal:system-register", {}, only(422, "operator")),
    _page("system-detail", {"uid": "system"}),
    ("POST", "portal:system-issue", {"uid": "system"}, only(422, *SEERS)),
    ("GET", "portal:system-public-key", {"uid": "system"}, only(200, "operator")),
    ("POST", "portal:system-public-key", {"uid": "system"}, only(422, "operator")),
    ("POST", "portal:system-revoke", {"uid": "credential"}, only(302, *BUSINESS)),
    _page("call-list"),
    _page("call-export"),
    _page("call-detail", {"call_id": "call"}),
    ("GET", "openapi:access-request-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:access-request-list", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:access-request-detail", {"uid": "request"}, only(200, *SEERS, anonymous=401)),
    (
        "POST",
        "openapi:access-request-command",
        {"uid": "request", "command": "withdraw"},
        only(200, "operator", "head", anonymous=401),
    ),
    ("GET", "openapi:grant-list", {}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:grant-detail", {"uid": "grant"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:grant-change", {"uid": "grant", "command": "revoke"}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:system-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:system-list", {}, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:system-credentials", {"uid": "system"}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:system-public-keys", {"uid": "system"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:system-public-keys", {"uid": "system"}, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:credential-revoke", {"uid": "credential"}, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:answer-keys", {}, everyone(200)),
    ("GET", "openapi:call-record-list", {}, only(200, *SEERS, anonymous=401)),
]
