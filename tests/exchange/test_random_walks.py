"""Random walks over the workflow on real rows: whatever people try, the steps fold to the state, and refusals write nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from core.errors import DomainError
from core.models import AuditEntry
from core.roles import Role
from exchange.models import AccessRequest, AccessRequestStep, Grant, MaterialReturn
from exchange.querysets import access_requests_visible_to
from exchange.requests.access_requests import carry_out, commands_for
from exchange.requests.workflow import DESK_OF, Command, Seat, State
from tests import factories
from tests.factories import City

TRIES = 120
HOLDERS = {
    Seat.REQUESTER_OPERATOR: ["education_operator"],
    Seat.REQUESTER_HEAD: ["education_head"],
    Seat.PROVIDER_OPERATOR: ["police_operator"],
    Seat.PROVIDER_HEAD: ["police_head"],
    Seat.DATA_CENTRE: ["reviewer", "second"],
}


def written() -> tuple[object, ...]:
    tables = (AccessRequestStep, Grant, MaterialReturn, AuditEntry)
    return (AccessRequest.objects.values().get(), *(table.objects.count() for table in tables))


@pytest.mark.parametrize("seed", range(8))
def test_the_steps_fold_to_the_state_and_a_refused_command_writes_nothing(seed: int, city: City, now: datetime) -> None:
    random = Random(seed)
    city.people["second"] = factories.make_user("second", city.centre, Role.REVIEWER)
    resource = factories.make_resource(city.police, grade=random.choice(["L3", "L4"]))
    system, operator = factories.make_system(city.education), city.people["education_operator"]
    made = factories.make_request(resource, system, operator, mode="VERIFY", term_from=now.date() + timedelta(days=1))
    for _try in range(TRIES):
        command = random.choice([c for c in Command if c is not Command.EDIT])
        # Half of the tries are by somebody of the desk that has the ball; most refusals and withdrawals are left out.
        made.refresh_from_db()
        names = HOLDERS.get(DESK_OF[State(made.state)]) if random.random() < 0.5 else None
        who = city.actor(random.choice(names or sorted(city.people)))
        if command in (Command.REFUSE, Command.WITHDRAW) and random.random() < 0.9:
            continue
        seen = access_requests_visible_to(who).filter(pk=made.pk).first()
        promised = seen is not None and command in commands_for(seen, who)
        before = written()
        try:
            carry_out(request_uid=made.uid, command=command, actor=who, now=now, reason="理由")
        except DomainError:
            assert not promised, (command, who.name)
            assert written() == before
        else:
            assert promised, (command, who.name)
    made.refresh_from_db()
    state = State.DRAFTED
    for step in made.steps.all():
        assert step.from_state == state
        state = State(step.to_state)
    assert (made.state, made.desk) == (state, DESK_OF[state])
    assert Grant.objects.exists() == (state is State.APPROVED)
    returns = list(MaterialReturn.objects.values_list("side", flat=True))
    assert len(returns) == len(set(returns)) == made.steps.filter(command="RETURN").count()
    approvers = made.steps.filter(command__in=["APPROVE", "CONFIRM"]).values_list("actor_id", flat=True)
    if state is State.APPROVED:
        assert len(set(approvers)) == len(approvers) == (2 if resource.grade == "L4" else 1)
