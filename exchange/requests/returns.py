"""Returns for missing material (补正): the clocks stop, the operator completes, and the request goes on where it was.

All that is missing is asked for at once, once by each side (一次性告知, Order 809 art. 21). Whoever asks for more than
was agreed to, instead of explaining or narrowing it, goes back to the own head.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from core.calendar import Calendar
from exchange.models import AccessRequest, MaterialReturn
from exchange.requests import clocks
from exchange.requests.workflow import DESK_OF, RULES, SIDE_OF, Command, State, Step

EXPLAINED = frozenset({"legal_basis", "scenario", "scope"})
TERMS = (
    "mode", "fields", "purpose", "legal_basis", "scenario", "scope", "region_prefix", "quota_per_day", "term_from", "term_to",
    "row_filter", "control_parameters", "matters", "ip_list", "quota_per_second",
)  # fmt: skip
_CAME_FROM = {DESK_OF[state]: state for state, command in RULES if command is Command.RETURN}


def write_down(access_request: AccessRequest, step: Step, *, missing: str, calendar: Calendar, now: datetime) -> MaterialReturn:
    """Keep what is missing, what the request says now, and what both clocks have left; call before the request moves."""
    return MaterialReturn.objects.create(
        access_request=access_request,
        side=SIDE_OF[step.seat],
        desk=step.seat,
        returned_at=now,
        missing=missing,
        terms=terms_of(access_request),
        desk_days_left=clocks.days_left(calendar=calendar, due_at=access_request.due_at, now=now),
        answer_days_left=clocks.days_left(calendar=calendar, due_at=access_request.answer_due_at, now=now),
    )


def open_return(access_request: AccessRequest) -> MaterialReturn | None:
    """Return what the requester's operator is asked to complete now."""
    return access_request.returns.filter(resubmitted_at=None).order_by("-id").first()


def complete(access_request: AccessRequest, *, now: datetime) -> MaterialReturn | None:
    """Note that the material came in, and which answers changed, old and new."""
    found = open_return(access_request)
    if found is None:
        return None
    new = terms_of(access_request)
    found.resubmitted_at = now
    found.changes = {name: [old, new.get(name)] for name, old in found.terms.items() if name != "system" and new.get(name) != old}
    found.save(update_fields=["resubmitted_at", "changes"])
    return found


def leads_to(access_request: AccessRequest) -> str:
    """Return where a resubmission leads as the request stands: where it came from, or to the own head when it asks for more."""
    found = open_return(access_request)
    if found is None:
        return access_request.returned_from
    came_from = _CAME_FROM[next(seat for seat in _CAME_FROM if seat == found.desk)]
    return State.SUBMITTED if asks_for_more(found.terms, terms_of(access_request)) else came_from


def asks_for_more(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether a request was changed otherwise than by explaining or narrowing it."""
    return any(name not in EXPLAINED and new[name] != was and not _is_narrower(name, was, new[name]) for name, was in old.items())


def terms_of(access_request: AccessRequest) -> dict[str, Any]:
    """Return what a request asks for as JSON, in the order people read it."""
    values: dict[str, Any] = {"system": str(access_request.system.uid), "system_name": access_request.system.name}
    for name in TERMS:
        value = getattr(access_request, name)
        values[name] = value.isoformat() if isinstance(value, date) else value
    return values


def _is_narrower(name: str, old: Any, new: Any) -> bool:
    """Return whether a new value gives less than the old one."""
    if name == "fields":
        return set(new) < set(old)
    if name in ("quota_per_day", "quota_per_second"):
        return bool(new < old)
    if name == "region_prefix":
        return bool(new) and str(new).startswith(old)
    if name == "term_from":
        return bool(new > old)
    return bool(name == "term_to" and new < old)
