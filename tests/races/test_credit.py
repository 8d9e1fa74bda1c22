"""Two people act on one credit record at the same moment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps

from basedb.credit import repairs, shipped, standing
from basedb.credit.workflow import Command
from basedb.models import CreditEvent, CreditRepair, CreditTakedown
from tests.basedb.credit_facts import make_fact
from tests.factories import City
from tests.races.test_decisions import at_once, town

__all__ = ["town"]


def penalty(town: City, **values: Any) -> dict[str, Any]:
    shipped.load_tiers(apps)
    day = f"{date.today() - timedelta(days=150):%Y%m%d}"
    until = f"{date.today() + timedelta(days=100):%Y%m%d}"
    made = make_fact("credit.penalty", town.market, decided_on=day, published_on=day, **{"publish_until": until} | values)
    return {"dataset": "credit.penalty", "row_key": bytes(made.row_key)}


@pytest.mark.django_db(transaction=True)
def test_two_applications_at_once_open_one_repair(town: City, now: datetime) -> None:
    where = penalty(town)
    actors = [town.actor("police_operator"), town.actor("education_operator"), town.actor("market_operator")]
    results = at_once(
        *(lambda a=a: repairs.submit_repair(**where, reason="已履行", evidence="凭证", actor=a, now=now) for a in actors)
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "CreditRepair"]
    assert CreditRepair.objects.count() == CreditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_accept_a_repair_once(town: City, now: datetime) -> None:
    filed = repairs.submit_repair(**penalty(town), reason="已履行", evidence="凭证", actor=town.actor("police_operator"), now=now)
    reviewer = town.actor("reviewer")
    results = at_once(
        *(
            lambda: repairs.advance_repair(uid=filed.uid, revision=1, command=Command.ACCEPT, actor=reviewer, now=now)
            for _click in range(2)
        )
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "CreditRepair"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_down_once(town: City, now: datetime) -> None:
    penalty(town, publish_until=f"{date.today() - timedelta(days=1):%Y%m%d}")
    assert sorted(at_once(*(lambda: standing.take_down(now=now) for _worker in range(2)))) == [0, 1]
    assert CreditTakedown.objects.filter(records=1).count() == 1
