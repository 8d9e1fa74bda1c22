"""Policy (Order 809 art. 21): what is missing is asked for once and completely; meanwhile the clock stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.errors import Conflict, Forbidden, Invalid
from core.models import Notification, RoleAssignment
from core.roles import Role
from exchange.models import AccessRequest, Grant, MaterialReturn
from exchange.requests.access_requests import carry_out, commands_for, draft, edit
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command, State
from tests import factories
from tests.factories import City

MONDAY = datetime.fromisoformat("2026-06-01T10:00:00+08:00")


@pytest.fixture
def terms(city: City) -> Terms:
    return Terms(
        system=str(factories.make_system(city.education).uid), mode="QUERY", fields=("name", "sex"), purpose="入学资格核验",
        legal_basis="《义务教育法》", scenario="报名", term_from=MONDAY.date(), term_to=MONDAY.date() + timedelta(days=300),
    )  # fmt: skip


@pytest.fixture
def checked(city: City, terms: Terms) -> AccessRequest:
    """A request on the desk of the provider's head since Monday; the head has until Wednesday, the answer ten days."""
    resource = factories.make_resource(city.police)
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=MONDAY, submit=True)
    carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=MONDAY)
    return carry_out(request_uid=made.uid, command=Command.CHECK, actor=city.actor("police_operator"), now=MONDAY)


def midnight(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+08:00")


def test_a_request_is_returned_completed_and_goes_on_where_it_was(city: City, checked: AccessRequest, terms: Terms) -> None:
    head, operator = city.actor("police_head"), city.actor("education_operator")
    assert (checked.due_at, checked.answer_due_at) == (midnight("2026-06-04"), midnight("2026-06-16"))
    with pytest.raises(Invalid):
        carry_out(request_uid=checked.uid, command=Command.RETURN, actor=head, now=MONDAY)
    tuesday, later = MONDAY + timedelta(days=1), MONDAY + timedelta(days=42)
    made = carry_out(request_uid=checked.uid, command=Command.RETURN, actor=head, now=tuesday, reason="缺依据条款、缺使用岗位")
    assert (made.state, made.desk, made.returned_from) == ("RETURNED", "REQUESTER_OPERATOR", "CHECKED")
    assert (made.answer_due_at, made.decided_at) == (None, None)
    assert Notification.objects.filter(user=city.people["education_operator"], title__contains="补齐").exists()
    with pytest.raises(Conflict):
        carry_out(request_uid=made.uid, command=Command.CLEAR, actor=head, now=tuesday)

    better = replace(terms, legal_basis="《义务教育法》第九条", scope="招生科", fields=("name",))
    made = edit(request_uid=made.uid, revision=made.revision, terms=better, actor=operator, now=later, submit=True)
    assert (made.state, made.returned_from) == ("CHECKED", "")
    # Two days were left on Monday, one and nine on Tuesday; six weeks went by.
    assert (made.due_at, made.answer_due_at) == (midnight("2026-07-15"), midnight("2026-07-25"))
    changes = MaterialReturn.objects.get().changes
    assert changes == {
        "legal_basis": ["《义务教育法》", "《义务教育法》第九条"], "scope": ["", "招生科"], "fields": [["name", "sex"], ["name"]],
    }  # fmt: skip

    assert Command.RETURN not in commands_for(made, head)
    with pytest.raises(Conflict) as refusal:
        carry_out(request_uid=made.uid, command=Command.RETURN, actor=head, now=later, reason="还缺")
    assert refusal.value.code == "access_request.returned_once"
    carry_out(request_uid=made.uid, command=Command.CLEAR, actor=head, now=later)
    reviewer = city.actor("reviewer")
    carry_out(request_uid=made.uid, command=Command.RETURN, actor=reviewer, now=later, reason="缺系统备案号")
    carry_out(request_uid=made.uid, command=Command.RESUBMIT, actor=operator, now=later, reason="已补")
    made = carry_out(request_uid=made.uid, command=Command.APPROVE, actor=reviewer, now=later)
    assert made.state == "APPROVED"
    assert Grant.objects.get().fields == ["name"]
    assert [step.command for step in made.steps.all()].count("RETURN") == 2


@pytest.mark.parametrize(
    "more", [{"fields": ("name", "sex", "address"), "mode": "VERIFY"}, {"quota_per_day": 5000}, {"purpose": "招生宣传"}], ids=str
)
def test_who_asks_for_more_on_the_way_goes_back_to_the_own_head(
    more: dict[str, object], city: City, checked: AccessRequest, terms: Terms
) -> None:
    made = carry_out(request_uid=checked.uid, command=Command.RETURN, actor=city.actor("police_head"), now=MONDAY, reason="缺依据")
    operator = city.actor("education_operator")
    made = edit(request_uid=made.uid, revision=made.revision, terms=replace(terms, **more), actor=operator, now=MONDAY)
    assert (made.state, made.returned_from) == ("RETURNED", "SUBMITTED")
    made = edit(request_uid=made.uid, revision=made.revision, terms=terms, actor=operator, now=MONDAY)
    assert made.returned_from == "CHECKED"
    wider = replace(terms, **more)
    made = edit(request_uid=made.uid, revision=made.revision, terms=wider, actor=operator, now=MONDAY, submit=True)
    assert (State(made.state), made.answer_due_at) == (State.SUBMITTED, None)


def test_who_asks_for_more_on_the_way_does_not_agree_to_it_himself(city: City, checked: AccessRequest, terms: Terms) -> None:
    RoleAssignment.objects.create(user=city.people["education_head"], role=Role.OPERATOR)
    city.people["education_head"].refresh_from_db()
    made = carry_out(request_uid=checked.uid, command=Command.RETURN, actor=city.actor("police_head"), now=MONDAY, reason="缺依据")
    head = city.actor("education_head")
    wider = replace(terms, quota_per_day=5000)
    made = edit(request_uid=made.uid, revision=made.revision, terms=wider, actor=head, now=MONDAY, submit=True)
    assert made.state == "SUBMITTED"
    assert Command.ENDORSE not in commands_for(made, head)
    with pytest.raises(Forbidden) as refused:
        carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=head, now=MONDAY)
    assert refused.value.code == "access_request.four_eyes"


def test_a_returned_request_is_completed_though_the_entry_was_taken_offline_meanwhile(
    city: City, checked: AccessRequest, terms: Terms
) -> None:
    made = carry_out(request_uid=checked.uid, command=Command.RETURN, actor=city.actor("police_head"), now=MONDAY, reason="缺依据")
    type(made.resource).objects.filter(pk=made.resource_id).update(state="WITHDRAWN")
    operator = city.actor("education_operator")
    made = edit(request_uid=made.uid, revision=made.revision, terms=terms, actor=operator, now=MONDAY, submit=True)
    assert made.state == "CHECKED"
    made = carry_out(request_uid=made.uid, command=Command.CLEAR, actor=city.actor("police_head"), now=MONDAY)
    with pytest.raises(Conflict):
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=MONDAY)
