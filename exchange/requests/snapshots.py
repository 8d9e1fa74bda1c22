"""What the workflow needs to know of a request, read out of its row, its steps and the catalogue."""

from __future__ import annotations

from catalog.models import DataItem
from exchange.granting.sensitivity import is_verify_only
from exchange.models import AccessRequest
from exchange.requests.workflow import Command, Side, Snapshot, State

_SUBMITTED = (Command.SUBMIT, Command.RESUBMIT)
_NOBODY = (None, None)


def snapshot(access_request: AccessRequest) -> Snapshot:
    """Return what the workflow needs to know of a request."""
    state = State(access_request.state)
    is_agreed_to = state in (State.SUBMITTED, State.CLEARED, State.CONFIRMING)
    submitted = _last(access_request, *_SUBMITTED) if is_agreed_to else _NOBODY
    checked = _last(access_request, Command.CHECK) if state is State.CHECKED else _NOBODY
    approved = _last(access_request, Command.APPROVE) if state is State.CONFIRMING else _NOBODY
    may_return = state in (State.ENDORSED, State.CHECKED, State.CLEARED)
    sides = access_request.returns.values_list("side", flat=True) if may_return else ()
    return Snapshot(
        state,
        access_request.route,
        access_request.created_by_id,
        submitted_by=submitted[0],
        submitted_for=submitted[1],
        checked_by=checked[0],
        checked_for=checked[1],
        approved_by=approved[0],
        approved_for=approved[1],
        returned_from=access_request.returned_from,
        returned_by=frozenset(Side(side) for side in sides),
        needs_two=state is State.CLEARED and needs_two(access_request),
    )


def needs_two(access_request: AccessRequest) -> bool:
    """Return whether two reviewers must agree: the data is about minors, or it or an item asked for is highly sensitive (L4)."""
    resource = access_request.resource
    items = DataItem.objects.filter(resource_id=access_request.resource_id, name__in=access_request.fields)
    grades = items.values_list("grade", flat=True)
    return is_verify_only(resource.grade, concerns_minors=resource.concerns_minors, item_grades=grades)


def _last(access_request: AccessRequest, *commands: Command) -> tuple[int | None, int | None]:
    """Return who gave one of these commands last, and on whose behalf."""
    steps = access_request.steps.filter(command__in=commands).order_by("-id")
    return steps.values_list("actor_id", "on_behalf_of_id").first() or _NOBODY
