"""The workflow of requests and grants (申请与授权流程) as data: states x commands x seats, and a pure `decide()` over it.

A seat says who somebody is towards one object; it follows from whose object it is and what the person is appointed to.
Writing, notifying and clocks are in `access_requests` and `grants`; which desks must review is in `routing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Forbidden
from core.roles import Role


class State(StrEnum):
    """Where a request stands; the values of `RequestState`."""

    DRAFTED = "DRAFTED"
    SUBMITTED = "SUBMITTED"
    ENDORSED = "ENDORSED"
    CHECKED = "CHECKED"
    CLEARED = "CLEARED"
    RETURNED = "RETURNED"
    CONFIRMING = "CONFIRMING"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    CLOSED = "CLOSED"


class Command(StrEnum):
    """What can be done to a request."""

    EDIT = "EDIT"
    SUBMIT = "SUBMIT"
    ENDORSE = "ENDORSE"
    CHECK = "CHECK"
    CLEAR = "CLEAR"
    RETURN = "RETURN"
    RESUBMIT = "RESUBMIT"
    APPROVE = "APPROVE"
    CONFIRM = "CONFIRM"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"
    CLOSE = "CLOSE"


class Seat(StrEnum):
    """Who somebody is towards a request or a grant; the values of `Desk`.

    NOBODY says that it is closed. PLATFORM is what the platform does by itself; no person ever sits there.
    """

    REQUESTER_OPERATOR = "REQUESTER_OPERATOR"
    REQUESTER_HEAD = "REQUESTER_HEAD"
    PROVIDER_OPERATOR = "PROVIDER_OPERATOR"
    PROVIDER_HEAD = "PROVIDER_HEAD"
    DATA_CENTRE = "DATA_CENTRE"
    PLATFORM = "PLATFORM"
    NOBODY = "NOBODY"


class Side(StrEnum):
    """Who asks for missing material: all of it, and once (一次性告知, Order 809 art. 21)."""

    PROVIDER = "PROVIDER"
    DATA_CENTRE = "DATA_CENTRE"


SIDE_OF: Mapping[Seat, Side] = {
    Seat.PROVIDER_OPERATOR: Side.PROVIDER,
    Seat.PROVIDER_HEAD: Side.PROVIDER,
    Seat.DATA_CENTRE: Side.DATA_CENTRE,
}


class Route(StrEnum):
    """Which desks review after the requester's own head."""

    DATA_CENTRE_ALONE = "DATA_CENTRE_ALONE"
    PROVIDER_FIRST = "PROVIDER_FIRST"


DESK_OF: Mapping[State, Seat] = {
    State.DRAFTED: Seat.REQUESTER_OPERATOR,
    State.SUBMITTED: Seat.REQUESTER_HEAD,
    State.ENDORSED: Seat.PROVIDER_OPERATOR,
    State.CHECKED: Seat.PROVIDER_HEAD,
    State.CLEARED: Seat.DATA_CENTRE,
    State.RETURNED: Seat.REQUESTER_OPERATOR,
    State.CONFIRMING: Seat.DATA_CENTRE,
    State.APPROVED: Seat.NOBODY,
    State.REFUSED: Seat.NOBODY,
    State.WITHDRAWN: Seat.NOBODY,
    State.CLOSED: Seat.NOBODY,
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `decide` needs to know of a request.

    `returned_from` is where a resubmission leads, `returned_by` who asked for material before, `needs_two` says that two
    reviewers must agree.
    """

    state: State
    route: str = ""
    created_by: int | None = None
    submitted_by: int | None = None
    submitted_for: int | None = None
    checked_by: int | None = None
    checked_for: int | None = None
    approved_by: int | None = None
    approved_for: int | None = None
    returned_from: str = ""
    returned_by: frozenset[Side] = frozenset()
    needs_two: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may give a command in a state, and where it leads.

    A route may lead elsewhere, data that needs two reviewers too (`to_if_two`); `is_back` leads where it was returned from.
    """

    seats: frozenset[Seat]
    to: State
    to_by_route: Mapping[Route, State] | None = None
    to_if_two: State | None = None
    is_back: bool = False

    def target(self, snapshot: Snapshot) -> State:
        """Return the state the command leads a request to."""
        if self.is_back and snapshot.returned_from:
            return State(snapshot.returned_from)
        if self.to_if_two and snapshot.needs_two:
            return self.to_if_two
        return (self.to_by_route or {}).get(Route(snapshot.route), self.to) if snapshot.route else self.to


_OPERATOR = frozenset({Seat.REQUESTER_OPERATOR})
_REQUESTER = frozenset({Seat.REQUESTER_OPERATOR, Seat.REQUESTER_HEAD})
_HEAD = frozenset({Seat.REQUESTER_HEAD})
_PROVIDER_OPERATOR = frozenset({Seat.PROVIDER_OPERATOR})
_PROVIDER_HEAD = frozenset({Seat.PROVIDER_HEAD})
_CENTRE = frozenset({Seat.DATA_CENTRE})
_PLATFORM = frozenset({Seat.PLATFORM})

# Order 809 art. 20-21: the requester's head agrees before filing; the provider's answer, a refusal too, is its head's.
# The provider's operator therefore passes on an opinion and cannot refuse alone; asking for missing material is not a refusal.
RULES: Mapping[tuple[State, Command], Rule] = {
    (State.DRAFTED, Command.EDIT): Rule(_OPERATOR, State.DRAFTED),
    (State.DRAFTED, Command.SUBMIT): Rule(_OPERATOR, State.SUBMITTED),
    (State.DRAFTED, Command.WITHDRAW): Rule(_OPERATOR, State.WITHDRAWN),
    (State.SUBMITTED, Command.ENDORSE): Rule(_HEAD, State.ENDORSED, {Route.DATA_CENTRE_ALONE: State.CLEARED}),
    (State.SUBMITTED, Command.REFUSE): Rule(_HEAD, State.REFUSED),
    (State.SUBMITTED, Command.WITHDRAW): Rule(_REQUESTER, State.WITHDRAWN),
    (State.ENDORSED, Command.CHECK): Rule(_PROVIDER_OPERATOR, State.CHECKED),
    (State.ENDORSED, Command.RETURN): Rule(_PROVIDER_OPERATOR, State.RETURNED),
    (State.ENDORSED, Command.WITHDRAW): Rule(_REQUESTER, State.WITHDRAWN),
    (State.CHECKED, Command.CLEAR): Rule(_PROVIDER_HEAD, State.CLEARED),
    (State.CHECKED, Command.RETURN): Rule(_PROVIDER_HEAD, State.RETURNED),
    (State.CHECKED, Command.REFUSE): Rule(_PROVIDER_HEAD, State.REFUSED),
    (State.CHECKED, Command.WITHDRAW): Rule(_REQUESTER, State.WITHDRAWN),
    (State.CLEARED, Command.APPROVE): Rule(_CENTRE, State.APPROVED, to_if_two=State.CONFIRMING),
    (State.CLEARED, Command.RETURN): Rule(_CENTRE, State.RETURNED),
    (State.CLEARED, Command.REFUSE): Rule(_CENTRE, State.REFUSED),
    (State.CLEARED, Command.WITHDRAW): Rule(_REQUESTER, State.WITHDRAWN),
    (State.RETURNED, Command.EDIT): Rule(_OPERATOR, State.RETURNED),
    (State.RETURNED, Command.RESUBMIT): Rule(_OPERATOR, State.SUBMITTED, is_back=True),
    (State.RETURNED, Command.WITHDRAW): Rule(_REQUESTER, State.WITHDRAWN),
    (State.CONFIRMING, Command.CONFIRM): Rule(_CENTRE, State.APPROVED),
    (State.CONFIRMING, Command.REFUSE): Rule(_CENTRE, State.REFUSED),
    (State.CONFIRMING, Command.WITHDRAW): Rule(_REQUESTER, State.WITHDRAWN),
    (State.APPROVED, Command.CLOSE): Rule(_PLATFORM, State.CLOSED),
}

REASON_REQUIRED = frozenset({Command.REFUSE, Command.RETURN})


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of a command that is allowed."""

    command: Command
    seat: Seat
    from_state: State
    to_state: State
    desk: Seat


def seats_of(
    *, department_id: int | None, roles: Set[str], is_data_centre: bool, requester_id: int | None, provider_id: int
) -> frozenset[Seat]:
    """Return who somebody is towards an object of these two departments; empty for an onlooker."""
    seats = set()
    for owner, operator, head in (
        (requester_id, Seat.REQUESTER_OPERATOR, Seat.REQUESTER_HEAD),
        (provider_id, Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD),
    ):
        if department_id is not None and department_id == owner:
            seats |= {operator} if Role.OPERATOR in roles else set()
            seats |= {head} if Role.HEAD in roles else set()
    if is_data_centre and Role.REVIEWER in roles:
        seats.add(Seat.DATA_CENTRE)
    return frozenset(seats)


def decide(
    snapshot: Snapshot, command: Command, seats: Set[Seat], *, user_id: int | None = None, on_behalf_of: int | None = None
) -> Step:
    """Return the step a command makes, or raise. Who acts on behalf of somebody answers for both pairs of eyes.

    Forbidden: these seats may never give this command, or not now, or a second pair of eyes is needed.
    Conflict: the request is not in a state that knows this command, or this side has asked for material before.
    """
    if not any(rule.seats & seats for (_state, known), rule in RULES.items() if known == command):
        raise Forbidden("access_request.not_yours", _("您的岗位不能办理此项操作。"))
    rule = RULES.get((snapshot.state, command))
    if rule is None:
        raise Conflict(
            "access_request.wrong_state", _("申请当前的状态不允许此项操作，请刷新页面查看最新进度。"), {"state": snapshot.state}
        )
    acting = rule.seats & seats
    if not acting:
        raise Forbidden("access_request.not_yours", _("这一步由其他岗位办理。"), {"desk": DESK_OF[snapshot.state]})
    if command is Command.RETURN and _has_asked(snapshot, acting):
        raise Conflict(
            "access_request.returned_once",
            _("所缺材料须一次性告知，本方已要求补正过一次，不能再次退回。请据现有材料办理，不同意的说明理由。"),
        )
    if _first_eyes(snapshot, command) & {user_id, on_behalf_of}:
        raise Forbidden("access_request.four_eyes", _("经办与审批须为不同人员，请由另一位同事办理。"))
    target = rule.target(snapshot)
    return Step(command, min(acting), snapshot.state, target, DESK_OF[target])


def _has_asked(snapshot: Snapshot, acting: Set[Seat]) -> bool:
    return SIDE_OF[min(acting)] in snapshot.returned_by


def _first_eyes(snapshot: Snapshot, command: Command) -> frozenset[int]:
    """Return who may not give the command because an earlier step of the same side was theirs (one person, two roles)."""
    asked = (snapshot.created_by, snapshot.submitted_by, snapshot.submitted_for)
    earlier: Mapping[Command, tuple[int | None, ...]] = {
        Command.ENDORSE: asked,
        Command.CLEAR: (snapshot.checked_by, snapshot.checked_for),
        Command.APPROVE: asked,
        Command.CONFIRM: (*asked, snapshot.approved_by, snapshot.approved_for),
    }
    return frozenset(user_id for user_id in earlier.get(command, ()) if user_id is not None)


def allowed(
    snapshot: Snapshot, seats: Set[Seat], *, user_id: int | None = None, on_behalf_of: int | None = None
) -> tuple[Command, ...]:
    """Return the commands that `decide` would let through; pages show these and no others."""
    return tuple(c for c in Command if _lets_through(snapshot, c, seats, {user_id, on_behalf_of}))


def _lets_through(snapshot: Snapshot, command: Command, seats: Set[Seat], user_ids: Set[int | None]) -> bool:
    rule = RULES.get((snapshot.state, command))
    if rule is None or not rule.seats & seats:
        return False
    if command is Command.RETURN and _has_asked(snapshot, rule.seats & seats):
        return False
    return not _first_eyes(snapshot, command) & user_ids
