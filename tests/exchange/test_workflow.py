"""The workflow table: the full matrix of states, commands and seats, and the routes."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from core.errors import Conflict, DomainError, Forbidden
from core.roles import Role
from exchange import models
from exchange.granting.grant_workflow import GRANT_RULES, GrantCommand, GrantStanding, allowed_on_grant, decide_grant
from exchange.requests.workflow import (
    DESK_OF,
    RULES,
    SIDE_OF,
    Command,
    Route,
    Seat,
    Side,
    Snapshot,
    State,
    allowed,
    decide,
    seats_of,
)

SEATS = [seat for seat in Seat if seat is not Seat.NOBODY]
OUTSIDERS: list[frozenset[Seat]] = [frozenset()]
HANDS = OUTSIDERS + [frozenset(c) for n in range(1, len(SEATS) + 1) for c in combinations(SEATS, n)]


def outcome(snapshot: Snapshot, command: Command, seats: frozenset[Seat], user_id: int | None = None) -> object:
    try:
        return decide(snapshot, command, seats, user_id=user_id).to_state
    except DomainError as error:
        return type(error)


@pytest.mark.parametrize("seats", HANDS, ids=lambda s: "+".join(sorted(s)) or "outsider")
def test_every_state_and_command_is_allowed_exactly_as_the_table_says(seats: frozenset[Seat]) -> None:
    for state, command, route in product(State, Command, Route):
        rule = RULES.get((state, command))
        ever = any(r.seats & seats for (_s, c), r in RULES.items() if c == command)
        expected: object = (
            rule.target(Snapshot(state, route)) if rule and rule.seats & seats else (Conflict if ever and not rule else Forbidden)
        )
        assert outcome(Snapshot(state, route), command, seats) == expected, (state, command, route)


@pytest.mark.parametrize("state", [State.REFUSED, State.WITHDRAWN, State.CLOSED])
def test_a_closed_request_takes_no_command(state: State) -> None:
    assert allowed(Snapshot(state, Route.PROVIDER_FIRST), frozenset(SEATS)) == ()
    for command in Command:
        with pytest.raises(Conflict):
            decide(Snapshot(state, Route.PROVIDER_FIRST), command, frozenset(SEATS))


@pytest.mark.parametrize(("route", "target"), [(Route.DATA_CENTRE_ALONE, State.CLEARED), (Route.PROVIDER_FIRST, State.ENDORSED)])
def test_the_head_passes_on_along_the_route(route: Route, target: State) -> None:
    step = decide(Snapshot(State.SUBMITTED, route), Command.ENDORSE, {Seat.REQUESTER_HEAD})
    assert (step.to_state, step.desk) == (target, DESK_OF[target])


@pytest.mark.parametrize(
    ("snapshot", "command", "seat"),
    [
        (Snapshot(State.SUBMITTED, Route.PROVIDER_FIRST, created_by=7), Command.ENDORSE, Seat.REQUESTER_HEAD),
        (Snapshot(State.CHECKED, Route.PROVIDER_FIRST, created_by=1, checked_by=7), Command.CLEAR, Seat.PROVIDER_HEAD),
        (Snapshot(State.CLEARED, Route.DATA_CENTRE_ALONE, created_by=7), Command.APPROVE, Seat.DATA_CENTRE),
    ],
)
def test_one_person_with_two_roles_does_not_decide_on_own_work(snapshot: Snapshot, command: Command, seat: Seat) -> None:
    with pytest.raises(Forbidden) as refusal:
        decide(snapshot, command, {seat}, user_id=7)
    assert refusal.value.code == "access_request.four_eyes"
    assert command not in allowed(snapshot, {seat}, user_id=7)
    assert decide(snapshot, command, {seat}, user_id=8).command is command


def test_allowed_lists_exactly_what_decide_lets_through() -> None:
    for state, seats, user_id in product(State, HANDS, (None, 7)):
        snapshot = Snapshot(state, Route.PROVIDER_FIRST, created_by=7, checked_by=7)
        through = [c for c in Command if isinstance(outcome(snapshot, c, seats, user_id), State)]
        assert list(allowed(snapshot, seats, user_id=user_id)) == through


@pytest.mark.parametrize("state", [State.ENDORSED, State.CHECKED, State.CLEARED])
def test_each_side_asks_for_missing_material_once(state: State) -> None:
    seat = DESK_OF[state]
    side = SIDE_OF[seat]
    other = next(s for s in Side if s is not side)
    assert decide(Snapshot(state, returned_by=frozenset({other})), Command.RETURN, {seat}).to_state is State.RETURNED
    asked = Snapshot(state, returned_by=frozenset({side}))
    assert Command.RETURN not in allowed(asked, {seat})
    with pytest.raises(Conflict) as refusal:
        decide(asked, Command.RETURN, {seat})
    assert refusal.value.code == "access_request.returned_once"


@pytest.mark.parametrize("came_from", [State.ENDORSED, State.CHECKED, State.CLEARED, State.SUBMITTED])
def test_a_resubmission_leads_where_it_was_returned_from(came_from: State) -> None:
    returned = Snapshot(State.RETURNED, Route.PROVIDER_FIRST, returned_from=came_from)
    assert decide(returned, Command.RESUBMIT, {Seat.REQUESTER_OPERATOR}).to_state is came_from


def test_a_returned_request_is_not_approved() -> None:
    with pytest.raises(Conflict):
        decide(Snapshot(State.RETURNED, returned_from=State.CLEARED), Command.APPROVE, {Seat.DATA_CENTRE})


def test_highly_sensitive_data_needs_two_different_reviewers() -> None:
    cleared = Snapshot(State.CLEARED, Route.PROVIDER_FIRST, needs_two=True)
    assert decide(cleared, Command.APPROVE, {Seat.DATA_CENTRE}, user_id=7).to_state is State.CONFIRMING
    confirming = Snapshot(State.CONFIRMING, Route.PROVIDER_FIRST, created_by=1, approved_by=7, approved_for=9)
    for same_eyes in (1, 7, 9):
        with pytest.raises(Forbidden):
            decide(confirming, Command.CONFIRM, {Seat.DATA_CENTRE}, user_id=same_eyes)
        assert Command.CONFIRM not in allowed(confirming, {Seat.DATA_CENTRE}, user_id=same_eyes)
    with pytest.raises(Forbidden):
        decide(confirming, Command.CONFIRM, {Seat.DATA_CENTRE}, user_id=8, on_behalf_of=7)
    assert decide(confirming, Command.CONFIRM, {Seat.DATA_CENTRE}, user_id=8).to_state is State.APPROVED


def test_nobody_but_the_platform_closes_a_case() -> None:
    people = frozenset(SEATS) - {Seat.PLATFORM}
    with pytest.raises(Forbidden):
        decide(Snapshot(State.APPROVED), Command.CLOSE, people)
    assert decide(Snapshot(State.APPROVED), Command.CLOSE, {Seat.PLATFORM}).to_state is State.CLOSED


def test_the_providers_operator_cannot_refuse_alone() -> None:
    with pytest.raises(Forbidden):
        decide(Snapshot(State.ENDORSED, Route.PROVIDER_FIRST), Command.REFUSE, {Seat.PROVIDER_OPERATOR})


def test_seats_follow_from_ownership_and_appointment() -> None:
    def seats(department: int, *roles: Role, centre: bool = False) -> set[Seat]:
        return set(seats_of(department_id=department, roles=frozenset(roles), is_data_centre=centre, requester_id=1, provider_id=2))

    assert seats(1, Role.OPERATOR, Role.HEAD) == {Seat.REQUESTER_OPERATOR, Seat.REQUESTER_HEAD}
    assert seats(2, Role.OPERATOR) == {Seat.PROVIDER_OPERATOR}
    assert seats(2, Role.HEAD) == {Seat.PROVIDER_HEAD}
    assert seats(9, Role.REVIEWER, centre=True) == {Seat.DATA_CENTRE}
    assert seats(9, Role.REVIEWER) == set()
    assert seats(9, Role.OPERATOR, Role.HEAD, centre=True) == set()
    assert seats(1, Role.AUDIT_ADMINISTRATOR) == set()


def test_the_pure_words_are_the_words_of_the_tables() -> None:
    assert [s.value for s in State] == models.RequestState.values
    assert [s.value for s in Seat] == models.Desk.values
    assert [s.value for s in Route] == models.Route.values
    assert [s.value for s in GrantStanding] == models.GrantState.values
    assert set(DESK_OF) == set(State)


@pytest.mark.parametrize("seats", HANDS, ids=lambda s: "+".join(sorted(s)) or "outsider")
def test_grants_are_kept_by_the_provider_and_the_data_centre_and_limited_by_the_consumer(seats: frozenset[Seat]) -> None:
    for state, command in product(GrantStanding, GrantCommand):
        by_consumer = command in (GrantCommand.LIMIT_ADDRESSES, GrantCommand.LOAD_CLIENTS)
        keepers = seats & ({Seat.REQUESTER_OPERATOR} if by_consumer else {Seat.PROVIDER_HEAD, Seat.DATA_CENTRE})
        rule = GRANT_RULES.get((state, command))
        if keepers and rule:
            assert decide_grant(state, command, seats)[0] is rule[1]
            assert command in allowed_on_grant(state, seats)
        else:
            with pytest.raises(Conflict if keepers else Forbidden):
                decide_grant(state, command, seats)
            assert command not in allowed_on_grant(state, seats)


def test_the_provider_does_not_resume_what_the_data_centre_suspended() -> None:
    with pytest.raises(Forbidden):
        decide_grant(GrantStanding.SUSPENDED, GrantCommand.RESUME, {Seat.PROVIDER_HEAD}, state_desk=Seat.DATA_CENTRE)
    assert decide_grant(GrantStanding.SUSPENDED, GrantCommand.RESUME, {Seat.PROVIDER_HEAD}, state_desk=Seat.PROVIDER_HEAD)
    assert decide_grant(GrantStanding.SUSPENDED, GrantCommand.RESUME, {Seat.DATA_CENTRE}, state_desk=Seat.DATA_CENTRE)
