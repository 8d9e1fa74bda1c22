"""What the workflow needs to know of a request, read out of its row, its steps and the catalogue."""

from __future__ import annotations

from catalog.models import DataItem
from exchange.models import AccessRequest, AccessRequestStep
from exchange.sensitivity import is_verify_only
from exchange.workflow import Command, Side, Snapshot, State

_FIRST_EYES = {State.SUBMITTED: Command.SUBMIT, State.CHECKED: Command.CHECK, State.CONFIRMING: Command.APPROVE}


def snapshot(access_request: AccessRequest) -> Snapshot:
    """Return what the workflow needs to know of a request."""
    state = State(access_request.state)
    first = _last(access_request, _FIRST_EYES.get(state))
    by, on_behalf_of = (first.actor_id, first.on_behalf_of_id) if first else (None, None)
    is_checked, is_confirming = state is State.CHECKED, state is State.CONFIRMING
    may_return = state in (State.ENDORSED, State.CHECKED, State.CLEARED)
    sides = access_request.returns.values_list("side", flat=True) if may_return else ()
    return Snapshot(
        state,
        access_request.route,
        access_request.created_by_id,
        submitted_by=by if state is State.SUBMITTED else None,
        submitted_for=on_behalf_of if state is State.SUBMITTED else None,
        checked_by=by if is_checked else None,
        checked_for=on_behalf_of if is_checked else None,
        approved_by=by if is_confirming else None,
        approved_for=on_behalf_of if is_confirming else None,
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


def _last(access_request: AccessRequest, command: Command | None) -> AccessRequestStep | None:
    return access_request.steps.filter(command=command).order_by("-id").first() if command else None
