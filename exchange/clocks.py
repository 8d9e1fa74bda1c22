"""Clocks of the desks (办理时限): how many working days each desk has, as data, and when a desk is late.

Limits of the answer are those of Order 809 art. 21; how they are split over the desks is the platform's own choice.
Which days are working days is `core.working_days`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from core.calendar import Calendar
from exchange.workflow import Seat

# From receipt (the requester's own head has agreed) to the answer: art. 21.
ANSWER_DAYS: Mapping[str, int] = {"UNCONDITIONAL": 1, "CONDITIONAL": 10}

# The requester's own head is not bound by the law; two days keep requests moving.
DESK_DAYS: Mapping[str, Mapping[Seat, int]] = {
    "UNCONDITIONAL": {Seat.REQUESTER_HEAD: 2, Seat.PROVIDER_OPERATOR: 1, Seat.PROVIDER_HEAD: 1, Seat.DATA_CENTRE: 1},
    "CONDITIONAL": {Seat.REQUESTER_HEAD: 2, Seat.PROVIDER_OPERATOR: 5, Seat.PROVIDER_HEAD: 2, Seat.DATA_CENTRE: 3},
}


def due_at(
    *, calendar: Calendar, share_attribute: str, desk: Seat, entered_at: datetime, received_at: datetime | None
) -> datetime | None:
    """Return when the desk is late, or None for a desk without a clock (a draft, a closed request).

    A desk never gets past the limit of the whole answer; when others used that up, it has until the end of the day.
    """
    days = DESK_DAYS[share_attribute].get(desk)
    if days is None:
        return None
    own = calendar.deadline(entered_at, days)
    if received_at is None:
        return own
    whole = calendar.deadline(received_at, ANSWER_DAYS[share_attribute])
    return max(min(own, whole), calendar.deadline(entered_at, 0))
