"""The catalogue for harvesters: whoever is signed in reads it."""

from __future__ import annotations

from tests.house.table import Row, signed_in

ROWS: list[Row] = [("GET", "openapi:catalog-dcat", {}, signed_in(anonymous=401))]
