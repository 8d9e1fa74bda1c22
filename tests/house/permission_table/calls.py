"""The call door takes signatures, not sessions; what it only counts is read by those who watch over security."""

from tests.house.table import Row, everyone, only

UID = {"uid": "grant"}


def things(_: object) -> dict[str, str]:
    """Any uid will do: nothing is looked up for somebody unknown."""
    return {"grant": "00000000-0000-7000-8000-000000000000"}


ROWS: list[Row] = [
    ("GET", "portal:call-attempts", {}, only(200, "reviewer", "auditor", "security_admin")),
    ("POST", "openapi:call-verify", UID, everyone(401)),
    ("POST", "openapi:call-query", UID, everyone(401)),
    ("POST", "openapi:call-bulk", UID, everyone(401)),
]
