"""Op-monitoring is for the business and the audit; the metrics for a machine with their token."""

from tests.house.table import Row, only

ROWS: list[Row] = [
    ("GET", "portal:monitoring", {}, only(200, "operator", "head", "reviewer", "auditor")),
    ("GET", "openapi:call-statistics", {}, only(200, "operator", "head", "reviewer", "auditor", anonymous=401)),
]
