"""Short forms for the rows of the permission table; see the README beside."""

from __future__ import annotations

KINDS = ("operator", "head", "reviewer", "auditor", "system_admin", "security_admin")

Row = tuple[str, str, dict[str, str], dict[str, int]]


def everyone(status: int) -> dict[str, int]:
    """The same for all, anonymous people included."""
    return dict.fromkeys(("anonymous", *KINDS), status)


def signed_in(status: int = 200, *, anonymous: int = 302) -> dict[str, int]:
    """The same for all signed-in people; anonymous ones are sent to sign in (302), or get 401 below /openapi/."""
    return {"anonymous": anonymous, **dict.fromkeys(KINDS, status)}


def only(status: int, *kinds: str, others: int = 403, anonymous: int = 302) -> dict[str, int]:
    """`status` for the kinds named, `others` for the rest."""
    return {"anonymous": anonymous} | {kind: status if kind in kinds else others for kind in KINDS}
