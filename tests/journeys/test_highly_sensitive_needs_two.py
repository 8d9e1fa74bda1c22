"""Policy: highly sensitive data (grade L4) and data about minors is granted by two different reviewers of the data centre."""

from __future__ import annotations

from datetime import datetime

import pytest

from catalog.models import DataItem
from core.errors import Conflict, Forbidden
from core.roles import Role
from exchange.access_requests import carry_out
from exchange.models import Grant
from exchange.querysets import access_requests_awaiting
from exchange.workflow import Command
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
