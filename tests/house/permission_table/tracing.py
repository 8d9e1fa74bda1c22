"""Tracing: business roles and the auditor. Who looked at data: the office it comes from (here the police) and reviewers."""

from __future__ import annotations

from django.utils import timezone

from tests.exchange.aggregation_sources import csv_plan
from tests.factories import City
from tests.house.table import Row, only

BUSINESS = ("operator", "head", "reviewer")


def things(city: City) -> dict[str, str]:
    """The police bureau delivers population data."""
    csv_plan(city.police, timezone.now())
    return {}


ROWS: list[Row] = [
    ("GET", "portal:trace", {}, only(200, *BUSINESS, "auditor")),
    ("GET", "portal:subject-accesses", {}, only(200, *BUSINESS)),
    ("POST", "portal:subject-accesses", {}, only(422, *BUSINESS)),
    ("GET", "openapi:trace-read", {}, only(422, *BUSINESS, "auditor", anonymous=401)),
    ("POST", "openapi:subject-accesses", {}, only(422, *BUSINESS, anonymous=401)),
]
