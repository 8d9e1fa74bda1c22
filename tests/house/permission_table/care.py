"""Care after the grant: the police provide to education, and use data of the market bureau themselves."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from core.models import SharedObject, User
from exchange.models import Alert, BreakGlass, Disposal, Grant, LegalHold, UsageRecord
from tests import factories
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
KEEPERS = ("auditor", "security_admin")

ROWS: list[Row] = [
    ("GET", "portal:alert-list", {}, only(200, *SEERS)),
    ("GET", "portal:alert-detail", {"uid": "alert"}, only(200, *SEERS)),
    ("POST", "portal:alert-handle", {"uid": "alert"}, only(422, "head", "reviewer")),
    ("GET", "portal:emergency-list", {}, only(200, *SEERS)),
    ("GET", "portal:emergency-detail", {"uid": "emergency"}, only(200, *SEERS)),
    ("POST", "portal:emergency-detail", {"uid": "emergency"}, only(422, *SEERS)),
    ("GET", "portal:emergency-new", {"uid": "resource"}, only(403)),
    ("POST", "portal:emergency-new", {"uid": "resource"}, only(403)),
    ("GET", "portal:usage-list", {}, only(200, *SEERS)),
    ("GET", "portal:usage-detail", {"uid": "used"}, only(200, *SEERS)),
    ("GET", "portal:usage-record", {"uid": "used"}, only(200, "operator")),
    ("POST", "portal:usage-record", {"uid": "used"}, only(422, "operator")),
    ("GET", "portal:usage-correct", {"uid": "record"}, only(200, "operator")),
    ("POST", "portal:usage-correct", {"uid": "record"}, only(422, "operator")),
    ("GET", "portal:usage-inspect", {"uid": "provided"}, only(200, "operator", "head", "reviewer")),
    ("POST", "portal:usage-inspect", {"uid": "provided"}, only(422, "operator", "head", "reviewer")),
    ("GET", "portal:disposal-list", {}, only(200, *SEERS)),
    ("GET", "portal:disposal-detail", {"uid": "disposal"}, only(200, *SEERS)),
    ("POST", "portal:disposal-report", {"uid": "disposal"}, only(422, *SEERS)),
    ("POST", "portal:disposal-decide", {"uid": "disposal"}, only(422, *SEERS)),
    ("GET", "portal:hold-list", {}, only(200, *KEEPERS)),
    ("GET", "portal:hold-new", {}, only(200, *KEEPERS)),
    ("POST", "portal:hold-new", {}, only(422, *KEEPERS)),
    ("GET", "portal:hold-release", {"uid": "hold"}, only(200, *KEEPERS)),
    ("POST", "portal:hold-release", {"uid": "hold"}, only(422, *KEEPERS)),
    ("GET", "portal:liability-list", {}, only(200, *SEERS)),
    *[("GET", f"openapi:{name}-list", {}, only(200, *SEERS, anonymous=401))
      for name in ("alert", "usage", "disposal", "emergency", "liability")],
    ("GET", "openapi:hold-list", {}, only(200, *KEEPERS, anonymous=401)),
    ("POST", "openapi:usage-create", {"uid": "used"}, only(422, *SEERS, anonymous=401)),
    ("POST", "openapi:alert-handle", {"uid": "alert", "command": "dismiss"}, {
        "anonymous": 401, "operator": 403, "head": 422, "reviewer": 422, "auditor": 403, "system_admin": 403,
        "security_admin": 403,
    }),
]  # fmt: skip


def things(city: City) -> dict[str, str]:
    """Return a grant the police provide, one they use, and what hangs on them."""
    now, today = timezone.now(), date.today()
    assert not settings.BREAK_GLASS_ALLOWED
    people = city.people
    resource = factories.make_resource(city.police)
    provided = factories.make_grant(resource, factories.make_system(city.education), people["education_operator"])
    used = factories.make_grant(factories.make_resource(city.market), factories.make_system(city.police), people["police_operator"])
    alert = Alert.objects.create(
        kind="ENUMERATION",
        grant=provided,
        system=provided.system,
        department=city.education,
        opened_at=now,
        last_seen_at=now,
        measure=300,
        threshold=100,
        evidence={"asked": 300, "missed": 300},
    )
    emergency = BreakGlass.objects.create(
        number="YJ1",
        grant=provided,
        incident_number="1",
        reason="走失老人",
        hours=4,
        opened_by=people["education_head"],
        opened_by_name="负责人",
        opened_by_department=city.education,
        opened_at=now,
        review_due_at=now + timedelta(days=3),
    )
    disposal = Disposal.objects.create(grant=provided, opened_at=now, due_at=now + timedelta(days=10))
    hold = LegalHold.objects.create(
        number="BQ1", case_number="1", reason="取证", scope="ALL", placed_by=people["reviewer"], placed_by_name="某", placed_at=now
    )
    record = _record(used, people["police_operator"], today)
    made: dict[str, SharedObject | UsageRecord] = {
        "alert": alert,
        "emergency": emergency,
        "disposal": disposal,
        "hold": hold,
        "record": record,
    }
    made |= {"resource": resource, "provided": provided, "used": used}
    return {name: str(thing.uid) for name, thing in made.items()}


def _record(used: Grant, user: User, today: date) -> UsageRecord:
    return UsageRecord.objects.create(
        grant=used,
        first_day=today,
        last_day=today,
        scenario="核验",
        process="逐件比对",
        results="办件一件",
        storage="未留存",
        destruction="未留存",
        recorded_by=user,
        recorded_by_name="经办",
        recorded_at=timezone.now(),
    )
