"""The issuing desk: the police keep a type, have a draft, a license and a batch of it, and a feed that is open."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from licenses.issuing import batches, drafts, feeding
from licenses.models import BatchSource, IssuingFeed, LicenseEvent
from tests.factories import City
from tests.house.table import Row, only
from tests.licenses.issuing_scene import food_type, make_company, values_of
from tests.licenses.sealed import make_license, make_type

SEERS = ("operator", "head", "auditor")
BUSINESS = ("operator", "head", "reviewer")

ROWS: list[Row] = [
    ("GET", "portal:license-list", {}, only(200, *SEERS)),
    ("GET", "portal:license-find", {}, only(200, *SEERS)),
    ("POST", "portal:license-find", {}, only(422, *SEERS)),
    ("GET", "portal:license-differences", {}, only(200, *SEERS)),
    ("GET", "portal:license-review", {}, only(200, *SEERS, "reviewer")),
    ("GET", "portal:license-desk", {}, only(200, *SEERS)),
    ("GET", "portal:license-draft-types", {}, only(200, "operator")),
    ("GET", "portal:license-draft-new", {"code": "kept_type"}, only(200, "operator")),
    ("POST", "portal:license-draft-new", {"code": "kept_type"}, only(422, "operator")),
    ("GET", "portal:license-draft", {"uid": "draft"}, only(200, *SEERS)),
    ("POST", "portal:license-draft", {"uid": "draft"}, only(422, *SEERS)),
    ("GET", "portal:license-draft-edit", {"uid": "draft"}, only(200, "operator")),
    ("POST", "portal:license-draft-edit", {"uid": "draft"}, only(422, "operator")),
    ("GET", "portal:license-batch-list", {}, only(200, *SEERS)),
    ("GET", "portal:license-batch-new", {}, only(200, "operator")),
    ("POST", "portal:license-batch-new", {}, only(422, "operator")),
    ("GET", "portal:license-batch-template", {"code": "kept_type"}, only(200, "operator")),
    ("GET", "portal:license-batch", {"uid": "issuing_batch"}, only(200, *SEERS)),
    ("POST", "portal:license-batch", {"uid": "issuing_batch"}, only(422, *SEERS)),
    ("GET", "portal:license-batch-progress", {"uid": "issuing_batch"}, only(200, *SEERS)),
    ("GET", "portal:license-batch-refused", {"uid": "issuing_batch"}, only(200, *SEERS)),
    ("POST", "portal:license-feed-open", {"code": "other_type"}, only(302, "head")),
    ("POST", "portal:license-feed-close", {"number": "feed"}, only(302, "head")),
    ("GET", "portal:license-detail", {"uid": "issued"}, only(200, *SEERS)),
    ("GET", "portal:license-next", {"uid": "issued", "kind": "next_kind"}, only(200, "operator")),
    ("POST", "portal:license-next", {"uid": "issued", "kind": "next_kind"}, only(422, "operator")),
    ("GET", "portal:license-change", {"uid": "issued", "change": "change"}, only(200, *SEERS)),
    ("POST", "portal:license-change", {"uid": "issued", "change": "change"}, only(422, *SEERS)),
    ("GET", "portal:license-paper", {"uid": "issued", "act": "paper_act"}, only(200, *SEERS)),
    ("POST", "portal:license-paper", {"uid": "issued", "act": "paper_act"}, {
        "anonymous": 302, "operator": 409, "head": 409, "auditor": 403, "reviewer": 403, "system_admin": 403, "security_admin": 403,
    }),
    ("GET", "openapi:license-batch-list", {}, only(200, *BUSINESS, "auditor", anonymous=401)),
    ("POST", "openapi:license-batch-list", {}, only(422, *BUSINESS, "auditor", anonymous=401)),
    ("GET", "openapi:license-batch-detail", {"uid": "issuing_batch"}, {
        "anonymous": 401, "operator": 200, "head": 200, "auditor": 200, "reviewer": 404, "system_admin": 403, "security_admin": 403,
    }),
    ("GET", "openapi:license-batch-rows", {"uid": "issuing_batch"}, {
        "anonymous": 401, "operator": 200, "head": 200, "auditor": 200, "reviewer": 404, "system_admin": 403, "security_admin": 403,
    }),
]  # fmt: skip


def things(city: City) -> dict[str, str]:
    """Return what the police have: a type with a draft, a license, a batch and a feed."""
    now, operator = timezone.now(), city.actor("police_operator")
    version = food_type(city, department=city.police)
    other = make_type(city.police, code=f"{version.code[:18]}902", name="另一种证")
    license = make_license(version, city.police, now)
    LicenseEvent.objects.create(license=license, operation="01", state="01", department=city.police)
    draft = drafts.make(type_code=version.code, values=values_of(make_company(city.market)), actor=operator, now=now)
    rows: list[dict[str, Any]] = [values_of(make_company(city.market))]
    batch = batches.take_in(type_code=version.code, rows=rows, source=BatchSource.PAGE, actor=operator, now=now)
    feed: IssuingFeed = feeding.open_feed(type_code=version.code, actor=city.actor("police_head"), now=now)
    return {
        "kept_type": version.code, "other_type": other.code, "draft": str(draft.uid), "issuing_batch": str(batch.uid),
        "feed": str(feed.pk), "issued": str(license.uid), "next_kind": "change", "change": "suspend", "paper_act": "recall",
    }  # fmt: skip
