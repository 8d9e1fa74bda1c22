"""The illegal moves of the DSP negotiation and transfer state machines, mapped to requests and grants: each is refused, and
no row of the database is another afterwards.

A message of the protocol is a command of ours. What only one side does in its own house (draft, submit, check, clear) is no
message; we know neither ACCEPTED nor VERIFIED, since a returned request is answered and a second reviewer finishes at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import connection

from core.errors import Conflict, DomainError, Forbidden, NotFound
from core.roles import Role
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import DESK_OF, RULES, Command, Route, State
from tests import factories
from tests.exchange.test_access_requests import factories_step
from tests.factories import City

# Contract negotiation: a message and the states it may come in. NONE is before anything was said.
NEGOTIATION: Mapping[str, set[str]] = {
    "request": {"NONE", "OFFERED"},
    "offer": {"NONE", "REQUESTED"},
    "agree": {"REQUESTED", "ACCEPTED"},
    "verify and finalize": {"AGREED"},
    "terminate": {"REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED"},
}
NEGOTIATION_STATE: Mapping[State, str] = {
    State.DRAFTED: "NONE",
    State.SUBMITTED: "NONE",
    State.ENDORSED: "REQUESTED",
    State.CHECKED: "REQUESTED",
    State.CLEARED: "REQUESTED",
    State.RETURNED: "OFFERED",
    State.CONFIRMING: "AGREED",
    State.APPROVED: "FINALIZED",
    State.REFUSED: "TERMINATED",
    State.WITHDRAWN: "TERMINATED",
    State.CLOSED: "TERMINATED",
}
NEGOTIATION_COMMANDS: Mapping[str, set[Command]] = {
    "request": {Command.SUBMIT, Command.ENDORSE, Command.RESUBMIT},
    "offer": {Command.RETURN},
    "agree": {Command.APPROVE},
    "verify and finalize": {Command.CONFIRM},
    "terminate": {Command.REFUSE, Command.WITHDRAW},
}
# Before the head has endorsed it the other side has heard nothing: taking it back is no message.
OWN_HOUSE = {State.DRAFTED, State.SUBMITTED}

# Transfer process: the grant. It is asked for in the negotiation; COMPLETED is the end of its term.
TRANSFER: Mapping[str, set[str]] = {
    "start": {"REQUESTED", "SUSPENDED"},
    "suspend": {"STARTED"},
    "terminate": {"REQUESTED", "STARTED", "SUSPENDED"},
}
TRANSFER_COMMANDS = {"start": GrantCommand.RESUME, "suspend": GrantCommand.SUSPEND, "terminate": GrantCommand.REVOKE}
GRANTS = {"STARTED": "ACTIVE", "SUSPENDED": "SUSPENDED", "COMPLETED": "ACTIVE", "TERMINATED": "REVOKED"}

FORBIDDEN_MESSAGES = [
    (state, message)
    for state, message in product(State, NEGOTIATION)
    if NEGOTIATION_STATE[state] not in NEGOTIATION[message] and not (message == "terminate" and state in OWN_HOUSE)
]
FORBIDDEN_MOVES = [(state, message) for state, message in product(GRANTS, TRANSFER) if state not in TRANSFER[message]]


@pytest.fixture
def everybody(city: City) -> City:
    """The city, and in each of its departments somebody who is everything there that goes together."""
    for name, department in (("police", city.police), ("education", city.education), ("centre", city.centre)):
        city.people[f"{name}_all"] = factories.make_user(f"{name}_all", department, Role.OPERATOR, Role.HEAD, Role.REVIEWER)
    return city


TABLES = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace"


def contents() -> dict[str, str]:
    """Return a digest of each table's rows."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for name in tables:
            cursor.execute(f"SELECT coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM \"{name}\" AS t")
            found[name] = cursor.fetchone()[0]
    return found


def test_the_table_of_requests_holds_no_move_the_negotiation_forbids() -> None:
    for (state, message), route in product(FORBIDDEN_MESSAGES, Route):
        moves = {c for c in NEGOTIATION_COMMANDS[message] if (state, c) in RULES}
        own_house = {Command.SUBMIT} if state is State.DRAFTED else set()
        assert moves <= own_house, (state, message, route)
    met = {(NEGOTIATION_STATE[state], message) for state, message in FORBIDDEN_MESSAGES}
    unknown_to_us = {"ACCEPTED", "VERIFIED"}
    for message, sources in NEGOTIATION.items():
        ours = {"NONE", "REQUESTED", "OFFERED", "AGREED", "FINALIZED", "TERMINATED"} - sources - unknown_to_us
        assert ours - {"NONE"} <= {state for state, met_message in met if met_message == message}


@pytest.mark.parametrize(("state", "message"), FORBIDDEN_MESSAGES)
def test_a_message_the_negotiation_forbids_is_refused_and_changes_no_row(
    state: State, message: str, everybody: City, now: datetime
) -> None:
    resource = factories.make_resource(everybody.police, grade="L4" if state is State.CONFIRMING else "L3")
    made = factories.make_request(
        resource, factories.make_system(everybody.education), everybody.people["education_operator"],
        state=state, desk=DESK_OF[state], route="PROVIDER_FIRST",
        refusal_reason="不符合" if state is State.REFUSED else "", returned_from="CHECKED" if state is State.RETURNED else "",
    )  # fmt: skip
    if state not in OWN_HOUSE:
        factories_step(made, everybody)
    before = contents()
    for command, name in product(sorted(NEGOTIATION_COMMANDS[message]), everybody.people):
        if (state, command) == (State.DRAFTED, Command.SUBMIT):
            continue
        with pytest.raises(DomainError) as refusal:
            carry_out(request_uid=made.uid, command=command, actor=everybody.actor(name), now=now, reason="理由")
        assert isinstance(refusal.value, Forbidden | Conflict | NotFound)
    assert contents() == before


@pytest.mark.parametrize(("state", "message"), FORBIDDEN_MOVES)
def test_a_move_the_transfer_forbids_is_refused_and_changes_no_row(
    state: str, message: str, everybody: City, now: datetime
) -> None:
    term = {"valid_from": now - timedelta(days=9), "valid_to": now - timedelta(days=1)} if state == "COMPLETED" else {}
    system = factories.make_system(everybody.education)
    grant = factories.make_grant(
        factories.make_resource(everybody.police), system, everybody.people["education_operator"], state=GRANTS[state], **term
    )
    before = contents()
    for name in everybody.people:
        with pytest.raises(DomainError) as refusal:
            change_state(
                grant_uid=grant.uid, command=TRANSFER_COMMANDS[message], reason="核查", actor=everybody.actor(name), now=now
            )
        assert isinstance(refusal.value, Forbidden | Conflict | NotFound)
    assert contents() == before
