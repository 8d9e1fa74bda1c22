"""Presenting: holders have a session of their own; the desk is for clerks, stops and trust for reviewers."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from exchange.models import IdentityApplication
from licenses.models import HolderBlock, HolderSession, PresentingCode
from tests import factories
from tests.factories import City
from tests.house.table import Row, everyone, only

CLERKS = ("operator", "head")
UID, CODE = {"uid": "code"}, {"uid": "scanned"}

ROWS: list[Row] = [
    ("GET", "portal:holder-home", {}, everyone(403)),
    ("GET", "portal:holder-enter", {"ticket": "nobodys"}, everyone(404)),
    ("GET", "portal:holder-license", {"row": "00000000000000000000000000000000"}, everyone(403)),
    ("POST", "portal:holder-code-new", {}, everyone(403)),
    ("GET", "portal:holder-code", UID, everyone(403)),
    ("GET", "portal:holder-code-state", UID, everyone(403)),
    ("POST", "portal:holder-code-answer", UID, everyone(403)),
    ("GET", "portal:holder-uses", {}, everyone(403)),
    ("GET", "portal:holder-agents", {}, everyone(403)),
    ("POST", "portal:holder-agents", {}, everyone(403)),
    ("POST", "portal:holder-agent-revoke", UID, everyone(403)),
    ("GET", "portal:holder-stop", {}, everyone(403)),
    ("POST", "portal:holder-stop", {}, everyone(403)),
    ("POST", "portal:holder-leave", {}, everyone(200)),
    ("GET", "demo-identity", {}, everyone(200)),
    ("POST", "demo-identity", {}, everyone(422)),
    ("GET", "portal:presenting-scan", {}, only(200, *CLERKS)),
    ("POST", "portal:presenting-scan", {}, only(422, *CLERKS)),
    ("GET", "portal:presenting-detail", CODE, only(200, *CLERKS)),
    ("GET", "portal:presenting-state", CODE, only(200, *CLERKS)),
    ("POST", "portal:presenting-read", CODE, only(403, *CLERKS)),
    ("GET", "portal:presenting-blocks", {}, only(200, "reviewer")),
    ("POST", "portal:presenting-blocks", {}, only(422, "reviewer")),
    ("POST", "portal:presenting-block-lift", {"uid": "block"}, only(422, "reviewer")),
    ("GET", "portal:presenting-applications", {}, only(200, "reviewer")),
    ("POST", "portal:presenting-applications", {}, only(422, "reviewer")),
    ("POST", "portal:presenting-application-confirm", {"uid": "application"}, only(302, "reviewer")),
    ("POST", "portal:presenting-application-end", {"uid": "application"}, only(302, "reviewer")),
    ("POST", "openapi:presentation-scan", {}, everyone(401)),
    ("GET", "openapi:presentation-detail", UID, everyone(401)),
    ("POST", "openapi:presentation-read", UID, everyone(401)),
    ("POST", "openapi:holder-session-open", {}, everyone(401)),
    ("POST", "openapi:holder-code-create", {}, everyone(403)),
    ("GET", "openapi:holder-code-detail", UID, everyone(403)),
    ("POST", "openapi:holder-code-answer", UID, everyone(403)),
]  # fmt: skip


def things(city: City) -> dict[str, str]:
    """Return a code the police operator scanned, a stopped holder and an identity application."""
    now = timezone.now()
    system = factories.make_system(city.police)
    key = b"k" * 16
    session = HolderSession.objects.create(
        subject_key=key, subject_kind="PERSON", person_key=key, assurance=2, system_id=system.pk, system_name="身份应用",
        ticket_digest=b"t" * 32, ticket_until=now,
    )  # fmt: skip
    code = PresentingCode.objects.create(
        digest=b"d" * 32, session=session, subject_key=key, subject_kind="PERSON", state="SCANNED", expires_at=now,
        scanned_at=now, answer_until=now + timedelta(minutes=3), system_id=system.pk, department_id=city.police.pk,
        grant_id=0, actor_id=city.people["police_operator"].pk,
    )  # fmt: skip
    application = IdentityApplication.objects.create(system=system, assurance_at_most=3, basis="协议")
    block = HolderBlock.objects.create(subject_key=b"b" * 16, by="HOTLINE", reason="来电")
    return {
        "code": "00000000-0000-7000-8000-000000000000",
        "scanned": str(code.uid),
        "block": str(block.uid),
        "application": str(application.uid),
    }
