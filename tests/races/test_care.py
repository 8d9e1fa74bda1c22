"""Care under the eyes of several: one alert, one suspension, and no deletion beside a hold that is being placed."""

from __future__ import annotations

from datetime import datetime
from threading import Thread

import pytest
from django.db import connection, transaction

from exchange.care import alerts, holds
from exchange.models import Alert, Grant, GrantVersion, HoldScope, LegalHold
from tests import factories
from tests.exchange.call_rows import counted
from tests.factories import City
from tests.races.test_decisions import at_once, town

__all__ = ["town"]


def granted(town: City) -> Grant:
    user = town.people["education_operator"]
    return factories.make_grant(factories.make_resource(town.police), factories.make_system(town.education), user, mode="BULK")


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_open_one_alert(town: City, now: datetime) -> None:
    night = now.replace(hour=2)
    counted(granted(town), night, grain="HOUR", mode="BULK", outcome="call.closed", rows=20_000)
    at_once(*(lambda: alerts.look_out(now=night) for _worker in range(4)))
    assert Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_on_one_alert_suspend_once(town: City, now: datetime) -> None:
    grant = granted(town)
    alert = Alert.objects.create(
        kind="NIGHT_BULK", grant=grant, system=grant.system, department=town.education, opened_at=now, last_seen_at=now,
        measure=2, threshold=1,
    )  # fmt: skip
    actors = [town.actor("police_head"), town.actor("reviewer")]
    results = at_once(*(lambda a=a: alerts.suspend(alert_uid=alert.uid, actor=a, now=now) for a in actors))
    assert sorted(type(result).__name__ for result in results) == ["Alert", "Conflict"]
    assert GrantVersion.objects.filter(event="SUSPENDED").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_hold_waits_for_a_deletion_under_way_and_holds_the_next(town: City, now: datetime) -> None:
    actor = town.actor("auditor")

    def place() -> None:
        try:
            holds.place(case_number="1", reason="取证", scope=holds.Scope(HoldScope.ALL), actor=actor, now=now)
        finally:
            connection.close()

    placing = Thread(target=place)
    with transaction.atomic():
        assert not holds.is_held()
        placing.start()
        placing.join(0.5)
        assert placing.is_alive()
        assert not LegalHold.objects.exists()
    placing.join(30)
    assert holds.is_held()
