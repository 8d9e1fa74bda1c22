"""The catalogue: entries of the police bureau in every state on the way."""

from __future__ import annotations

from django.utils import timezone

from catalog.models import ResourceVersion
from tests import factories
from tests.factories import City
from tests.house.table import Row, only, signed_in

BUSINESS = ("operator", "head", "reviewer")


def unpublished(status: int, *kinds: str) -> dict[str, int]:
    """`status` for the kinds named, 403 for the others who see the entry, 404 for those who do not."""
    return only(status, *kinds, others=404) | {kind: 403 for kind in BUSINESS if kind not in kinds}


ROWS: list[Row] = [
    ("GET", "portal:resource-list", {}, signed_in()),
    ("GET", "portal:resource-mine", {}, only(200, *BUSINESS)),
    ("GET", "portal:resource-inbox", {}, only(200, *BUSINESS)),
    ("GET", "portal:resource-new", {}, only(200, "operator")),
    ("POST", "portal:resource-new", {}, only(422, "operator")),
    ("GET", "portal:resource-detail", {"uid": "published"}, signed_in()),
    ("GET", "portal:resource-version", {"uid": "published", "version": "first"}, signed_in()),
    ("GET", "portal:resource-edit", {"uid": "draft"}, unpublished(200, "operator")),
    ("POST", "portal:resource-edit", {"uid": "draft"}, unpublished(422, "operator")),
    ("GET", "portal:resource-mount", {"uid": "draft"}, unpublished(200, "operator")),
    ("POST", "portal:resource-mount", {"uid": "draft"}, unpublished(422, "operator")),
    ("POST", "portal:resource-submit", {"uid": "draft"}, unpublished(422, "operator")),
    ("POST", "portal:resource-discard", {"uid": "draft"}, unpublished(422, "operator")),
    ("POST", "portal:resource-recall", {"uid": "submitted"}, unpublished(422, "operator")),
    ("POST", "portal:resource-endorse", {"uid": "submitted"}, unpublished(422, "head")),
    ("POST", "portal:resource-return", {"uid": "submitted"}, unpublished(422, "head")),
    ("POST", "portal:resource-publish", {"uid": "endorsed"}, unpublished(422, "reviewer")),
    ("POST", "portal:resource-change", {"uid": "published"}, only(422, "operator")),
    ("POST", "portal:resource-withdraw", {"uid": "published"}, only(422, "head", "reviewer")),
    ("GET", "openapi:resource-list", {}, signed_in(anonymous=401)),
    ("GET", "openapi:resource-detail", {"uid": "published"}, signed_in(anonymous=401)),
]


def things(city: City) -> dict[str, str]:
    """Return an entry in each state; the published one has a version."""
    published = factories.make_resource(city.police)
    ResourceVersion.objects.create(resource=published, version=1, snapshot={"items": []}, published_at=timezone.now())
    waiting = {
        name: factories.make_resource(city.police, published=False, state=state)
        for name, state in [("draft", "DRAFTED"), ("submitted", "SUBMITTED"), ("endorsed", "ENDORSED")]
    }
    return {name: str(resource.uid) for name, resource in waiting.items()} | {"published": str(published.uid), "first": "1"}
