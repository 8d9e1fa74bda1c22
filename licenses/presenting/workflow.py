"""The way of a code (亮证码的办理环节): created, scanned, confirmed or refused by its holder, read once. Pure.

Every refusal has a stable code; what it says to a desk or a holder is written where it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CODE_LIVES: Final = timedelta(seconds=90)
ANSWER_LASTS: Final = timedelta(minutes=3)
READ_LASTS: Final = timedelta(minutes=2)


class Command(StrEnum):
    """What is done to a code: by a desk (scan, read) or by its holder."""

    SCAN = "SCAN"
    CONFIRM = "CONFIRM"
    REFUSE = "REFUSE"
    READ = "READ"


@dataclass(frozen=True, slots=True)
class Step:
    """From which state a command leads to which, and the column that says until when it may be given."""

    before: str
    after: str
    until: str


STEPS: Final = {
    Command.SCAN: Step("CREATED", "SCANNED", "expires_at"),
    Command.CONFIRM: Step("SCANNED", "CONFIRMED", "answer_until"),
    Command.REFUSE: Step("SCANNED", "REFUSED", "answer_until"),
    Command.READ: Step("CONFIRMED", "READ", "read_until"),
}
LATE: Final = {
    Command.SCAN: "presenting.code_expired",
    Command.CONFIRM: "presenting.answer_late",
    Command.REFUSE: "presenting.answer_late",
    Command.READ: "presenting.read_late",
}
ELSEWHERE: Final = {  # what a command meets in a state it does not start from
    Command.SCAN: dict.fromkeys(("SCANNED", "CONFIRMED", "REFUSED", "READ"), "presenting.code_used"),
    Command.CONFIRM: {"CREATED": "presenting.not_scanned"},
    Command.REFUSE: {"CREATED": "presenting.not_scanned"},
    Command.READ: {
        "CREATED": "presenting.not_confirmed",
        "REFUSED": "presenting.refused_by_holder",
        "READ": "presenting.already_read",
    },
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What deciding needs to know of a code."""

    state: str
    expires_at: datetime
    answer_until: datetime | None = None
    read_until: datetime | None = None


def decide(command: Command, standing: Standing, now: datetime) -> str:
    """Return why a command may not be given now, "" when it may."""
    step = STEPS[command]
    if standing.state == "BLOCKED":
        return "presenting.code_blocked"
    if standing.state == step.before:
        until: datetime | None = getattr(standing, step.until)
        return "" if until is not None and now < until else LATE[command]
    if command is Command.READ and standing.state == "SCANNED":
        is_late = standing.answer_until is None or now >= standing.answer_until
        return "presenting.answer_late" if is_late else "presenting.not_confirmed"
    return ELSEWHERE[command].get(standing.state, "presenting.already_answered")


def is_over(standing: Standing, now: datetime) -> bool:
    """Whether nothing can come of a code any more: done, refused, stopped, or its time ran out."""
    waiting = {"CREATED": standing.expires_at, "SCANNED": standing.answer_until, "CONFIRMED": standing.read_until}
    until = waiting.get(standing.state)
    return until is None or now >= until
