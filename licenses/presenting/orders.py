"""What phones order (亮证指令): new codes and answers, one or many by one statement, a row for each.

Each counts as if it came alone. None where nothing was done; why, whoever gave the order is told by `codes`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from licenses.presenting.code_text import digest_of
from licenses.presenting.running import Run
from licenses.presenting.statements import ANSWER, CREATE, CREATING, ORDERS
from licenses.presenting.workflow import Command


@dataclass(frozen=True, slots=True)
class NewCode:
    """A session's token asks for a code to be kept by its digest; `chosen` are rows of own licenses, none = all."""

    token: str
    uid: UUID
    digest: bytes
    chosen: tuple[str, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """A session's token says yes or no to what a desk asks; `given` is the part agreed to, None all of it."""

    token: str
    uid: UUID
    command: Command
    given: Sequence[dict[str, Any]] | None
    now: datetime


Until = datetime | None


def make_codes(orders: Sequence[NewCode], run: Run) -> list[Until]:
    """Return until when each new code may be scanned; None where there is no session or there are too many codes."""
    rows = [
        _of_session(one.token, one.now)
        | {
            "command": CREATING,
            "place": place,
            "uid": str(one.uid),
            "digest": _bytes(one.digest),
            "chosen": sorted(set(one.chosen)),
        }
        for place, one in enumerate(orders)
    ]
    until = {str(uid): expires_at for uid, expires_at in run(CREATE, ORDERS, {"orders": json.dumps(rows)})}
    return [until.get(str(one.uid)) for one in orders]


def take_replies(orders: Sequence[Reply], run: Run) -> list[Until]:
    """Return until when each code may be read, or when it was refused; None where the answer was not taken.

    Codes are taken in the order they were made, so that two who answer the same ones at once never wait for each other.
    """
    rows = [
        _of_session(one.token, one.now) | {"command": one.command, "place": place, "uid": str(one.uid), "given": one.given}
        for place, one in sorted(enumerate(orders), key=lambda pair: pair[1].uid)
    ]
    until: dict[int, datetime] = dict(run(ANSWER, ORDERS, {"orders": json.dumps(rows, ensure_ascii=False)}))
    return [until.get(place) for place in range(len(orders))]


def _of_session(token: str, now: datetime) -> dict[str, Any]:
    return {"token": _bytes(digest_of(token)), "now": now.isoformat()}


def _bytes(value: bytes) -> str:
    return f"\\x{value.hex()}"
