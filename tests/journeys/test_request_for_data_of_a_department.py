"""Policy: whoever wants a department's data needs the own head, the provider's operator and head, and the data centre."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.errors import Forbidden, NotFound
from exchange.models import Grant
from exchange.requests.access_requests import carry_out, draft
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City

WAY = [
    (Command.ENDORSE, "education_head"),
    (Command.CHECK, "police_operator"),
    (Command.CLEAR, "police_head"),
    (Command.APPROVE, "reviewer"),
]


def test_request_for_data_of_a_department(city: City, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    terms = Terms(
        system=str(system.uid), mode="VERIFY", fields=("name", "address"), purpose="入学资格核验",
        legal_basis="《义务教育法》第九条", scenario="小学入学报名", term_from=now.date(), term_to=now.date() + timedelta(days=30),
    )  # fmt: skip
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    for command, who in WAY:
        for other in ({name for _c, name in WAY} | {"market_head", "auditor"}) - {who}:
            with pytest.raises((Forbidden, NotFound)):
                carry_out(request_uid=made.uid, command=command, actor=city.actor(other), now=now)
        assert not Grant.objects.exists()
        made = carry_out(request_uid=made.uid, command=command, actor=city.actor(who), now=now, reason="同意")
    assert Grant.objects.get().mode == "VERIFY"
