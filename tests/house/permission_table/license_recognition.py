"""Missing licenses and mutual recognition: the police look for a license a clerk of theirs reported; a node of a county is trusted."""

from __future__ import annotations

from django.utils import timezone

from tests.factories import City
from tests.house.table import Row, only
from tests.licenses.missing import missing_report

SEERS = ("operator", "head", "reviewer", "auditor")
REPORT = {"uid": "missing"}

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
]


def things(city: City) -> dict[str, str]:
    """Return a report the police have to look for."""
    return {"missing": str(missing_report(city, now=timezone.now()).uid)}
