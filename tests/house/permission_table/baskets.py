"""Baskets, bundles, copies, renewals, remarks, attachments: all of the police bureau, on the market's data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exchange.models import Attachment, BasketEntry, RequestBundle
from tests import factories
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")


def things(city: City) -> dict[str, str]:
    """Return a basket entry, a bundle with a part at the head's desk, a draft with a file, a submitted file, an ending grant."""
    now = datetime.now(tz=UTC)
    resource, system = factories.make_resource(city.market), factories.make_system(city.police)
    operator = city.people["police_operator"]
    entry = BasketEntry.objects.create(user=operator, resource=resource, added_at=now)
    bundle = RequestBundle.objects.create(
        number="YL1", requester=city.police, created_by=operator, purpose="核验", submitted_at=now
    )
    part = factories.make_request(
        resource, system, operator, state="SUBMITTED", desk="REQUESTER_HEAD", route="PROVIDER_FIRST", bundle=bundle
    )
    draft = factories.make_request(resource, system, operator)
    grant = factories.make_grant(resource, system, operator, valid_to=now + timedelta(days=20))
    files = [
        Attachment.objects.create(
            access_request=owner, name="a.txt", kind="txt", size=1, sha256="0" * 64, place=f"none/{owner.pk}", uploaded_by=operator,
            uploaded_by_name="x", uploaded_at=now,
        ) for owner in (draft, part)
    ]  # fmt: skip
    return {
        "listed": str(resource.uid),
        "entry": str(entry.uid),
        "bundle": str(bundle.uid),
        "part": str(part.uid),
        "own_draft": str(draft.uid),
        "ending": str(grant.uid),
        "draft_file": str(files[0].uid),
        "file": str(files[1].uid),
    }


ROWS: list[Row] = [
    ("GET", "portal:basket-detail", {}, only(200, "operator")),
    ("POST", "portal:basket-detail", {}, only(422, "operator")),
    ("POST", "portal:basket-add", {"resource_uid": "listed"}, only(302, "operator")),
    ("POST", "portal:basket-remove", {"uid": "entry"}, only(302, "operator")),
    ("GET", "portal:request-bundle-list", {}, only(200, *SEERS)),
    ("GET", "portal:request-bundle", {"uid": "bundle"}, only(200, *SEERS)),
    ("POST", "portal:request-bundle-endorse", {"uid": "bundle"}, only(422, *SEERS)),
    ("POST", "portal:request-copy", {"uid": "part"}, only(422, "operator")),
    ("POST", "portal:grant-renew", {"uid": "ending"}, only(422, "operator")),
    ("POST", "portal:request-remark", {"uid": "part"}, only(422, *SEERS)),
    ("POST", "portal:request-attach", {"uid": "own_draft"}, only(422, "operator")),
    # The file of the scene lies nowhere: 503 means "let in".
    ("GET", "portal:attachment-download", {"uid": "file"}, only(503, *SEERS)),
    ("POST", "portal:attachment-remove", {"uid": "draft_file"}, only(302, "operator")),
    ("POST", "portal:attachment-redact", {"uid": "file"}, only(422, *SEERS)),
    ("GET", "openapi:bundle-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:bundle-list", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:bundle-detail", {"uid": "bundle"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:bundle-endorse", {"uid": "bundle"}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:remark-list", {"uid": "part"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:remark-list", {"uid": "part"}, only(415, *SEERS, anonymous=401)),
    ("GET", "openapi:attachment-list", {"uid": "part"}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:attachment-list", {"uid": "part"}, only(415, *SEERS, anonymous=401)),
    ("POST", "openapi:access-request-copy", {"uid": "part"}, only(201, "operator", anonymous=401)),
    ("POST", "openapi:grant-renew", {"uid": "ending"}, only(201, "operator", anonymous=401)),
    ("GET", "openapi:attachment-content", {"uid": "file"}, only(503, *SEERS, anonymous=401)),
    ("POST", "openapi:attachment-redact", {"uid": "file"}, only(422, *SEERS, anonymous=401)),
]
