"""Whose side a call failed on (失败归属), from its outcome alone: pure. The outcomes stand in `exchange.calls.refusals`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ANSWERED: Final = ("call.answered", "call.opened")
# What a bulk call leaves when it ends: a second record of the same call, not a call.
ENDINGS: Final = ("call.closed", "call.aborted")


class Side(StrEnum):
    """Who has to do something about a failure."""

    CREDENTIAL = "CREDENTIAL"
    GRANT = "GRANT"
    QUOTA = "QUOTA"
    QUESTION = "QUESTION"
    PROVIDER = "PROVIDER"
    UPSTREAM = "UPSTREAM"
    PLATFORM = "PLATFORM"


BY_CODE: Final = {"grant.unusable": Side.PROVIDER, "features.not_a_layer": Side.GRANT}
BY_FAMILY: Final = {
    "auth": Side.CREDENTIAL,
    "grant": Side.GRANT,
    "quota": Side.QUOTA,
    "call": Side.QUESTION,
    "features": Side.QUESTION,
    "provider": Side.PROVIDER,
    "upstream": Side.UPSTREAM,
    "platform": Side.PLATFORM,
}


def side_of(outcome: str) -> Side | None:
    """Return the side a call failed on, None when it was answered. An outcome of no known family is the platform's to explain."""
    if outcome in ANSWERED or outcome in ENDINGS:
        return None
    return BY_CODE.get(outcome) or BY_FAMILY.get(outcome.partition(".")[0], Side.PLATFORM)
