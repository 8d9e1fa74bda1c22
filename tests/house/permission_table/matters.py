"""Matters and the statistics of licenses: business and the auditor read, operators edit and fetch, the data centre reviews.

The scene's matter is the police bureau's draft; the case is its own. Systems alone fetch by REST: people are kept out there.
"""

from __future__ import annotations

from django.utils import timezone

from exchange.matters import definition
from exchange.matters.content import Content
from exchange.models import Matter, MatterCase, MatterState
from tests.factories import City, make_system
from tests.house.table import Row, everyone, only

SEERS = ("operator", "head", "reviewer", "auditor")
OWNERS = ("operator", "head")


def things(city: City) -> dict[str, str]:
    """A draft of the police bureau, a published matter, a case of its system."""
    now = timezone.now()
    draft = Matter.objects.filter(code="house-draft").first() or definition.draft(
        code="house-draft", content=Content(name="入户", legal_basis="户口登记条例"), actor=city.actor("police_operator"), now=now
    )
    published, _is_new = Matter.objects.get_or_create(
        code="house-matter",
        defaults={"name": "入户", "legal_basis": "户口登记条例", "department": city.police, "state": MatterState.PUBLISHED},
    )
    case = MatterCase.objects.filter(case_number="house-case").first() or MatterCase.objects.create(
        system=make_system(city.police), department=city.police, matter_code=published.code, case_number="house-case", opened_at=now
    )
    return {"draft": str(draft.uid), "matter": str(published.uid), "code": published.code, "case": str(case.uid), "none": "none"}


ROWS: list[Row] = [
    ("GET", "portal:matter-list", {}, only(200, *SEERS)),
    ("GET", "portal:matter-new", {}, only(200, "operator")),
    ("POST", "portal:matter-new", {}, only(422, "operator")),
    ("GET", "portal:matter-figures", {}, only(200, *SEERS)),
    ("GET", "portal:matter-detail", {"uid": "matter"}, only(200, *SEERS)),
    ("POST", "portal:matter-ask", {"uid": "matter", "code": "none"}, only(404, "operator")),
    ("POST", "portal:matter-decide", {"uid": "matter"}, only(422, "reviewer")),
    ("POST", "portal:matter-submit", {"uid": "draft"}, only(422, "operator")),
    ("POST", "portal:matter-retire", {"uid": "matter"}, only(422, "operator")),
    ("POST", "portal:matter-next", {"uid": "matter"}, only(302, "operator")),
    ("GET", "portal:matter-edit", {"uid": "draft"}, only(200, "operator")),
    ("POST", "portal:matter-edit", {"uid": "draft"}, only(422, "operator")),
    ("POST", "portal:matter-party", {"uid": "draft"}, only(422, "operator")),
    ("POST", "portal:matter-party-remove", {"uid": "draft", "role": "none"}, only(302, "operator")),
    ("GET", "portal:matter-material", {"uid": "draft"}, only(200, "operator")),
    ("POST", "portal:matter-material", {"uid": "draft"}, only(422, "operator")),
    ("POST", "portal:matter-material-remove", {"uid": "draft", "code": "none"}, only(302, "operator")),
    ("GET", "portal:matter-case-desk", {}, only(200, "operator")),
    ("GET", "portal:matter-case-new", {"code": "code"}, only(200, "operator")),
    ("POST", "portal:matter-case-new", {"code": "code"}, only(422, "operator")),
    ("GET", "portal:matter-case-list", {}, only(200, *SEERS)),
    ("GET", "portal:matter-case-detail", {"uid": "case"}, only(200, *SEERS)),
    ("GET", "portal:license-use-list", {}, only(200, *SEERS)),
    ("GET", "portal:license-statistics", {}, only(200, *SEERS)),
    ("GET", "portal:license-statistics-use", {}, only(200, *SEERS)),
    ("GET", "portal:license-statistics-export", {}, only(422, *SEERS)),
    ("GET", "openapi:matter-list", {}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:matter-detail", {"code": "code"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:matter-case-fetch", {}, everyone(401)),
    ("GET", "openapi:matter-case-read", {"case_number": "none"}, everyone(401)),
    ("GET", "openapi:license-statistics", {}, only(200, *SEERS, anonymous=401)),
]
