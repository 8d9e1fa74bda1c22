"""Policy: a refusal gives its reason to the requester and ends the request; nothing is granted (Order 809 art. 20-21)."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.errors import Conflict
from core.models import Notification
from exchange.models import Grant
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


def test_request_refused(city: City, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    made = factories.make_request(
        resource, system, city.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST"
    )
    carry_out(request_uid=made.uid, command=Command.REFUSE, actor=city.actor("reviewer"), now=now, reason="超出履职范围")
    told = Notification.objects.get(user=city.people["education_operator"])
    assert told.body == "超出履职范围"
    with pytest.raises(Conflict):
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert not Grant.objects.exists()
