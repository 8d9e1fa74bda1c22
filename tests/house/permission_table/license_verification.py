"""Verification and status lists are everybody's, signed in or not."""

from tests.house.table import Row, everyone

PLACE = {"name": "list"}


def things(_: object) -> dict[str, str]:
    """No list is published in an empty city."""
    return {"list": "issued", "first": "1"}


ROWS: list[Row] = [
    ("GET", "portal:verification", {}, everyone(200)),
    ("POST", "portal:verification", {}, everyone(422)),
    ("POST", "portal:verification-file", {}, everyone(422)),
    ("GET", "portal:verification-offline", {}, everyone(200)),
    ("GET", "portal:verification-checker", {}, everyone(200)),
    ("GET", "openapi:license-verifications", {}, everyone(422)),
    ("POST", "openapi:license-verifications", {}, everyone(422)),
    ("GET", "openapi:license-status", {}, everyone(200)),
    ("GET", "openapi:license-status-keys", {}, everyone(200)),
    ("GET", "openapi:license-status-current", PLACE, everyone(404)),
    ("GET", "openapi:license-status-kept", {**PLACE, "number": "first"}, everyone(404)),
]
