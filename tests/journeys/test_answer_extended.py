"""Policy (Order 809 art. 21): an answer is extended for a special reason, with the authority's consent, and the requester told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.errors import Conflict, Forbidden, Invalid
from core.models import Notification
from exchange.models import AccessRequest, ClockExtension
from exchange.requests import extensions
from exchange.requests.access_requests import carry_out, draft
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City

MONDAY = datetime.fromisoformat("2026-06-01T10:00:00+08:00")


@pytest.fixture
def endorsed(city: City) -> AccessRequest:
    terms = Terms(
        system=str(factories.make_system(city.education).uid), mode="QUERY", fields=("name",), purpose="入学资格核验",
        legal_basis="《义务教育法》", scenario="报名", term_from=MONDAY.date(), term_to=MONDAY.date() + timedelta(days=300),
    )  # fmt: skip
    resource = factories.make_resource(city.police)
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=MONDAY, submit=True)
    return carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=MONDAY)


def midnight(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+08:00")


def test_the_deadline_moves_with_the_consent_and_the_requester_is_told(city: City, endorsed: AccessRequest) -> None:
    police, reviewer = city.actor("police_operator"), city.actor("reviewer")
    with pytest.raises(Invalid) as refusal:
        extensions.ask(request_uid=endorsed.uid, days=11, reason="", actor=police, now=MONDAY)
    assert set(refusal.value.details) == {"days", "reason"}
    with pytest.raises(Forbidden):
        extensions.ask(request_uid=endorsed.uid, days=5, reason="急", actor=city.actor("police_head"), now=MONDAY)
    asked = extensions.ask(request_uid=endorsed.uid, days=5, reason="须征求省厅意见", actor=police, now=MONDAY)
    endorsed.refresh_from_db()
    assert endorsed.answer_due_at == midnight("2026-06-16")
    with pytest.raises(Conflict):
        extensions.ask(request_uid=endorsed.uid, days=5, reason="再延", actor=police, now=MONDAY)
    with pytest.raises(Forbidden):
        extensions.decide(extension_uid=asked.uid, consent=True, reason="", actor=city.actor("police_head"), now=MONDAY)

    extensions.decide(extension_uid=asked.uid, consent=True, reason="", actor=reviewer, now=MONDAY)
    endorsed.refresh_from_db()
    assert (endorsed.answer_due_at, endorsed.due_at) == (midnight("2026-06-23"), midnight("2026-06-16"))
    told = Notification.objects.filter(user=city.people["education_operator"], title__contains="延期")
    assert told.get().body == "须征求省厅意见"
    with pytest.raises(Conflict):
        extensions.decide(extension_uid=asked.uid, consent=False, reason="不妥", actor=reviewer, now=MONDAY)
    with pytest.raises(Conflict):
        extensions.ask(request_uid=endorsed.uid, days=1, reason="再延", actor=police, now=MONDAY)


def test_an_answer_that_is_late_already_is_not_extended(city: City, endorsed: AccessRequest) -> None:
    with pytest.raises(Conflict) as refusal:
        extensions.ask(
            request_uid=endorsed.uid, days=5, reason="须征求意见", actor=city.actor("police_operator"), now=midnight("2026-06-16")
        )
    assert refusal.value.code == "extension.no_clock"


def test_a_refused_extension_changes_no_deadline_and_may_be_asked_again(city: City, endorsed: AccessRequest) -> None:
    police, reviewer = city.actor("police_operator"), city.actor("reviewer")
    asked = extensions.ask(request_uid=endorsed.uid, days=5, reason="人手不足", actor=police, now=MONDAY)
    with pytest.raises(Invalid):
        extensions.decide(extension_uid=asked.uid, consent=False, reason=" ", actor=reviewer, now=MONDAY)
    extensions.decide(extension_uid=asked.uid, consent=False, reason="不属特殊原因", actor=reviewer, now=MONDAY)
    before = endorsed.due_at
    endorsed.refresh_from_db()
    assert endorsed.due_at == before
    extensions.ask(request_uid=endorsed.uid, days=3, reason="须征求省厅意见", actor=police, now=MONDAY)
    carry_out(request_uid=endorsed.uid, command=Command.RETURN, actor=police, now=MONDAY, reason="缺依据")
    assert not ClockExtension.objects.filter(state="ASKED").exists()
