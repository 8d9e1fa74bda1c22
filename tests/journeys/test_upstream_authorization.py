"""Policy: an interface of a ministry is granted blanket by the data centre alone, or per case after the ministry has agreed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.errors import Conflict
from exchange.models import AccessRequest, Grant
from exchange.requests.access_requests import carry_out, draft
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from exchange.upstream import relays
from tests import factories
from tests.exchange.test_upstream import authorize
from tests.factories import City


def ask(city: City, now: datetime, kind: str) -> AccessRequest:
    """Ask for a resource from above and carry the request to the data centre."""
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    authorize(city, resource, now, kind=kind)
    terms = Terms(
        system=str(system.uid), mode="QUERY", fields=("name", "sex"), purpose="入学资格核验",
        legal_basis="《义务教育法》第九条", scenario="小学入学报名", term_from=now.date(), term_to=now.date() + timedelta(days=30),
    )  # fmt: skip
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    return carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)


def test_a_blanket_interface_is_granted_by_the_data_centre_alone(city: City, now: datetime) -> None:
    made = ask(city, now, "BLANKET")
    assert made.state == "CLEARED"
    carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert Grant.objects.count() == 1


def test_a_per_case_interface_is_relayed_upward(city: City, now: datetime) -> None:
    made = ask(city, now, "PER_CASE")
    for command, who in [(Command.CHECK, "police_operator"), (Command.CLEAR, "police_head")]:
        made = carry_out(request_uid=made.uid, command=command, actor=city.actor(who), now=now)
    reviewer = city.actor("reviewer")
    with pytest.raises(Conflict):
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=reviewer, now=now)
    relays.report(request_uid=made.uid, document_number="宁数函〔2026〕8号", actor=reviewer, now=now)
    relays.record_receipt(
        request_uid=made.uid, state=5, document_number="部复〔2026〕9号", external_id="UP-2026-9", actor=reviewer, now=now
    )
    made.refresh_from_db()
    assert (made.state, made.upstream_relay.external_id) == ("CLEARED", "UP-2026-9")
    carry_out(request_uid=made.uid, command=Command.APPROVE, actor=reviewer, now=now)
    assert Grant.objects.count() == 1
