"""Baskets: several resources asked for at once, all of them or none; copies and renewals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from catalog.models import Resource
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from exchange.granting import grants, terminations
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import AccessRequest, BasketEntry, ConsumerSystem, Grant, RequestBundle
from exchange.requests import baskets, renewals
from exchange.requests.access_requests import carry_out
from exchange.requests.baskets import Ask, basket_of, bundles_visible_to, endorse_all, parts_of, put_in, submit, take_out
from exchange.requests.origins import RENEWABLE_BEFORE
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City

DAY = timedelta(days=1)


@pytest.fixture
def system(city: City) -> ConsumerSystem:
    return factories.make_system(city.education)


@pytest.fixture
def terms(system: ConsumerSystem, now: datetime) -> Terms:
    return Terms(
        system=str(system.uid), mode="QUERY", fields=("name", "sex"), purpose="入学资格核验", legal_basis="《义务教育法》第九条",
        scenario="小学入学报名", term_from=now.date(), term_to=now.date() + timedelta(days=365),
    )  # fmt: skip


@pytest.fixture
def resources(city: City) -> list[Resource]:
    return [
        factories.make_resource(city.police),
        factories.make_resource(city.market),
        factories.make_resource(city.police, base_database="POPULATION"),
    ]


def rows() -> tuple[int, ...]:
    return tuple(kind.objects.count() for kind in (AccessRequest, RequestBundle, BasketEntry, AuditEntry, Notification))


def ending(city: City, resource: Resource, system: ConsumerSystem, now: datetime, days: int, **values: Any) -> Grant:
    """Return a grant that ends at midnight so many days ahead."""
    end = datetime.combine(now.astimezone(SHANGHAI).date() + days * DAY, datetime.min.time(), SHANGHAI)
    return factories.make_grant(resource, system, city.people["education_operator"], valid_to=end, **values)


def approve(made: AccessRequest, city: City, now: datetime) -> Grant:
    for command, who in (
        (Command.ENDORSE, "education_head"), (Command.CHECK, "police_operator"), (Command.CLEAR, "police_head"),
        (Command.APPROVE, "reviewer"),
    ):  # fmt: skip
        carry_out(request_uid=made.uid, command=command, actor=city.actor(who), now=now)
    return Grant.objects.get(access_request=made)


def test_a_basket_becomes_one_bundle_whose_parts_go_their_own_ways(
    city: City, resources: list[Resource], terms: Terms, now: datetime
) -> None:
    clerk = city.actor("education_operator")
    for resource in resources:
        put_in(resource_uid=resource.uid, actor=clerk, now=now)
    put_in(resource_uid=resources[0].uid, actor=clerk, now=now, mode="QUERY", fields=("name", "salary"))
    assert [entry.resource.provider.name for entry in basket_of(clerk)] == ["市公安局", "市公安局", "市市场监督管理局"]
    assert BasketEntry.objects.get(resource=resources[0]).fields == ["name"]
    bundle = submit(asks=[Ask(r.uid, terms) for r in resources], actor=clerk, now=now, from_basket=True)
    parts = list(parts_of(bundle, clerk))
    assert [(p.resource, p.state) for p in parts] == [(r, "SUBMITTED") for r in resources]
    assert [p.route for p in parts] == ["PROVIDER_FIRST", "PROVIDER_FIRST", "DATA_CENTRE_ALONE"]
    assert not basket_of(clerk).exists()
    assert bundle.number == f"YL{now.astimezone(SHANGHAI):%Y%m%d}-0001"


def test_one_wrong_part_leaves_nothing_of_the_bundle_and_is_named(
    city: City, resources: list[Resource], terms: Terms, now: datetime
) -> None:
    clerk = city.actor("education_operator")
    put_in(resource_uid=resources[0].uid, actor=clerk, now=now)
    gone = factories.make_resource(city.market, published=False)
    before = rows()
    asks = [
        Ask(resources[0].uid, replace(terms, purpose="")),
        Ask(resources[1].uid, replace(terms, purpose="", fields=("salary",), mode="BULK")),
        Ask(gone.uid, replace(terms, purpose="")),
    ]
    with pytest.raises(Invalid) as refusal:
        submit(asks=asks, actor=clerk, now=now)
    assert set(refusal.value.details) == {"purpose", "parts[1].fields", "parts[2].resource"}
    assert rows() == before


def test_a_basket_that_was_submitted_in_another_window_is_not_asked_for_twice(
    city: City, resources: list[Resource], terms: Terms, now: datetime
) -> None:
    clerk = city.actor("education_operator")
    put_in(resource_uid=resources[0].uid, actor=clerk, now=now)
    submit(asks=[Ask(resources[0].uid, terms)], actor=clerk, now=now, from_basket=True)
    with pytest.raises(Conflict) as refusal:
        submit(asks=[Ask(resources[0].uid, terms)], actor=clerk, now=now, from_basket=True)
    assert refusal.value.code == "basket.changed"
    assert AccessRequest.objects.count() == 1


def test_bundles_that_are_empty_too_large_or_name_a_resource_twice_are_refused(
    city: City, resources: list[Resource], terms: Terms, now: datetime
) -> None:
    clerk = city.actor("education_operator")
    one = Ask(resources[0].uid, terms)
    for asks in ([], [one, one], [one] * (baskets.LARGEST + 1)):
        with pytest.raises(Invalid):
            submit(asks=asks, actor=clerk, now=now)
    with pytest.raises(Forbidden):
        submit(asks=[one], actor=city.actor("education_head"), now=now)
    assert not RequestBundle.objects.exists()


def test_a_basket_is_its_persons_own_and_takes_no_withheld_resource(city: City, resources: list[Resource], now: datetime) -> None:
    entry = put_in(resource_uid=resources[0].uid, actor=city.actor("education_operator"), now=now)
    with pytest.raises(NotFound):
        take_out(entry_uid=entry.uid, actor=city.actor("market_operator"))
    with pytest.raises(Forbidden):
        put_in(resource_uid=resources[0].uid, actor=city.actor("reviewer"), now=now)
    withheld = factories.make_resource(city.police, share_attribute="WITHHELD", withheld_basis="《保守国家秘密法》")
    with pytest.raises(Conflict):
        put_in(resource_uid=withheld.uid, actor=city.actor("education_operator"), now=now)
    take_out(entry_uid=entry.uid, actor=city.actor("education_operator"))
    assert not BasketEntry.objects.exists()


def test_the_head_endorses_all_parts_in_one_step_and_a_changed_part_stays(
    city: City, resources: list[Resource], terms: Terms, now: datetime
) -> None:
    clerk, head = city.actor("education_operator"), city.actor("education_head")
    bundle = submit(asks=[Ask(r.uid, terms) for r in resources], actor=clerk, now=now)
    parts = list(parts_of(bundle, head))
    seen = {part.uid: part.revision for part in parts}
    seen[parts[1].uid] -= 1
    results = endorse_all(bundle_uid=bundle.uid, seen=seen, actor=head, now=now)
    assert [bool(result.error) for result in results] == [False, True, False]
    assert [p.state for p in parts_of(bundle, head)] == ["ENDORSED", "SUBMITTED", "CLEARED"]
    with pytest.raises(NotFound):
        endorse_all(bundle_uid=bundle.uid, seen=seen, actor=city.actor("market_head"), now=now)


def test_a_provider_sees_of_a_bundle_only_what_reached_it(
    city: City, resources: list[Resource], terms: Terms, now: datetime
) -> None:
    clerk, head = city.actor("education_operator"), city.actor("education_head")
    bundle = submit(asks=[Ask(r.uid, terms) for r in resources], actor=clerk, now=now)
    assert not bundles_visible_to(city.actor("police_head")).exists()
    endorse_all(bundle_uid=bundle.uid, seen={p.uid: p.revision for p in parts_of(bundle, head)}, actor=head, now=now)
    assert [part.resource for part in parts_of(bundle, city.actor("police_head"))] == [resources[0]]
    assert [part.resource for part in parts_of(bundle, city.actor("market_head"))] == [resources[1]]
    assert parts_of(bundle, city.actor("reviewer")).count() == 3


def test_a_copy_keeps_what_is_offered_names_what_is_not_and_links_both_ways(
    city: City, system: ConsumerSystem, now: datetime
) -> None:
    resource = factories.make_resource(city.police)
    clerk = city.actor("education_operator")
    source = factories.make_request(
        resource, system, city.people["education_operator"], state="REFUSED", desk="NOBODY", refusal_reason="x",
        fields=["name", "sex", "address"], mode="BULK", quota_per_day=77, region_prefix="320102",
        term_from=now.date() - 400 * DAY, term_to=now.date() - 300 * DAY,
    )  # fmt: skip
    resource.items.filter(name="sex").update(is_withheld=True)
    Resource.objects.filter(pk=resource.pk).update(sharing_modes=["QUERY"])
    copied = renewals.copy_as_new(request_uid=source.uid, actor=clerk, now=now)
    made = copied.access_request
    assert copied.dropped == ("性别", "批量复制")
    assert (made.state, made.fields, made.mode, made.quota_per_day) == ("DRAFTED", ["name", "address"], "QUERY", 77)
    assert (made.term_from, made.term_to - made.term_from, made.region_prefix) == (now.date(), 100 * DAY, "320102")
    assert (made.copied_from, list(source.copies.all())) == (source, [made])


def test_what_cannot_be_copied(city: City, system: ConsumerSystem, now: datetime) -> None:
    resource = factories.make_resource(city.police)
    person = city.people["education_operator"]
    draft = factories.make_request(resource, system, person)
    closed = factories.make_request(resource, system, person, state="WITHDRAWN", desk="NOBODY")
    with pytest.raises(Conflict):
        renewals.copy_as_new(request_uid=draft.uid, actor=city.actor("education_operator"), now=now)
    for who, error in (("education_head", Forbidden), ("reviewer", Forbidden), ("market_operator", NotFound)):
        with pytest.raises(error):
            renewals.copy_as_new(request_uid=closed.uid, actor=city.actor(who), now=now)
    resource.items.update(is_withheld=True)
    with pytest.raises(Conflict):
        renewals.copy_as_new(request_uid=closed.uid, actor=city.actor("education_operator"), now=now)
    Resource.objects.filter(pk=resource.pk).update(state="WITHDRAWN")
    resource.items.update(is_withheld=False)
    with pytest.raises(NotFound):
        renewals.copy_as_new(request_uid=closed.uid, actor=city.actor("education_operator"), now=now)
    assert AccessRequest.objects.count() == 2


def test_a_grant_is_renewed_in_its_last_60_days_only_and_once(city: City, system: ConsumerSystem, now: datetime) -> None:
    resource = factories.make_resource(city.police)
    clerk = city.actor("education_operator")
    early = ending(city, resource, system, now, RENEWABLE_BEFORE.days + 2)
    ended = ending(city, resource, system, now, 0, valid_from=now - 9 * DAY)
    stopped = ending(city, resource, system, now, 30, state="SUSPENDED")
    for grant, code in ((early, "grant.renewal_too_early"), (ended, "grant.ended"), (stopped, "grant.not_renewable")):
        with pytest.raises(Conflict) as refusal:
            renewals.renew(grant_uid=grant.uid, actor=clerk, now=now)
        assert refusal.value.code == code
        assert not renewals.may_renew(grant, clerk, now)
    grant = ending(city, resource, system, now, 30)
    for who, error in (("police_operator", Forbidden), ("education_head", Forbidden), ("market_operator", NotFound)):
        with pytest.raises(error):
            renewals.renew(grant_uid=grant.uid, actor=city.actor(who), now=now)
    assert renewals.may_renew(grant, clerk, now)
    made = renewals.renew(grant_uid=grant.uid, actor=clerk, now=now).access_request
    assert (made.renews, made.fields, made.quota_per_day) == (grant, grant.fields, grant.quota_per_day)
    with pytest.raises(Conflict):
        renewals.renew(grant_uid=grant.uid, actor=clerk, now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_request(resource, system, city.people["education_operator"], renews=grant)
    carry_out(request_uid=made.uid, command=Command.WITHDRAW, actor=clerk, now=now)
    renewals.renew(grant_uid=grant.uid, actor=clerk, now=now)


def test_what_was_suspended_meanwhile_is_not_renewed(city: City, system: ConsumerSystem, now: datetime) -> None:
    grant = ending(city, factories.make_resource(city.police), system, now, 30)
    made = renewals.renew(grant_uid=grant.uid, actor=city.actor("education_operator"), now=now).access_request
    carry_out(request_uid=made.uid, command=Command.SUBMIT, actor=city.actor("education_operator"), now=now)
    grants.change_state(
        grant_uid=grant.uid, command=GrantCommand.SUSPEND, reason="超范围使用", actor=city.actor("reviewer"), now=now
    )
    with pytest.raises(Conflict) as refusal:
        approve(made, city, now)
    assert refusal.value.code == "grant.not_renewable"
    assert Grant.objects.count() == 1


def test_what_is_done_to_a_grant_is_done_to_its_renewal_that_has_not_begun(
    city: City, system: ConsumerSystem, now: datetime
) -> None:
    stricter = {"name": "HIDDEN", "sex": "HIDDEN"}
    grant = ending(city, factories.make_resource(city.police), system, now, 30, masks=stricter, matters=["A-1"])
    made = renewals.renew(grant_uid=grant.uid, actor=city.actor("education_operator"), now=now).access_request
    carry_out(request_uid=made.uid, command=Command.SUBMIT, actor=city.actor("education_operator"), now=now)
    follower = approve(made, city, now)
    assert (follower.masks, follower.matters) == (stricter, ["A-1"])
    reviewer = city.actor("reviewer")
    for command, state in (
        (GrantCommand.SUSPEND, "SUSPENDED"), (GrantCommand.RESUME, "ACTIVE"), (GrantCommand.REVOKE, "REVOKED"),
    ):  # fmt: skip
        grants.change_state(grant_uid=grant.uid, command=command, reason="超范围使用", actor=reviewer, now=now)
        follower.refresh_from_db()
        assert follower.state == state


def test_ending_a_service_ends_the_renewal_and_lets_none_follow(city: City, system: ConsumerSystem, now: datetime) -> None:
    resource = factories.make_resource(city.police)
    renewed, other = (ending(city, resource, system, now, 59) for _ in range(2))
    made = renewals.renew(grant_uid=renewed.uid, actor=city.actor("education_operator"), now=now).access_request
    carry_out(request_uid=made.uid, command=Command.SUBMIT, actor=city.actor("education_operator"), now=now)
    follower = approve(made, city, now)
    for grant in (renewed, other):
        terminations.terminate(
            grant_uid=grant.uid, reason="系统下线", negotiated_on=now.date(), ends_on=terminations.earliest_end(now),
            actor=city.actor("police_head"), now=now,
        )  # fmt: skip
    follower.refresh_from_db()
    assert follower.state == "REVOKED"
    with pytest.raises(Conflict) as refusal:
        renewals.renew(grant_uid=other.uid, actor=city.actor("education_operator"), now=now)
    assert refusal.value.code == "grant.terminated"


def test_the_operators_are_reminded_30_and_7_days_before_the_end_once_each(
    city: City, system: ConsumerSystem, now: datetime
) -> None:
    resource = factories.make_resource(city.police)
    grant = ending(city, resource, system, now, 29)
    ending(city, resource, system, now, 90)
    ending(city, resource, system, now, 5, state="REVOKED")
    assert (renewals.remind_of_ends(now=now), renewals.remind_of_ends(now=now)) == (1, 0)
    told = Notification.objects.get()
    assert (told.user, told.path) == (city.people["education_operator"], f"/grants/{grant.uid}/")
    assert renewals.remind_of_ends(now=now + 24 * DAY) == 1
    assert renewals.remind_of_ends(now=now + 25 * DAY) == 0
    late = ending(city, resource, system, now, 3)
    assert renewals.remind_of_ends(now=now) == 1
    asked = renewals.renew(grant_uid=late.uid, actor=city.actor("education_operator"), now=now).access_request
    assert asked.state == "DRAFTED"
