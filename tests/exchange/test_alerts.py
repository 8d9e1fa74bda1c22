"""Alerts: what is seen, told once, kept up to date, dismissed with a reason, and stopped with one click."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import Conflict, DomainError, Invalid, NotFound
from core.models import Notification
from exchange.care import alerts, unusual_use
from exchange.models import Alert, CallStatistic, Grant
from tests import factories
from tests.exchange.call_rows import counted, recorded
from tests.factories import City


@pytest.fixture
def grant(city: City) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"], mode="BULK"
    )


@pytest.fixture
def night(now: datetime) -> datetime:
    return now.replace(hour=2, minute=30)


def test_a_large_copy_at_night_is_seen_and_the_same_by_day_is_not(grant: Grant, night: datetime) -> None:
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.closed", rows=10_001)
    assert [sighting.measure for sighting in unusual_use.night_bulk(night)] == [10_001]
    assert unusual_use.night_bulk(night.replace(hour=12)) == []
    CallStatistic.objects.update(row_count=10_000)
    assert unusual_use.night_bulk(night) == []


def test_the_evening_belongs_to_the_same_night(grant: Grant, night: datetime) -> None:
    counted(grant, night.replace(hour=22) - timedelta(days=1), grain="HOUR", mode="BULK", outcome="call.closed", rows=6_000)
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.closed", rows=6_000)
    counted(grant, night.replace(hour=21) - timedelta(days=1), grain="HOUR", mode="BULK", outcome="call.closed", rows=6_000)
    assert [sighting.measure for sighting in unusual_use.night_bulk(night)] == [12_000]


def test_copies_that_break_off_again_and_again_are_seen_though_their_rows_are_not_known(grant: Grant, night: datetime) -> None:
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.aborted", calls=3)
    (sighting,) = unusual_use.night_bulk(night)
    assert sighting.evidence["broken_off"] == 3


def test_ids_that_are_tried_out_are_seen(grant: Grant, now: datetime) -> None:
    recorded(grant, now, count=150, rows=0)
    recorded(grant, now, count=60, rows=1)
    (sighting,) = unusual_use.enumeration(now)
    assert (sighting.measure, sighting.evidence["asked"], sighting.evidence["subjects"]) == (150, 210, 210)
    assert unusual_use.enumeration(now + timedelta(minutes=20)) == []


def test_many_questions_that_find_somebody_are_no_enumeration(grant: Grant, now: datetime) -> None:
    recorded(grant, now, count=150, rows=1)
    recorded(grant, now, count=60, rows=0)
    assert unusual_use.enumeration(now) == []


def test_a_caller_far_above_its_habit_is_seen(grant: Grant, now: datetime, settings: Any) -> None:
    for day in range(1, 15):
        counted(grant, now - timedelta(days=day), grain="DAY", calls=100)
    usual = 14 * 100 // 14
    at_most = 5 * usual + settings.ALERT_THRESHOLDS["volume_calls"]
    counted(grant, now, grain="DAY", calls=at_most)
    assert unusual_use.unusual_volume(now) == []
    CallStatistic.objects.filter(call_count=at_most).update(call_count=at_most + 1)
    (sighting,) = unusual_use.unusual_volume(now)
    assert (sighting.measure, sighting.threshold, sighting.evidence["usual_calls"]) == (at_most + 1, at_most, usual)


def test_there_is_no_habit_in_the_first_days(grant: Grant, now: datetime) -> None:
    counted(grant, now - timedelta(days=1), grain="DAY", calls=1)
    counted(grant, now, grain="DAY", calls=900_000)
    assert unusual_use.unusual_volume(now) == []


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        ("quota.subject_exceeded", unusual_use.subject_limit),
        ("grant.matter_not_granted", unusual_use.refusals),
        ("grant.ip_not_listed", unusual_use.refusals),
        ("auth.bad_digest", unusual_use.refusals),
    ],
)
def test_refusals_of_one_kind_are_seen_past_their_threshold(grant: Grant, now: datetime, outcome: str, rule: Any) -> None:
    counted(grant, now, grain="MINUTE", mode="VERIFY", outcome=outcome, calls=20)
    assert rule(now) == []
    counted(grant, now - timedelta(minutes=5), grain="MINUTE", mode="VERIFY", outcome=outcome, calls=20)
    (sighting,) = rule(now)
    assert (sighting.measure, sighting.grant_id) == (40, grant.pk)


def test_ordinary_refusals_raise_nothing(grant: Grant, now: datetime) -> None:
    counted(grant, now, grain="MINUTE", mode="VERIFY", outcome="quota.day_exceeded", calls=900)
    assert unusual_use.look(now) == []


def test_an_alert_is_told_once_and_brought_up_to_date(city: City, grant: Grant, night: datetime) -> None:
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.closed", rows=20_000)
    assert alerts.look_out(now=night) == 1
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"police_head", "reviewer"}
    CallStatistic.objects.update(row_count=30_000)
    assert alerts.look_out(now=night + timedelta(minutes=1)) == 0
    alert = Alert.objects.get()
    assert (alert.measure, alert.last_seen_at) == (30_000, night + timedelta(minutes=1))
    assert Notification.objects.count() == 2


def test_what_was_dismissed_stays_quiet_until_it_doubles(city: City, grant: Grant, night: datetime) -> None:
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.closed", rows=20_000)
    alerts.look_out(now=night)
    alert = Alert.objects.get()
    with pytest.raises(Invalid):
        alerts.dismiss(alert_uid=alert.uid, reason=" ", actor=city.actor("reviewer"), now=night)
    alerts.dismiss(alert_uid=alert.uid, reason="已约定的月度核对", actor=city.actor("reviewer"), now=night)
    CallStatistic.objects.update(row_count=39_999)
    assert alerts.look_out(now=night) == 0
    CallStatistic.objects.update(row_count=40_000)
    assert alerts.look_out(now=night) == 1


def test_one_click_suspends_for_misuse(city: City, grant: Grant, night: datetime) -> None:
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.closed", rows=20_000)
    alerts.look_out(now=night)
    alert = Alert.objects.get()
    alerts.suspend(alert_uid=alert.uid, actor=city.actor("police_head"), now=night)
    grant.refresh_from_db()
    assert (grant.state, grant.suspension_ground, grant.put_right_by) == ("SUSPENDED", "MISUSE", alerts.usual_day(night))
    alert.refresh_from_db()
    assert (alert.state, alert.handled_by_name) == ("ACTED", "police_head")
    with pytest.raises(Conflict):
        alerts.suspend(alert_uid=alert.uid, actor=city.actor("reviewer"), now=night)


@pytest.mark.parametrize(
    "person", ["education_head", "education_operator", "market_head", "security_admin", "police_operator", "auditor"]
)
def test_others_do_not_handle_it_and_the_consumer_does_not_see_it(person: str, city: City, grant: Grant, night: datetime) -> None:
    counted(grant, night, grain="HOUR", mode="BULK", outcome="call.closed", rows=20_000)
    alerts.look_out(now=night)
    alert, who = Alert.objects.get(), city.actor(person)
    seen = alerts.alerts_visible_to(who).exists()
    assert seen is (person in ("police_operator", "auditor"))
    with pytest.raises(DomainError) as refusal:
        alerts.suspend(alert_uid=alert.uid, actor=who, now=night)
    assert isinstance(refusal.value, NotFound) is not seen
    grant.refresh_from_db()
    assert grant.state == "ACTIVE"
