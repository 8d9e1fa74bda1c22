"""What a grant holds over time: versions, narrowing that never widens, ending with notice, the consumer's own limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from basedb.identifiers import generate_citizen_id
from basedb.masking import Mask, is_as_strict, mask_value
from core.calendar import SHANGHAI
from core.errors import Conflict, DomainError, Forbidden, Invalid
from core.models import AuditEntry, Notification
from exchange.granting.grant_clients import CLIENTS_AT_MOST, limit_addresses, load_clients
from exchange.granting.grant_narrowing import narrow, narrowable
from exchange.granting.grant_versions import differences, terms_of, terms_on
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state, issue_grant
from exchange.granting.limits import Limits, limit_faults
from exchange.granting.narrowing import GrantTerms, widenings
from exchange.granting.terminations import earliest_end, terminate
from exchange.models import AccessRequest, Grant, GrantSubject, GrantVersion, TerminationFiling
from exchange.requests.access_requests import carry_out
from exchange.requests.renewals import renew
from exchange.requests.request_masks import standing_masks
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


@pytest.fixture
def grant(city: City) -> Grant:
    resource = factories.make_resource(city.police)
    values: dict[str, Any] = {
        "fields": ["name", "sex", "address"],
        "matters": ["A-1", "B-2"],
        "ip_list": ["10.0.0.0/16"],
        "control_parameters": {"division": ["990101", "990102"]},
        "row_filter": [{"kind": "list", "item": "sex", "values": ["1", "2"]}],
    }
    return factories.make_grant(resource, factories.make_system(city.education), city.people["education_operator"], **values)


def with_limits(terms: GrantTerms, **limits: Any) -> GrantTerms:
    return replace(terms, limits=replace(terms.limits, **limits))


def test_every_change_is_a_version_and_a_day_shows_what_stood_on_it(city: City, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    request = factories.make_request(resource, system, city.people["education_operator"], masks={"sex": "HIDDEN"}, matters=["A-1"])
    first = datetime(2026, 3, 1, 9, tzinfo=SHANGHAI)
    request.term_from, request.term_to = first.date(), date(2027, 3, 1)
    reviewer = city.actor("reviewer")
    made = issue_grant(access_request=request, actor=reviewer, now=first)
    uid = made.uid
    change_state(grant_uid=uid, command=GrantCommand.SUSPEND, reason="核查", actor=reviewer, now=first + timedelta(days=10))
    change_state(grant_uid=uid, command=GrantCommand.RESUME, reason="无误", actor=reviewer, now=first + timedelta(days=10, hours=3))
    made.refresh_from_db()
    narrow(
        grant_uid=uid,
        asked=replace(narrowable(made), quota_per_day=5),
        reason="少用",
        actor=reviewer,
        now=first + timedelta(days=20),
    )
    made.refresh_from_db()

    def numbers(day: date) -> list[int]:
        return [version.number for version in terms_on(made, day)]

    assert numbers(date(2026, 2, 28)) == []
    assert numbers(date(2026, 3, 1)) == numbers(date(2026, 3, 10)) == [1]
    assert numbers(date(2026, 3, 11)) == [3, 2, 1]
    assert numbers(date(2026, 3, 12)) == [3]
    assert numbers(date(2026, 3, 21)) == [4, 3]
    assert numbers(date(2029, 1, 1)) == [made.version] == [4]
    versions = {version.number: version for version in made.versions.all()}
    assert versions[1].terms["masks"] == {"name": "NAME", "sex": "HIDDEN"}
    assert versions[4].terms == terms_of(made)
    changes = [(change.term, change.before, change.after) for change in differences(versions[3].terms, versions[4].terms)]
    assert changes == [("quota_per_day", 1000, 5)]


def test_a_grant_older_than_versions_is_adopted_with_the_terms_it_has(city: City) -> None:
    system = factories.make_system(city.education)
    old = factories.make_grant(factories.make_resource(city.police), system, city.people["education_operator"], version=7)
    with connection.cursor() as cursor:
        cursor.execute(import_module("exchange.migrations.0012_terms_of_grants").ADOPT)
    adopted, now = old.versions.get(), terms_of(old)
    moments = ("valid_from", "valid_to")
    assert (adopted.number, adopted.event) == (7, "ADOPTED")
    assert {n: v for n, v in adopted.terms.items() if n not in moments} == {n: v for n, v in now.items() if n not in moments}
    assert all(datetime.fromisoformat(adopted.terms[name]) == datetime.fromisoformat(now[name]) for name in moments)


def test_a_version_once_written_is_never_changed(city: City, grant: Grant, now: datetime) -> None:
    change_state(grant_uid=grant.uid, command=GrantCommand.SUSPEND, reason="核查", actor=city.actor("reviewer"), now=now)
    for change in (lambda: GrantVersion.objects.update(reason="x"), lambda: GrantVersion.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


WIDER: list[tuple[str, Any]] = [
    ("fields", lambda t: replace(t, fields=[*t.fields, "citizen_id"])),
    ("masks", lambda t: replace(t, masks={})),
    ("masks", lambda t: replace(t, masks={"name": "PHONE"})),
    ("region_prefix", lambda t: replace(t, region_prefix="")),
    ("quota_per_day", lambda t: replace(t, quota_per_day=t.quota_per_day + 1)),
    ("valid_to", lambda t: replace(t, valid_to=t.valid_to + timedelta(seconds=1))),
    ("quota_per_second", lambda t: with_limits(t, quota_per_second=t.limits.quota_per_second + 1)),
    ("matters", lambda t: with_limits(t, matters=[])),
    ("matters", lambda t: with_limits(t, matters=["A-1", "C-3"])),
    ("ip_list", lambda t: with_limits(t, ip_list=[])),
    ("ip_list", lambda t: with_limits(t, ip_list=["10.0.0.0/15"])),
    ("control_parameters", lambda t: with_limits(t, control_parameters={})),
    ("control_parameters", lambda t: with_limits(t, control_parameters={"division": ["990103"]})),
    ("row_filter", lambda t: with_limits(t, row_filter=[])),
    ("row_filter", lambda t: with_limits(t, row_filter=[{"kind": "own_clients"}])),
    ("row_filter", lambda t: with_limits(t, row_filter=[{"kind": "list", "item": "sex", "values": ["1", "9"]}])),
]


@pytest.mark.parametrize(("term", "change"), WIDER)
def test_a_widening_is_refused_by_name_and_writes_nothing(term: str, change: Any, city: City, grant: Grant, now: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(region_prefix="320102")
    grant.refresh_from_db()
    with pytest.raises(Invalid) as refused:
        narrow(grant_uid=grant.uid, asked=change(narrowable(grant)), reason="调整", actor=city.actor("police_head"), now=now)
    assert set(refused.value.details) == {term}
    grant.refresh_from_db()
    assert (grant.version, AuditEntry.objects.count(), GrantVersion.objects.count()) == (1, 0, 0)


def test_narrowing_keeps_what_is_left_and_tells_both_sides(city: City, grant: Grant, now: datetime) -> None:
    asked = with_limits(
        replace(narrowable(grant), fields=["name", "sex"], masks={"name": "HIDDEN", "sex": "NONE"}, quota_per_day=10),
        matters=["B-2"], ip_list=["10.0.3.0/24"], control_parameters={"division": ["990101"], "channel": ["web"]},
        row_filter=[{"kind": "own_clients"}, {"kind": "list", "item": "sex", "values": ["2"]}],
    )  # fmt: skip
    done = narrow(grant_uid=grant.uid, asked=asked, reason="最小必要", actor=city.actor("police_head"), now=now, revision=1)
    done.refresh_from_db()
    assert (done.fields, done.masks, done.matters, done.version) == (["name", "sex"], {"name": "HIDDEN"}, ["B-2"], 2)
    assert AuditEntry.objects.get(action="grant.narrowed").detail["reason"] == "最小必要"
    assert {n.user.username for n in Notification.objects.all()} == {"education_operator", "police_operator", "reviewer"}
    with pytest.raises(Invalid):
        narrow(grant_uid=grant.uid, asked=narrowable(done), reason="再次", actor=city.actor("reviewer"), now=now)
    with pytest.raises(Forbidden):
        narrow(grant_uid=grant.uid, asked=asked, reason="我要", actor=city.actor("education_operator"), now=now)


VALUES = st.lists(st.sampled_from("abc"), max_size=3, unique=True)
SOME = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
NETS = st.lists(
    st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "192.168.0.0/16", "2001:db8::/32"]), max_size=3, unique=True
)
RULES = st.tuples(st.booleans(), st.dictionaries(st.sampled_from("xy"), SOME, max_size=2)).map(
    lambda drawn: (
        [{"kind": "own_clients"}] * drawn[0]
        + [{"kind": "list", "item": item, "values": values} for item, values in drawn[1].items()]
    )
)
LIMITS = st.builds(
    Limits, row_filter=RULES, control_parameters=st.dictionaries(st.sampled_from("pq"), SOME, max_size=2), matters=VALUES,
    ip_list=NETS, quota_per_second=st.integers(1, 3),
)  # fmt: skip
BEGIN = datetime(2026, 1, 1, tzinfo=SHANGHAI)
TERMS = st.builds(
    GrantTerms, fields=SOME, masks=st.dictionaries(st.sampled_from("abc"), st.sampled_from([m.value for m in Mask])),
    region_prefix=st.sampled_from(["", "32", "3201", "3202"]), limits=LIMITS, quota_per_day=st.integers(1, 3),
    valid_to=st.integers(1, 3).map(lambda days: BEGIN + timedelta(days=days)),
)  # fmt: skip
CALLS = st.fixed_dictionaries(
    {
        "item": st.sampled_from("abc"),
        "row": st.fixed_dictionaries({"x": st.sampled_from("abc"), "y": st.sampled_from("abc"), "is_client": st.booleans()}),
        "region": st.sampled_from(["320101", "320201", "330000"]),
        "sent": st.dictionaries(st.sampled_from("pq"), st.sampled_from("abc"), max_size=2),
        "matter": st.sampled_from([None, "a", "b", "c"]),
        "ip": st.sampled_from(["10.1.2.3", "10.1.9.9", "10.200.0.1", "192.168.3.4", "2001:db8::9", "8.8.8.8"]),
        "at": st.integers(0, 4).map(lambda days: BEGIN + timedelta(days=days)),
    }
)


def lets_through(terms: GrantTerms, call: dict[str, Any]) -> bool:
    """Whether a call gets at an item of a row under these terms, said without any code of ours. Parameters beyond the
    controlled ones are left aside: a caller of a narrower grant sends what that one asks for."""
    limits, address = terms.limits, ipaddress.ip_address(call["ip"])
    in_rows = all(
        call["row"]["is_client"] if rule["kind"] == "own_clients" else call["row"][rule["item"]] in rule["values"]
        for rule in limits.row_filter
    )
    return (
        call["item"] in terms.fields
        and in_rows
        and call["region"].startswith(terms.region_prefix)
        and all(call["sent"].get(name) in values for name, values in limits.control_parameters.items())
        and (not limits.matters or call["matter"] in limits.matters)
        and (not limits.ip_list or any(address in ipaddress.ip_network(net) for net in limits.ip_list))
        and call["at"] < terms.valid_to
    )


@st.composite
def changed(draw: st.DrawFn) -> tuple[GrantTerms, GrantTerms]:
    """Return terms and the same with some of them drawn anew: pairs drawn apart would hardly ever be narrower."""
    now, other = draw(TERMS), draw(TERMS)
    names = ("fields", "masks", "region_prefix", "quota_per_day", "valid_to")
    terms: dict[str, Any] = {name: getattr(draw(st.sampled_from([now, now, other])), name) for name in names}
    parts = ("row_filter", "control_parameters", "matters", "ip_list", "quota_per_second")
    limits = Limits(**{name: getattr(draw(st.sampled_from([now, now, other])).limits, name) for name in parts})
    return now, GrantTerms(**terms, limits=limits)


@settings(max_examples=600)
@given(pair=changed(), call=CALLS)
def test_terms_that_are_not_refused_let_nothing_through_that_was_refused_before(
    pair: tuple[GrantTerms, GrantTerms], call: dict[str, Any]
) -> None:
    now, asked = pair
    if not widenings(now, asked):
        assert lets_through(now, call) or not lets_through(asked, call)
        assert asked.quota_per_day <= now.quota_per_day
        masks = [Mask(terms.masks.get(call["item"], "NONE")) for terms in (asked, now)]
        assert call["item"] not in asked.fields or is_as_strict(*masks)
    assert widenings(now, now) == {}


@given(
    mask=st.sampled_from(list(Mask)), other=st.sampled_from(list(Mask)), pair=st.tuples(st.text(max_size=20), st.text(max_size=20))
)
def test_a_stricter_mask_tells_apart_nothing_the_laxer_one_does_not(mask: Mask, other: Mask, pair: tuple[str, str]) -> None:
    assume(is_as_strict(mask, other))
    one, two = pair
    if mask_value(other, one) == mask_value(other, two):
        assert mask_value(mask, one) == mask_value(mask, two)


def test_a_renewal_begins_from_the_limits_and_masks_the_grant_was_narrowed_to(city: City, grant: Grant, now: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(valid_to=now + timedelta(days=30), row_filter=[{"kind": "own_clients"}])
    grant.refresh_from_db()
    asked = with_limits(replace(narrowable(grant), masks={"name": "HIDDEN", "sex": "HIDDEN"}), matters=["A-1"])
    narrow(grant_uid=grant.uid, asked=asked, reason="最小必要", actor=city.actor("police_head"), now=now)
    made = renew(grant_uid=grant.uid, actor=city.actor("education_operator"), now=now).access_request
    grant.refresh_from_db()
    assert (made.limits, made.matters) == (grant.limits, ["A-1"])
    assert standing_masks(made) == {"name": "HIDDEN", "sex": "HIDDEN", "address": "NONE"}


def test_masks_made_stricter_while_a_renewal_is_under_way_hold_in_the_next_term(city: City, grant: Grant, now: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(valid_to=now + timedelta(days=20))
    made = renew(grant_uid=grant.uid, actor=city.actor("education_operator"), now=now).access_request
    grant.refresh_from_db()
    stricter = replace(narrowable(grant), masks={**grant.masks, "name": "HIDDEN"})
    narrow(grant_uid=grant.uid, asked=stricter, reason="最小必要", actor=city.actor("police_head"), now=now)
    AccessRequest.objects.filter(pk=made.pk).update(state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST")
    carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert Grant.objects.get(access_request=made).masks["name"] == "HIDDEN"


def test_misuse_suspends_at_once_with_a_day_to_put_it_right(city: City, grant: Grant, now: datetime) -> None:
    head, today = city.actor("police_head"), now.astimezone(SHANGHAI).date()
    given: dict[str, Any] = {"grant_uid": grant.uid, "reason": "夜间批量查询", "actor": head, "now": now}
    for put_right_by in (None, today - timedelta(days=1)):
        with pytest.raises(Invalid) as refused:
            change_state(command=GrantCommand.SUSPEND, ground="MISUSE", put_right_by=put_right_by, **given)
        assert set(refused.value.details) == {"put_right_by"}
    done = change_state(command=GrantCommand.SUSPEND, ground="MISUSE", put_right_by=today, **given)
    assert (done.state, done.suspension_ground, done.put_right_by) == ("SUSPENDED", "MISUSE", today)
    assert done.versions.get().terms["put_right_by"] == today.isoformat()
    done = change_state(command=GrantCommand.RESUME, **given)
    assert (done.suspension_ground, done.put_right_by) == ("", None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.filter(pk=grant.pk).update(suspension_ground="MISUSE")


def test_ending_a_service_takes_its_notice_and_is_filed_once(city: City, grant: Grant, now: datetime) -> None:
    head, first = city.actor("police_head"), earliest_end(now)
    given: dict[str, Any] = {"grant_uid": grant.uid, "reason": "系统下线", "actor": head, "now": now}
    today = now.astimezone(SHANGHAI).date()
    faults: list[tuple[date, date, str]] = [
        (today, first - timedelta(days=1), "ends_on"),
        (today + timedelta(days=1), first, "negotiated_on"),
        (today, today + timedelta(days=4000), "ends_on"),
    ]
    for negotiated_on, ends_on, term in faults:
        with pytest.raises(Invalid) as refused:
            terminate(negotiated_on=negotiated_on, ends_on=ends_on, **given)
        assert set(refused.value.details) == {term}
    assert not TerminationFiling.objects.exists()
    filing = terminate(negotiated_on=today, ends_on=first, **given)
    grant.refresh_from_db()
    assert grant.valid_to == datetime.combine(first + timedelta(days=1), time.min, tzinfo=SHANGHAI)
    assert (grant.state, filing.number[:2], filing.previous_valid_to > grant.valid_to) == ("ACTIVE", "BA", True)
    assert {n.user.username for n in Notification.objects.all()} == {"education_operator", "police_operator", "reviewer"}
    with pytest.raises(Conflict):
        terminate(negotiated_on=today, ends_on=first, **given)


def test_the_consumer_sets_its_addresses_once_and_then_only_narrows_them(city: City, grant: Grant, now: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(ip_list=[])
    given: dict[str, Any] = {"grant_uid": grant.uid, "actor": city.actor("education_operator"), "now": now}
    assert limit_addresses(addresses=["10.1.0.0/16", "192.0.2.7"], **given).ip_list == ["10.1.0.0/16", "192.0.2.7/32"]
    assert limit_addresses(addresses=["10.1.2.0/24"], **given).version == 3
    for wrong in (["10.1.0.0/16"], [], ["0.0.0.0/0"], ["10.1.2.1/24"], ["nowhere"], ["10.1.2.3", "10.1.2.3/32"]):
        with pytest.raises(Invalid):
            limit_addresses(addresses=wrong, **given)
    with pytest.raises(Forbidden):
        limit_addresses(addresses=["10.1.2.3"], **given | {"actor": city.actor("police_head")})
    grant.refresh_from_db()
    assert (grant.ip_list, grant.version) == (["10.1.2.0/24"], 3)


def test_a_client_list_is_kept_as_digests_and_replaced_as_a_whole(city: City, grant: Grant, now: datetime) -> None:
    Grant.objects.filter(pk=grant.pk).update(row_filter=[{"kind": "own_clients"}])
    ids = [generate_citizen_id("990101", date(1990, 1, day), 11) for day in range(1, 6)]
    given: dict[str, Any] = {"grant_uid": grant.uid, "actor": city.actor("education_operator"), "now": now}
    done = load_clients(lines=["citizen_id\n", *(f"{each}\r\n" for each in ids), "\n", ids[0]], **given)
    assert (done.client_count, GrantSubject.objects.count(), len(done.client_digest)) == (5, 5, 64)
    stored = [bytes(subject.subject_key) for subject in GrantSubject.objects.all()]
    assert not any(each.encode() in b"".join(stored) for each in ids)
    before = done.client_digest
    with pytest.raises(Invalid) as refused:
        load_clients(lines=[ids[0], ids[1][:17] + ("1" if ids[1][17] == "0" else "0"), "张三"], **given)
    assert ("2、3" in str(refused.value.message), ids[0] in str(refused.value.message)) == (True, False)
    assert load_clients(lines=reversed(ids), **given).client_digest == before
    assert load_clients(lines=ids[:2], **given).client_count == GrantSubject.objects.count() == 2
    assert [version.terms["client_count"] for version in grant.versions.order_by("number")] == [5, 5, 2]


def test_a_client_list_has_its_limits(city: City, grant: Grant, now: datetime) -> None:
    given: dict[str, Any] = {"grant_uid": grant.uid, "actor": city.actor("education_operator"), "now": now}
    with pytest.raises(Conflict):
        load_clients(lines=[], **given)
    Grant.objects.filter(pk=grant.pk).update(row_filter=[{"kind": "own_clients"}])
    days = (date(1900, 1, 1) + timedelta(days=n) for n in range(CLIENTS_AT_MOST // 4 + 1))
    too_many = (generate_citizen_id("990101", day, sequence) for day in days for sequence in (11, 13, 15, 17))
    wrong: list[Iterable[str]] = [[], too_many]
    for lines in wrong:
        with pytest.raises(DomainError):
            load_clients(lines=lines, **given)
    assert not GrantSubject.objects.exists()


@pytest.mark.parametrize(
    ("limits", "term"),
    [
        ({"row_filter": [{"kind": "sql", "text": "true"}]}, "row_filter"),
        ({"row_filter": [{"kind": "list", "item": "secret", "values": ["1"]}]}, "row_filter"),
        ({"row_filter": [{"kind": "list", "item": "sex", "values": []}]}, "row_filter"),
        ({"row_filter": [{"kind": "own_clients"}, {"kind": "own_clients"}]}, "row_filter"),
        ({"control_parameters": {"1x": ["a"]}}, "control_parameters"),
        ({"control_parameters": {"x": []}}, "control_parameters"),
        ({"control_parameters": {"x": ["a", "a"]}}, "control_parameters"),
        ({"matters": ["有空格 的"]}, "matters"),
        ({"ip_list": ["::/0"]}, "ip_list"),
        ({"quota_per_second": 0}, "quota_per_second"),
    ],
)
def test_limits_nobody_could_enforce_are_refused_by_name(limits: dict[str, Any], term: str) -> None:
    assert set(limit_faults(Limits(**limits), {"sex", "name"})) == {term}
