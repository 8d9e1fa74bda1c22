"""Lineage: business roles and the auditor; a node shows itself to those who may see what it stands for."""

from __future__ import annotations

from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
ROWS: list[Row] = [
    ("GET", "portal:lineage", {}, only(200, *SEERS)),
    ("GET", "portal:lineage-impact", {}, only(422, *SEERS)),
    ("GET", "openapi:lineage-nodes", {}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:lineage", {}, only(422, *SEERS, anonymous=401)),
    ("GET", "openapi:lineage-impact", {}, only(422, *SEERS, anonymous=401)),
]
