"""Zones: everybody in business sees the own department's and region's, the data centre and the auditor any."""

from __future__ import annotations

from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
ROWS: list[Row] = [
    ("GET", "portal:zone-department", {}, only(200, *SEERS)),
    ("GET", "portal:zone-region", {}, only(200, *SEERS)),
    ("GET", "openapi:zone-department", {}, only(200, *SEERS, anonymous=401)),
]
