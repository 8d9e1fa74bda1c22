"""The type catalogue: the police have a published type in two versions, a draft, a proposed use and a proposed office."""

from __future__ import annotations

from django.utils import timezone

from licenses.types import entrusting
from tests.factories import City
from tests.house.table import Row, only, signed_in
from tests.licenses.types_scene import draft_type, next_version, proposed_use, published_type

CODE = {"code": "code"}
DRAFT = {"uid": "draft"}
USE = {"uid": "use"}
OFFICE = {"uid": "office"}


def own(status: int, *kinds: str) -> dict[str, int]:
    """`status` for the kinds named; others of those who see drafts are kept out, the rest see none."""
    return only(403, "operator", "head", "reviewer", "auditor", others=404) | dict.fromkeys(kinds, status)


ROWS: list[Row] = [
    ("GET", "portal:license-type-list", {}, signed_in()),
    ("GET", "portal:license-type-new", {}, only(200, "operator")),
    ("POST", "portal:license-type-new", {}, only(422, "operator")),
    ("GET", "portal:license-type-load", {}, only(200, "reviewer")),
    ("POST", "portal:license-type-load", {}, only(422, "reviewer")),
    ("GET", "portal:license-type-use-list", {}, signed_in()),
    ("GET", "portal:license-type-export", {}, signed_in()),
    ("GET", "portal:license-type-use-export", {}, signed_in()),
    ("POST", "portal:license-type-use-publish", USE, only(302, "head")),
    ("GET", "portal:license-type-use-end", USE, own(200, "operator", "reviewer")),
    ("POST", "portal:license-type-use-end", USE, own(422, "operator", "reviewer")),
    ("GET", "portal:license-type-version", DRAFT, own(200, "operator", "head", "reviewer", "auditor")),
    ("GET", "portal:license-type-facts", DRAFT, own(200, "operator")),
    ("POST", "portal:license-type-facts", DRAFT, own(422, "operator")),
    ("GET", "portal:license-type-item", DRAFT, own(200, "operator")),
    ("POST", "portal:license-type-item", DRAFT, own(422, "operator")),
    ("GET", "portal:license-type-element", DRAFT, own(200, "operator")),
    ("POST", "portal:license-type-element", DRAFT, own(422, "operator")),
    ("GET", "portal:license-type-page", DRAFT, own(200, "operator")),
    ("POST", "portal:license-type-page", DRAFT, own(422, "operator")),
    ("POST", "portal:license-type-arrange", DRAFT, own(422, "operator")),
    ("POST", "portal:license-type-submit", DRAFT, own(302, "operator")),
    ("GET", "portal:license-type-return", DRAFT, own(200, "head")),
    ("POST", "portal:license-type-return", DRAFT, own(422, "head")),
    ("GET", "portal:license-type-publish", DRAFT, own(200, "head")),
    ("POST", "portal:license-type-publish", DRAFT, own(422, "head")),
    ("GET", "portal:license-type-detail", CODE, signed_in()),
    ("POST", "portal:license-type-next", CODE, only(302, "operator")),
    ("GET", "portal:license-type-compare", CODE, signed_in()),
    ("GET", "portal:license-type-retire", CODE, only(200, "reviewer")),
    ("POST", "portal:license-type-retire", CODE, only(422, "reviewer")),
    ("GET", "portal:license-type-entrust", CODE, only(200, "reviewer")),
    ("POST", "portal:license-type-entrust", CODE, only(422, "reviewer")),
    ("POST", "portal:license-type-office-confirm", OFFICE, only(302, "head")),
    ("GET", "portal:license-type-office-end", OFFICE, own(200, "operator", "reviewer")),
    ("POST", "portal:license-type-office-end", OFFICE, own(422, "operator", "reviewer")),
    ("GET", "portal:license-type-office-new", CODE, only(200, "operator")),
    ("POST", "portal:license-type-office-new", CODE, only(422, "operator")),
    ("GET", "portal:license-type-use-new", CODE, only(200, "operator")),
    ("POST", "portal:license-type-use-new", CODE, only(422, "operator")),
    ("GET", "openapi:license-type-list", {}, signed_in(anonymous=401)),
    ("GET", "openapi:license-type-detail", CODE, signed_in(anonymous=401)),
    ("GET", "openapi:license-type-office-list", {}, signed_in(anonymous=401)),
    ("GET", "openapi:license-type-use-list", {}, signed_in(anonymous=401)),
]


def things(city: City) -> dict[str, str]:
    """Return the code of a type, a draft of another one, a proposed use and a proposed office."""
    now = timezone.now()
    published = published_type(city, now)
    next_version(city, published.code, now)
    given = {"type_code": published.code, "department": city.market.uid, "basis": "《试验条例》第二条"}
    office = entrusting.propose(**given, actor=city.actor("police_operator"), now=now)
    use, draft = proposed_use(city, published, now), draft_type(city, now)
    return {"code": published.code, "draft": str(draft.uid), "use": str(use.uid), "office": str(office.uid)}
