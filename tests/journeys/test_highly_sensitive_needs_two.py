"""Policy: highly sensitive data (grade L4) and data about minors is granted by two different reviewers of the data centre."""

from __future__ import annotations

from datetime import datetime

import pytest

from catalog.models import DataItem
from core.errors import Conflict, Forbidden
from core.roles import Role
from exchange.models import Grant
from exchange.querysets import access_requests_awaiting
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


@pytest.mark.parametrize("where", ["resource", "item", "minors"])
def test_highly_sensitive_data_is_granted_by_two(where: str, city: City, now: datetime) -> None:
    resource = factories.make_resource(city.police, grade="L4" if where == "resource" else "L3", concerns_minors=where == "minors")
    if where == "item":
        DataItem.objects.filter(resource=resource, name="sex").update(grade="L4")
    made = factories.make_request(
        resource, factories.make_system(city.education), city.people["education_operator"], mode="VERIFY", state="CLEARED",
        desk="DATA_CENTRE", route="PROVIDER_FIRST",
    )  # fmt: skip
    city.people["second"] = factories.make_user("second", city.centre, Role.REVIEWER)
    first, second = city.actor("reviewer"), city.actor("second")
    made = carry_out(request_uid=made.uid, command=Command.APPROVE, actor=first, now=now)
    assert (made.state, made.desk, Grant.objects.exists()) == ("CONFIRMING", "DATA_CENTRE", False)
    assert made not in access_requests_awaiting(first)
    assert made in access_requests_awaiting(second)
    with pytest.raises(Forbidden) as refusal:
        carry_out(request_uid=made.uid, command=Command.CONFIRM, actor=first, now=now)
    assert refusal.value.code == "access_request.four_eyes"
    with pytest.raises(Conflict):
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=second, now=now)
    made = carry_out(request_uid=made.uid, command=Command.CONFIRM, actor=second, now=now)
    assert made.state == "APPROVED"
    assert Grant.objects.get().access_request == made


def test_the_second_reviewer_may_refuse(city: City, now: datetime) -> None:
    resource = factories.make_resource(city.police, grade="L4")
    made = factories.make_request(
        resource, factories.make_system(city.education), city.people["education_operator"], mode="VERIFY", state="CONFIRMING",
        desk="DATA_CENTRE", route="PROVIDER_FIRST",
    )  # fmt: skip
    made = carry_out(request_uid=made.uid, command=Command.REFUSE, actor=city.actor("reviewer"), now=now, reason="超出职责")
    assert (made.state, Grant.objects.exists()) == ("REFUSED", False)


@pytest.mark.parametrize("state", ["CLEARED", "CONFIRMING"])
def test_who_submitted_a_request_of_the_centre_neither_approves_nor_confirms_it(state: str, city: City, now: datetime) -> None:
    """The centre asks for data itself: one of its people drafts, another one, who reviews as well, submits."""
    for name, roles in (("drafter", (Role.OPERATOR,)), ("both", (Role.OPERATOR, Role.REVIEWER)), ("head", (Role.HEAD,))):
        city.people[name] = factories.make_user(name, city.centre, *roles)
    resource = factories.make_resource(city.police, grade="L4" if state == "CONFIRMING" else "L3")
    made = factories.make_request(
        resource, factories.make_system(city.centre), city.people["drafter"], mode="VERIFY", state="DRAFTED",
        desk="REQUESTER_OPERATOR", term_from=now.date(), term_to=now.date(),
    )  # fmt: skip
    steps = [
        (Command.SUBMIT, "both"),
        (Command.ENDORSE, "head"),
        (Command.CHECK, "police_operator"),
        (Command.CLEAR, "police_head"),
    ]
    steps += [(Command.APPROVE, "reviewer")] if state == "CONFIRMING" else []
    for command, name in steps:
        made = carry_out(request_uid=made.uid, command=command, actor=city.actor(name), now=now)
    assert made.state == state
    last = Command.CONFIRM if state == "CONFIRMING" else Command.APPROVE
    with pytest.raises(Forbidden) as refusal:
        carry_out(request_uid=made.uid, command=last, actor=city.actor("both"), now=now)
    assert refusal.value.code == "access_request.four_eyes"
