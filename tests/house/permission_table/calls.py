"""The call door takes signatures, not sessions: whoever is signed in, an unsigned call is refused."""

from tests.house.table import Row, everyone

UID = {"uid": "grant"}


def things(_: object) -> dict[str, str]:
    """Any uid will do: nothing is looked up for somebody unknown."""
    return {"grant": "00000000-0000-7000-8000-000000000000"}


ROWS: list[Row] = [
    ("POST", "openapi:call-verify", UID, everyone(401)),
    ("POST", "openapi:call-query", UID, everyone(401)),
    ("POST", "openapi:call-bulk", UID, everyone(401)),
]
