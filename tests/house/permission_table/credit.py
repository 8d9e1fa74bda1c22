"""Public credit: the police have a published penalty of their own, a repair and an objection about it."""

from __future__ import annotations

from datetime import date, timedelta

from django.apps import apps
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from basedb.credit import objections, repairs, shipped
from basedb.models import CreditShield
from tests.basedb.credit_facts import key_of, make_fact
from tests.basedb.credit_rows import COMPANY
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
BUSINESS = ("operator", "head", "reviewer")
RECORD = {"kind": "kind", "key": "key"}

ROWS: list[Row] = [
    ("GET", "portal:credit-list", {}, only(200, *SEERS)),
    ("GET", "portal:credit-subject", {}, only(200, *SEERS)),
    ("POST", "portal:credit-subject", {}, only(422, *SEERS)),
    ("GET", "portal:credit-detail", RECORD, only(200, *SEERS)),
    ("GET", "portal:credit-repair-new", RECORD, only(200, *BUSINESS)),
    ("POST", "portal:credit-repair-new", RECORD, only(422, *BUSINESS)),
    ("GET", "portal:credit-objection-new", RECORD, only(200, *BUSINESS)),
    ("POST", "portal:credit-objection-new", RECORD, only(422, *BUSINESS)),
    ("GET", "portal:credit-retract", RECORD, only(200, *SEERS)),
    ("POST", "portal:credit-retract", RECORD, only(422, *SEERS)),
    ("GET", "portal:credit-repair-list", {}, only(200, *SEERS)),
    ("GET", "portal:credit-repair-detail", {"uid": "repair"}, only(200, *SEERS)),
    ("POST", "portal:credit-repair-detail", {"uid": "repair"}, only(422, *SEERS)),
    ("GET", "portal:credit-objection-list", {}, only(200, *SEERS)),
    ("GET", "portal:credit-objection-detail", {"uid": "objection"}, only(200, *SEERS)),
    ("POST", "portal:credit-objection-detail", {"uid": "objection"}, only(422, *SEERS)),
    ("GET", "portal:credit-catalog", {}, only(200, *SEERS)),
    ("POST", "portal:credit-catalog", {}, only(422, *SEERS)),
    ("GET", "portal:credit-tier-list", {}, only(200, *SEERS)),
    ("GET", "portal:credit-tier-change", {"code": "tier"}, only(200, "reviewer")),
    ("POST", "portal:credit-tier-change", {"code": "tier"}, only(422, "reviewer")),
    ("GET", "portal:credit-timeliness", {}, only(200, *SEERS)),
    ("GET", "portal:credit-shield-list", {}, only(200, "reviewer", "auditor")),
    ("GET", "portal:credit-shield-new", {}, only(200, "reviewer")),
    ("POST", "portal:credit-shield-new", {}, only(422, "reviewer")),
    ("POST", "portal:credit-shield-end", {"uid": "shield"}, only(302, "reviewer")),
    ("GET", "openapi:credit-record-list", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:credit-repair-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:credit-repair-list", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:credit-repair-detail", {"uid": "repair"}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:credit-objection-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:credit-objection-list", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:credit-objection-detail", {"uid": "objection"}, only(200, *SEERS, anonymous=401)),
]  # fmt: skip


def things(city: City) -> dict[str, str]:
    """Return a record of the police, a repair of it, an objection to it, and a shield."""
    shipped.load_tiers(apps)
    now, today = timezone.now(), date.today()
    long_ago = f"{today - timedelta(days=150):%Y%m%d}"
    record = make_fact(
        "credit.penalty", city.police, decided_on=long_ago, published_on=long_ago,
        publish_until=f"{today + timedelta(days=100):%Y%m%d}", authority_code=city.police.code,
    )  # fmt: skip
    where = {"dataset": "credit.penalty", "row_key": bytes(record.row_key), "actor": city.actor("police_operator"), "now": now}
    repair = repairs.submit_repair(**where, reason="义务已履行", evidence="缴款凭证")
    objection = objections.raise_objection(**where, reason="主体有误")
    shield = CreditShield.objects.create(
        subject_key=key_of(COMPANY + "other"), court="某法院", case_number="1", made_by_name="平台", made_at=now,
        period=DateRange(today, today + timedelta(days=9)),
    )  # fmt: skip
    return {
        "kind": "penalty",
        "key": bytes(record.row_key).hex(),
        "repair": str(repair.uid),
        "objection": str(objection.uid),
        "shield": str(shield.uid),
        "tier": "2",
    }
