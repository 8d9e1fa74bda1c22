"""Missing licenses and recognition: the police look for a license a clerk reported; a node of a county is trusted."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from licenses.models import DifferenceReport, ForeignLicense, NodePosition, TrustedKey, TrustedNode
from tests.factories import City
from tests.house.table import Row, everyone, only
from tests.licenses.missing import missing_report

SEERS = ("operator", "head", "reviewer", "auditor")
REPORT = {"uid": "missing"}
NODE = {"uid": "node"}
FOREIGN = {"uid": "foreign"}

ROWS: list[Row] = [
    ("GET", "portal:missing-license-list", {}, only(200, *SEERS)),
    ("GET", "portal:missing-license-new", {}, only(200, "operator")),
    ("POST", "portal:missing-license-new", {}, only(422, "operator")),
    ("GET", "portal:missing-license-detail", REPORT, only(200, *SEERS)),
    ("POST", "portal:missing-license-detail", REPORT, only(422, *SEERS)),
    ("GET", "portal:missing-license-statistics", {}, only(200, *SEERS)),
    ("GET", "portal:missing-license-clocks", {}, only(200, *SEERS)),
    ("POST", "portal:missing-license-clocks", {}, only(422, *SEERS)),
    ("GET", "openapi:missing-license-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:missing-license-list", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:missing-license-detail", REPORT, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:missing-license-detail", REPORT, only(422, *SEERS, anonymous=401)),
    ("GET", "portal:holder-missing", {}, everyone(403)),
    ("POST", "portal:holder-missing", {}, everyone(403)),
    ("POST", "portal:holder-missing-withdraw", REPORT, everyone(403)),
    ("GET", "portal:recognition-list", {}, only(200, *SEERS)),
    ("GET", "portal:recognition-propose", {}, only(200, "reviewer")),
    ("POST", "portal:recognition-propose", {}, only(422, "reviewer")),
    ("GET", "portal:recognition-card", {}, only(200, "reviewer")),
    ("GET", "portal:recognition-card-file", {}, only(200, "reviewer")),
    ("GET", "portal:recognition-rejected", {}, only(200, *SEERS)),
    ("GET", "portal:recognition-node", NODE, only(200, *SEERS)),
    ("GET", "portal:recognition-endpoint", NODE, only(200, "reviewer")),
    ("POST", "portal:recognition-endpoint", NODE, only(302, "reviewer")),
    ("POST", "portal:recognition-again", NODE, only(409, "reviewer")),
    ("POST", "portal:recognition-compare", NODE, only(409, "reviewer")),
    ("GET", "portal:recognition-confirm", {"uid": "key"}, only(200, "reviewer")),
    ("POST", "portal:recognition-confirm", {"uid": "key"}, only(422, "reviewer")),
    ("GET", "portal:recognition-revoke", {"uid": "key"}, only(200, "reviewer")),
    ("POST", "portal:recognition-revoke", {"uid": "key"}, only(422, "reviewer")),
    ("GET", "portal:recognition-differences", {"uid": "differences"}, only(200, *SEERS)),
    ("GET", "portal:recognition-differences-export", {"uid": "differences"}, only(200, *SEERS)),
    ("GET", "portal:recognition-foreign-list", {}, only(200, *SEERS)),
    ("GET", "portal:recognition-foreign-new", {}, only(200, "operator")),
    ("POST", "portal:recognition-foreign-new", {}, only(422, "operator")),
    ("GET", "portal:recognition-foreign-verify", {}, only(200, *SEERS)),
    ("POST", "portal:recognition-foreign-verify", {}, only(422, *SEERS)),
    ("GET", "portal:recognition-foreign-detail", FOREIGN, only(200, "operator", "head", "auditor") | {"reviewer": 404}),
    ("POST", "openapi:license-exchange-batches", {}, everyone(422)),
    ("POST", "openapi:license-exchange-questions", {}, everyone(422)),
    ("GET", "openapi:license-exchange-trust-list", {}, everyone(200)),
    ("GET", "openapi:foreign-license-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:foreign-license-list", {}, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:foreign-license-verification", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:foreign-license-detail", FOREIGN, only(200, "operator", "head", "auditor", anonymous=401) | {"reviewer": 404}),
]


def things(city: City) -> dict[str, str]:
    """Return a report the police have to look for, a node with a key and a differences report, a license the police fetched."""
    now = timezone.now()
    node = TrustedNode.objects.create(code="320102", name="玄武区节点", region_code="320102", relation="BELOW", created_at=now)
    NodePosition.objects.create(node=node)
    key = TrustedKey.objects.create(
        node=node, key_id="0" * 16, fingerprint="0" * 64, public_key="", valid_from=now, valid_to=now + timedelta(days=9),
        proposed_by=city.people["reviewer"], proposed_at=now,
    )  # fmt: skip
    answer = {"state": "UNKNOWN", "code": "status.foreign_no_list", "message": "", "evidence": {}}
    foreign = ForeignLicense.objects.create(
        node=node, identifier="1", matter="落户", purpose="核验", department=city.police, fetched_at=now, expires_at=now,
        fetched_by=city.people["police_operator"], result=dict.fromkeys(("integrity", "status", "issuer"), answer),
    )  # fmt: skip
    report = DifferenceReport.objects.create(node=node, made_at=now, ours=1, theirs=1, different=0)
    return {
        "missing": str(missing_report(city, now=now).uid),
        "node": str(node.uid),
        "key": str(key.uid),
        "foreign": str(foreign.uid),
        "differences": str(report.uid),
    }
