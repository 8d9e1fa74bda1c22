"""Thematic databases: those in force are known to all who work; rows are their department's and the data centre's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from basedb.thematic import definitions
from tests.basedb.test_quality import NOW
from tests.basedb.thematic.rows import approved
from tests.basedb.thematic.test_thematic import PLAIN
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
BUSINESS = ("operator", "head", "reviewer")
ROWS: list[Row] = [
    ("GET", "portal:thematic-list", {}, only(200, *SEERS)),
    ("GET", "portal:thematic-new", {}, only(200, "operator", "reviewer")),
    ("POST", "portal:thematic-new", {}, only(422, "operator", "reviewer")),
    ("GET", "portal:thematic-detail", {"uid": "own"}, only(200, *SEERS)),
    ("GET", "portal:thematic-change", {"uid": "own"}, only(200, "operator", "reviewer")),
    ("POST", "portal:thematic-change", {"uid": "own"}, only(422, "operator", "reviewer")),
    ("GET", "portal:thematic-rows", {"uid": "own"}, only(200, *BUSINESS)),
    ("GET", "portal:thematic-rows", {"uid": "others"}, only(200, "reviewer")),
    ("GET", "portal:thematic-detail", {"uid": "drafted"}, only(200, "reviewer", "auditor") | {"operator": 404, "head": 404}),
    ("POST", "portal:thematic-approve", {"uid": "drafted"}, only(302, "reviewer")),
    ("POST", "portal:thematic-refresh", {"uid": "own"}, only(302, *BUSINESS)),
    ("POST", "portal:thematic-refresh", {"uid": "others"}, only(302, "reviewer")),
    ("POST", "portal:thematic-retire", {"uid": "own"}, only(302, *BUSINESS)),
    ("POST", "portal:thematic-retire", {"uid": "others"}, only(302, "reviewer")),
    ("GET", "openapi:thematic-databases", {}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:thematic-rows", {"uid": "own"}, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:thematic-rows", {"uid": "others"}, only(200, "reviewer", anonymous=401)),
]


def things(city: Any) -> dict[str, str]:
    """Return a definition of the police bureau, one of another department and a draft of that department."""
    own = approved(city, PLAIN, author="police_operator")
    others = approved(city, replace(PLAIN, code="others"))
    drafted = definitions.propose(draft=replace(PLAIN, code="drafted"), actor=city.actor("education_operator"), now=NOW)
    return {"own": str(own.uid), "others": str(others.uid), "drafted": str(drafted.uid)}
