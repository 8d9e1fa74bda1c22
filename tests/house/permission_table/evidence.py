"""Evidence: the auditor's alone. Nothing is sealed in the scene, so that the export is let in and finds nothing (422)."""

from tests.house.table import Row, only

ROWS: list[Row] = [
    ("GET", "portal:evidence-list", {}, only(200, "auditor")),
    ("GET", "portal:evidence-export", {}, only(422, "auditor")),
]
