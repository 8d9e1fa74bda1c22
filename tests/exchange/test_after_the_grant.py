"""After the grant: usage records are owed, written once and never changed; data is disposed of and that is confirmed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core.errors import Conflict, DomainError, Forbidden, Invalid
from core.models import Notification
from exchange.care import disposals, usage_records
from exchange.care.liabilities import Ground, liabilities
from exchange.care.usage_records import Usage
from exchange.granting.grant_versions import write_version
from exchange.models import Disposal, Grant, GrantEvent, UsageInspection, UsageRecord
from tests import factories
from tests.exchange.call_rows import counted
from tests.factories import City


@pytest.fixture
def grant(city: City, now: datetime) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        valid_from=now - timedelta(days=400),
    )  # fmt: skip


def usage(first: date, last: date, **values: Any) -> Usage:
    texts = {
        "scenario": "入学报名",
        "process": "逐件比对",
        "results": "免交材料 120 件",
        "storage": "未留存",
        "destruction": "未留存",
    }
    return Usage(first_day=first, last_day=last, **texts | values)


def grounds(city: City, now: datetime) -> dict[str, int]:
    return {line.ground: line.count for line in liabilities(actor=city.actor("auditor"), now=now)}


def test_quarters() -> None:
    assert usage_records.quarter_before(date(2026, 1, 1)) == date(2025, 10, 1)
    assert usage_records.quarter_before(date(2026, 6, 30)) == date(2026, 1, 1)
    assert usage_records.next_quarter(date(2025, 10, 1)) == date(2026, 1, 1)
    assert usage_records.next_quarter(date(2026, 1, 1)) == date(2026, 4, 1)


def test_the_record_of_a_quarter_is_asked_for_once_then_late_then_filed(city: City, grant: Grant, now: datetime) -> None:
    day = datetime(2026, 10, 1, 9, tzinfo=now.tzinfo)
    quarter = date(2026, 7, 1)
    assert usage_records.remind(now=day) == 1
    assert usage_records.remind(now=day + timedelta(days=1)) == 0
    assert list(Notification.objects.values_list("user__username", flat=True)) == ["education_operator"]
    actor = city.actor("education_operator")
    assert usage_records.overdue(day).get() == grant
    usage_records.record(grant_uid=grant.uid, usage=usage(date(2025, 7, 1), date(2026, 6, 30)), actor=actor, now=now)
    assert not usage_records.overdue(day).exists()
    late = datetime(2026, 11, 20, tzinfo=now.tzinfo)
    assert grounds(city, late)[Ground.NO_USAGE_RECORD] == 1
    usage_records.record(grant_uid=grant.uid, usage=usage(quarter, date(2026, 9, 30)), actor=actor, now=now)
    assert Ground.NO_USAGE_RECORD not in grounds(city, late)


def test_a_grant_owes_nothing_for_quarters_it_was_not_in_force(city: City, grant: Grant, now: datetime) -> None:
    quarter = usage_records.quarter_before(now.date())
    assert usage_records.owing(quarter).get() == grant
    write_version(grant, event=GrantEvent.REVOKED, actor=city.actor("reviewer"), now=now)
    assert usage_records.owing(quarter).exists()
    assert not usage_records.owing(usage_records.next_quarter(usage_records.next_quarter(quarter))).exists()
    Grant.objects.filter(pk=grant.pk).update(valid_from=now)
    assert not usage_records.owing(quarter).exists()


def test_a_record_is_never_changed_only_corrected_once(city: City, grant: Grant, now: datetime) -> None:
    actor, today = city.actor("education_operator"), now.date()
    first = usage_records.record(grant_uid=grant.uid, usage=usage(today, today), actor=actor, now=now)
    values: dict[str, Any] = {"usage": usage(today, today, results="免交材料 12 件"), "actor": actor, "now": now}
    with pytest.raises(Invalid):
        usage_records.correct(record_uid=first.uid, reason="", **values)
    made = usage_records.correct(record_uid=first.uid, reason="件数误填", **values)
    assert made.corrects == first
    with pytest.raises(Conflict):
        usage_records.correct(record_uid=first.uid, reason="再更正", **values)
    for spoil in ({"results": "改写"}, {"scenario": "改写"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            UsageRecord.objects.filter(pk=first.pk).update(**spoil)
    with pytest.raises(DatabaseError), transaction.atomic():
        UsageRecord.objects.filter(pk=first.pk).delete()
    assert UsageRecord.objects.get(pk=first.pk).results == "免交材料 120 件"


def test_a_record_does_not_tell_of_the_future_and_is_whole(city: City, grant: Grant, now: datetime) -> None:
    today, actor = now.date(), city.actor("education_operator")
    for wrong in (
        usage(today, today + timedelta(days=1)),
        usage(today, today - timedelta(days=1)),
        usage(today, today, results=" "),
    ):
        with pytest.raises(Invalid):
            usage_records.record(grant_uid=grant.uid, usage=wrong, actor=actor, now=now)
    assert not UsageRecord.objects.exists()


@pytest.mark.parametrize("person", ["education_head", "police_operator", "reviewer", "market_operator", "auditor"])
def test_only_the_users_operators_write_records(person: str, city: City, grant: Grant, now: datetime) -> None:
    with pytest.raises(DomainError):
        usage_records.record(grant_uid=grant.uid, usage=usage(now.date(), now.date()), actor=city.actor(person), now=now)
    assert not UsageRecord.objects.exists()


def test_findings_wait_for_a_new_record(city: City, grant: Grant, now: datetime) -> None:
    today = now.date()
    values: dict[str, Any] = {"grant_uid": grant.uid, "findings": "留存情况未说明", "put_right_by": today, "now": now}
    with pytest.raises(Forbidden):
        usage_records.inspect(actor=city.actor("education_operator"), **values)
    usage_records.inspect(actor=city.actor("police_operator"), **values)
    assert UsageInspection.objects.get().side == "PROVIDER"
    later = now + timedelta(days=2)
    assert grounds(city, later)[Ground.FINDINGS_OPEN] == 1
    actor = city.actor("education_operator")
    usage_records.record(grant_uid=grant.uid, usage=usage(today, today), actor=actor, now=now + timedelta(hours=1))
    assert Ground.FINDINGS_OPEN not in grounds(city, later)


def test_no_disposal_is_asked_for_while_a_grant_or_its_renewal_goes_on(city: City, grant: Grant, now: datetime) -> None:
    assert disposals.open_due(now=now) == 0
    follower = factories.make_grant(grant.resource, grant.system, city.people["education_operator"])
    Grant.objects.filter(pk=grant.pk).update(renewed_by=follower, valid_to=now - timedelta(seconds=1))
    assert disposals.open_due(now=now) == 0
    Grant.objects.filter(pk=follower.pk).update(state="REVOKED")
    assert disposals.open_due(now=now) == 2
    assert disposals.open_due(now=now) == 0


def test_a_report_is_sent_back_or_confirmed_by_the_provider_alone(city: City, grant: Grant, now: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(valid_to=now)
    disposals.open_due(now=now)
    uid = Disposal.objects.get().uid
    told: dict[str, Any] = {"disposal_uid": uid, "now": now}
    with pytest.raises(Conflict):
        disposals.confirm(actor=city.actor("police_head"), opinion="同意", **told)
    with pytest.raises(Forbidden):
        disposals.report(actor=city.actor("police_operator"), manner="DESTROYED", account="已销毁", **told)
    with pytest.raises(Invalid):
        disposals.report(actor=city.actor("education_operator"), manner="BURNT", account="已销毁", **told)
    disposals.report(actor=city.actor("education_operator"), manner="DESTROYED", account="已销毁", **told)
    with pytest.raises(Forbidden):
        disposals.confirm(actor=city.actor("education_head"), opinion="同意", **told)
    assert disposals.send_back(actor=city.actor("police_operator"), opinion="缺见证人", **told).state == "DUE"
    disposals.report(actor=city.actor("education_operator"), manner="DESTROYED", account="已销毁，两人见证", **told)
    assert disposals.confirm(actor=city.actor("police_head"), opinion="同意", **told).state == "CONFIRMED"


def test_late_disposal_and_use_out_of_scope_are_listed_under_their_article(city: City, grant: Grant, now: datetime) -> None:
    counted(grant, now, grain="DAY", outcome="grant.matter_not_granted", calls=7)
    Grant.objects.filter(pk=grant.pk).update(valid_to=now)
    disposals.open_due(now=now)
    assert Ground.NO_DISPOSAL not in grounds(city, now)
    lines = liabilities(actor=city.actor("reviewer"), now=Disposal.objects.get().due_at)
    found = {(line.ground, line.article, line.department.name, line.count) for line in lines}
    assert {(Ground.NO_DISPOSAL, 40, "市教育局", 1), (Ground.OUT_OF_SCOPE, 40, "市教育局", 7)} <= found


def test_a_department_sees_its_own_lines_only(city: City, grant: Grant, now: datetime) -> None:
    counted(grant, now, grain="DAY", outcome="grant.ip_not_listed", calls=7)
    own = {line.ground for line in liabilities(actor=city.actor("education_operator"), now=now)}
    assert Ground.OUT_OF_SCOPE in own
    for person in ("police_head", "market_operator", "security_admin"):
        assert Ground.OUT_OF_SCOPE not in {line.ground for line in liabilities(actor=city.actor(person), now=now)}
