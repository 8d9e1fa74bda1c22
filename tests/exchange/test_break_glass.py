"""Emergency access: off by default, short, small, told at once, reviewed by both sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from catalog.models import DataItem, Resource
from core.errors import Conflict, DomainError, Forbidden, Invalid
from core.models import AuditEntry, Notification
from core.roles import Role
from exchange.care.break_glass import Emergency, open_access, review, side_to_review, unreviewed
from exchange.care.liabilities import Ground, liabilities
from exchange.models import AccessRequest, BreakGlass, BreakGlassReview, ConsumerSystem, Grant
from exchange.requests.closing import close_ended
from exchange.requests.renewals import renew
from tests import factories
from tests.factories import City


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.BREAK_GLASS_ALLOWED = True


@pytest.fixture
def resource(city: City) -> Resource:
    return factories.make_resource(city.police)


@pytest.fixture
def wanted(city: City) -> Emergency:
    system = factories.make_system(city.education)
    return Emergency(system.uid, "QUERY", ("name", "sex"), "YJ-2026-1", "暴雨转移学生，需核对身份")


def nothing_written() -> bool:
    return not (BreakGlass.objects.exists() or Grant.objects.exists() or AccessRequest.objects.exists())


def test_a_head_opens_it_for_hours_and_everybody_is_told(
    city: City, resource: Resource, wanted: Emergency, now: datetime, settings: Any
) -> None:
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    grant = made.grant
    assert (grant.valid_to, grant.state, grant.quota_per_day) == (
        now + timedelta(hours=4),
        "ACTIVE",
        settings.BREAK_GLASS_QUOTA_PER_DAY,
    )
    assert grant.masks == {"name": "NAME"}
    assert grant.access_request.state == "APPROVED"
    told = set(Notification.objects.values_list("user__username", flat=True))
    assert told == {"police_head", "reviewer", "auditor"}
    assert AuditEntry.objects.filter(action="break_glass.opened", actor_name="education_head").count() == 1


def test_a_node_that_does_not_allow_it_opens_nothing(
    city: City, resource: Resource, wanted: Emergency, now: datetime, settings: Any
) -> None:
    settings.BREAK_GLASS_ALLOWED = False
    with pytest.raises(Forbidden) as refusal:
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    assert refusal.value.code == "break_glass.off"
    assert nothing_written()


@pytest.mark.parametrize("person", ["education_operator", "market_operator", "auditor", "security_admin"])
def test_nobody_else_opens_it(person: str, city: City, resource: Resource, wanted: Emergency, now: datetime) -> None:
    with pytest.raises(Forbidden):
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor(person), now=now)
    assert nothing_written()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"mode": "BULK"}, "mode"),
        ({"mode": "SUBSCRIBE"}, "mode"),
        ({"fields": ()}, "fields"),
        ({"fields": ("address",)}, "fields"),
        ({"fields": ("illness",)}, "mode"),
        ({"hours": 25}, "hours"),
        ({"hours": 0}, "hours"),
        ({"reason": " "}, "reason"),
        ({"incident_number": ""}, "incident_number"),
    ],
)
def test_what_is_asked_for_is_limited(
    *, change: dict[str, Any], field: str, city: City, resource: Resource, wanted: Emergency, now: datetime
) -> None:
    resource.items.filter(name="address").update(is_withheld=True)
    DataItem.objects.create(resource=resource, position=9, name="illness", title="病史", data_type="C", grade="L4")
    with pytest.raises(Invalid) as refusal:
        open_access(resource_uid=resource.uid, wanted=replace(wanted, **change), actor=city.actor("education_head"), now=now)
    assert set(refusal.value.details) == {field}
    assert nothing_written()


def test_a_withheld_resource_or_somebody_elses_system_is_refused(
    city: City, resource: Resource, wanted: Emergency, now: datetime
) -> None:
    with pytest.raises(Invalid) as refusal:
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("market_head"), now=now)
    assert set(refusal.value.details) == {"system"}
    Resource.objects.filter(pk=resource.pk).update(share_attribute="WITHHELD", withheld_basis="依法不予共享")
    with pytest.raises(Conflict):
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    assert nothing_written()


def test_highly_sensitive_data_is_verified_in_an_emergency_too(city: City, wanted: Emergency, now: datetime) -> None:
    resource = factories.make_resource(city.police, grade="L4")
    who = city.actor("education_head")
    with pytest.raises(Invalid):
        open_access(resource_uid=resource.uid, wanted=wanted, actor=who, now=now)
    made = open_access(resource_uid=resource.uid, wanted=replace(wanted, mode="VERIFY"), actor=who, now=now)
    assert made.grant.mode == "VERIFY"


def test_its_case_closes_by_itself_when_the_hours_are_over(
    city: City, resource: Resource, wanted: Emergency, now: datetime
) -> None:
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    close_ended(now=made.grant.valid_to)
    assert AccessRequest.objects.get().state == "CLOSED"


def test_it_is_not_renewed(city: City, resource: Resource, wanted: Emergency, now: datetime) -> None:
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    with pytest.raises(Conflict) as refusal:
        renew(grant_uid=made.grant.uid, actor=city.actor("education_operator"), now=now)
    assert refusal.value.code == "grant.break_glass"


def test_both_sides_review_once_and_never_who_opened_it(city: City, resource: Resource, wanted: Emergency, now: datetime) -> None:
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("reviewer"), now=now)
    values: dict[str, Any] = {"break_glass_uid": made.uid, "verdict": "JUSTIFIED", "opinion": "确有必要", "now": now}
    with pytest.raises(Forbidden) as refusal:
        review(actor=city.actor("reviewer"), **values)
    assert refusal.value.code == "break_glass.four_eyes"
    with pytest.raises(Forbidden):
        review(actor=city.actor("education_head"), **values)
    review(actor=city.actor("police_head"), **values)
    with pytest.raises(Conflict):
        review(actor=city.actor("police_head"), **values)
    assert list(unreviewed()) == [made]
    city.people["second"] = factories.make_user("second", city.centre, Role.REVIEWER)
    review(actor=city.actor("second"), **values)
    assert not unreviewed().exists()
    assert BreakGlassReview.objects.count() == 2


def test_nobody_reviews_for_both_sides(city: City, wanted: Emergency, now: datetime) -> None:
    resource = factories.make_resource(city.centre)
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    both = replace(city.actor("reviewer"), roles=frozenset({Role.REVIEWER, Role.HEAD}))
    values: dict[str, Any] = {"break_glass_uid": made.uid, "verdict": "JUSTIFIED", "opinion": "确有必要", "now": now}
    review(actor=both, **values)
    with pytest.raises(Forbidden) as refusal:
        review(actor=both, **values)
    assert refusal.value.code == "break_glass.four_eyes"
    assert side_to_review(made, both) is None
    assert list(unreviewed()) == [made]


def test_an_overdue_review_and_a_bad_verdict_are_liabilities(
    city: City, resource: Resource, wanted: Emergency, now: datetime
) -> None:
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    auditor = city.actor("auditor")
    assert not [line for line in liabilities(actor=auditor, now=now) if line.ground.startswith("EMERGENCY")]
    later = made.review_due_at
    found = {(line.ground, line.department.name) for line in liabilities(actor=auditor, now=later)}
    assert {(Ground.EMERGENCY_UNREVIEWED, "市公安局"), (Ground.EMERGENCY_UNREVIEWED, "市大数据管理中心")} <= found
    values: dict[str, Any] = {"break_glass_uid": made.uid, "opinion": "当时可走正常流程", "now": now}
    review(actor=city.actor("police_head"), verdict="UNJUSTIFIED", **values)
    review(actor=city.actor("reviewer"), verdict="UNJUSTIFIED", **values)
    found_now = {(line.ground, line.department.name, line.count) for line in liabilities(actor=auditor, now=later)}
    assert (Ground.EMERGENCY_UNJUSTIFIED, "市教育局", 1) in found_now
    assert not [line for line in found_now if line[0] is Ground.EMERGENCY_UNREVIEWED]


def test_a_refusal_anywhere_leaves_nothing_behind(city: City, resource: Resource, wanted: Emergency, now: datetime) -> None:
    resource.binding.delete()
    with pytest.raises(DomainError):
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    assert ConsumerSystem.objects.count() == 1


def test_an_emergency_is_not_prolonged_by_another_one(city: City, resource: Resource, wanted: Emergency, now: datetime) -> None:
    made = open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    with pytest.raises(Conflict) as running:
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=now)
    late = made.review_due_at + timedelta(hours=1)
    with pytest.raises(Conflict) as overdue:
        open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=late)
    assert (running.value.code, overdue.value.code) == ("break_glass.open_already", "break_glass.review_overdue")
    assert BreakGlass.objects.count() == Grant.objects.count() == AccessRequest.objects.count() == 1
    for person in ("police_head", "reviewer"):
        review(break_glass_uid=made.uid, verdict="JUSTIFIED", opinion="属实", actor=city.actor(person), now=late)
    assert open_access(resource_uid=resource.uid, wanted=wanted, actor=city.actor("education_head"), now=late).pk != made.pk
