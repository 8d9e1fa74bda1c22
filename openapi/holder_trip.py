"""One trip for all phones that wait (合并亮证): new codes by one statement, answers by another, each with one transaction.

Each counts as if it came alone. When a transaction fails because of one of them, each has one of its own. What nothing came of is
explained by whoever asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from psycopg2 import IntegrityError

from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.together import Together
from licenses.presenting.orders import NewCode, Reply, Until, make_codes, take_replies
from licenses.presenting.running import Run

Order = TypeVar("Order")


def make(order: NewCode) -> Until:
    """Make a code; Refusal when the database is away."""
    return _creations.ask(order)


def reply(order: Reply) -> Until:
    """Take an answer; Refusal when the database is away."""
    return _replies.ask(order)


def _travel(carry_out: Callable[[Sequence[Order], Run], list[Until]], orders: Sequence[Order]) -> Sequence[Until | Exception]:
    try:
        return carry_out(orders, connections.rows)
    except (IntegrityError, connections.Rejected):
        if len(orders) == 1:
            return [Refusal("platform.unavailable")]
        return [outcome for order in orders for outcome in _travel(carry_out, [order])]
    except Refusal as refusal:
        return [Refusal(refusal.code, refusal.details) for _ in orders]


_creations: Final[Together[NewCode, Until]] = Together(partial(_travel, make_codes))
_replies: Final[Together[Reply, Until]] = Together(partial(_travel, take_replies))
