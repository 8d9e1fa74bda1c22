"""Op-monitoring is for the business and the audit. Metrics ask for a token, not for a person; here none is kept."""

from tests.house.table import Row, everyone, only

ROWS: list[Row] = [
    ("GET", "portal:monitoring", {}, only(200, "operator", "head", "reviewer", "auditor")),
    ("GET", "openapi:call-statistics", {}, only(200, "operator", "head", "reviewer", "auditor", anonymous=401)),
    ("GET", "metrics", {}, everyone(200)),
]
