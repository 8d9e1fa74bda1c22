"""In which capacity (身份) somebody acts on a request: in the own seats, or on behalf of a colleague who is away.

The own capacity comes first. Four eyes hold across it: whoever acts on behalf of somebody counts as both of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.audit import Actor
from core.errors import Forbidden
from exchange.models import AccessRequest
from exchange.requests.workflow import Command, Seat, Snapshot, Step, allowed, decide, seats_of


@dataclass(frozen=True, slots=True)
class Capacity:
    """The seats somebody has, under which name, and on whose behalf (None: on the own)."""

    actor: Actor
    seats: frozenset[Seat]
    on_behalf_of: int | None = None

    def people(self) -> frozenset[int | None]:
        """Return whose eyes these are: who acts on behalf of somebody counts as both."""
        return frozenset({self.actor.user_id, self.on_behalf_of} - {None})

    def detail(self) -> dict[str, int]:
        """Return what an audit entry says of the one who is away."""
        return {"on_behalf_of": self.on_behalf_of} if self.on_behalf_of else {}


def capacities(actor: Actor, access_request: AccessRequest) -> tuple[Capacity, ...]:
    """Return the capacities the actor has towards a request, the own one first."""

    def seats(roles: frozenset[str]) -> frozenset[Seat]:
        return seats_of(
            department_id=actor.department_id,
            roles=roles,
            is_data_centre=actor.is_data_centre,
            requester_id=access_request.requester_id,
            provider_id=access_request.resource.provider_id,
        )

    others = (Capacity(actor.on_behalf_of(away), seats(frozenset({away.role})), away.user_id) for away in actor.stands_in_for)
    return (Capacity(actor, seats(actor.roles)), *(capacity for capacity in others if capacity.seats))


def capacity_at(actor: Actor, access_request: AccessRequest, *seats: str) -> Capacity | None:
    """Return the first capacity in which the actor has one of these seats, any seat when none is named."""
    held = capacities(actor, access_request)
    return next((capacity for capacity in held if capacity.seats & (frozenset(seats) or capacity.seats)), None)


def seats_held(actor: Actor, access_request: AccessRequest) -> frozenset[Seat]:
    """Return every seat the actor has towards a request, in whatever capacity: for pages, never for a decision."""
    return frozenset().union(*(capacity.seats for capacity in capacities(actor, access_request)))


def decide_as(snapshot: Snapshot, command: Command, held: tuple[Capacity, ...]) -> tuple[Step, Capacity]:
    """Return the step a command makes and the capacity it is made in; refusals are those of `decide`.

    That somebody has seen the request before is said rather than that it is another seat's turn.
    """
    refusals = []
    for capacity in held:
        try:
            step = decide(snapshot, command, capacity.seats, user_id=capacity.actor.user_id, on_behalf_of=capacity.on_behalf_of)
        except Forbidden as refusal:
            refusals.append(refusal)
        else:
            return step, capacity
    raise min(refusals, key=lambda refusal: refusal.code == "access_request.not_yours")


def allowed_as(snapshot: Snapshot, held: tuple[Capacity, ...]) -> tuple[Command, ...]:
    """Return the commands that `decide_as` would let through."""
    found = {
        command
        for capacity in held
        for command in allowed(snapshot, capacity.seats, user_id=capacity.actor.user_id, on_behalf_of=capacity.on_behalf_of)
    }
    return tuple(command for command in Command if command in found)
