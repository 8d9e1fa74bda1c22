"""Policy: data published from a base database is granted by the data centre alone, once the requester's own head agrees."""

from __future__ import annotations

from datetime import datetime

from exchange.models import Grant
from exchange.requests.access_requests import carry_out, draft
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


def test_request_for_base_data(city: City, now: datetime) -> None:
    resource = factories.make_resource(city.police, base_database="POPULATION")
    system = factories.make_system(city.education)
    terms = Terms(
        system=str(system.uid), mode="QUERY", fields=("name",), purpose="入学资格核验", legal_basis="《义务教育法》第九条",
        scenario="小学入学报名", term_from=now.date(), term_to=now.date(),
    )  # fmt: skip
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert Grant.objects.get().fields == ["name"]
