"""Access requests: drafting, submitting, moving from desk to desk, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from catalog.models import Resource
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from exchange.models import AccessRequest, AccessRequestStep, ConsumerSystem, Desk, Grant, MaterialReturn, RequestState, Route
from exchange.querysets import access_requests_awaiting, access_requests_visible_to
from exchange.requests import access_requests
from exchange.requests.access_requests import carry_out, commands_for, draft, edit
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import DESK_OF, Command, Seat, State
from tests import factories
from tests.factories import City

WHO = {
    Seat.REQUESTER_OPERATOR: "education_operator",
    Seat.REQUESTER_HEAD: "education_head",
    Seat.PROVIDER_OPERATOR: "police_operator",
    Seat.PROVIDER_HEAD: "police_head",
    Seat.DATA_CENTRE: "reviewer",
}


@pytest.fixture
def resource(city: City) -> Resource:
    return factories.make_resource(city.police)


@pytest.fixture
def system(city: City) -> ConsumerSystem:
    return factories.make_system(city.education)


@pytest.fixture
def terms(system: ConsumerSystem, now: datetime) -> Terms:
    return Terms(
        system=str(system.uid),
        mode="QUERY",
        fields=("name", "sex"),
        purpose="入学资格核验",
        legal_basis="《义务教育法》第九条",
        scenario="小学入学报名",
        term_from=now.date(),
        term_to=now.date() + timedelta(days=365),
    )


def counts() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (AccessRequest, AccessRequestStep, Grant, AuditEntry, Notification, MaterialReturn)
    )


def test_the_whole_way_over_the_provider_ends_in_a_grant(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    assert (made.state, made.desk, made.route) == (State.SUBMITTED, Seat.REQUESTER_HEAD, Route.PROVIDER_FIRST)
    for command in (Command.ENDORSE, Command.CHECK, Command.CLEAR, Command.APPROVE):
        who = city.actor(WHO[DESK_OF[State(made.state)]])
        assert made in access_requests_awaiting(who)
        made = carry_out(request_uid=made.uid, command=command, actor=who, now=now, revision=made.revision)
        assert made not in access_requests_awaiting(who)
    grant = Grant.objects.get(access_request=made)
    assert (made.state, made.desk, made.due_at) == ("APPROVED", "NOBODY", None)
    assert (grant.fields, grant.masks, grant.purpose, grant.quota_per_day) == (
        ["name", "sex"],
        {"name": "NAME"},
        terms.purpose,
        1000,
    )
    assert grant.valid_from == now
    assert grant.valid_to.astimezone(now.tzinfo).isoformat() == f"{terms.term_to + timedelta(days=1)}T00:00:00+08:00"
    assert [s.command for s in made.steps.all()] == ["SUBMIT", "ENDORSE", "CHECK", "CLEAR", "APPROVE"]
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {f"access_request.{e}" for e in ("drafted", "submitted", "endorsed", "checked", "cleared", "approved")} <= actions
    assert "grant.issued" in actions


def test_a_base_database_resource_goes_from_the_head_to_the_data_centre(city: City, terms: Terms, now: datetime) -> None:
    resource = factories.make_resource(city.police, base_database="POPULATION")
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    made = carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    assert (made.route, made.state, made.desk) == (Route.DATA_CENTRE_ALONE, State.CLEARED, Desk.DATA_CENTRE)
    assert not access_requests_visible_to(city.actor("police_head")).exists()
    carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert access_requests_visible_to(city.actor("police_head")).exists()


def test_the_one_who_has_the_ball_is_told(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    told = Notification.objects.get()
    assert (told.user, told.path) == (city.people["education_head"], f"/requests/{made.uid}/")
    carry_out(request_uid=made.uid, command=Command.REFUSE, actor=city.actor("education_head"), now=now, reason="目的不明确")
    assert Notification.objects.filter(user=city.people["education_operator"], body="目的不明确").count() == 1


def test_a_refusal_needs_a_reason(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    before = counts()
    for reason in ("", "   ", "x" * 501, "a\x00b"):
        with pytest.raises(Invalid):
            carry_out(request_uid=made.uid, command=Command.REFUSE, actor=city.actor("education_head"), now=now, reason=reason)
    assert counts() == before


@pytest.mark.parametrize("state", State)
def test_every_command_not_allowed_leaves_the_database_as_it_was(
    state: State, city: City, resource: Resource, system: ConsumerSystem, now: datetime
) -> None:
    made = factories.make_request(
        resource, system, city.people["education_operator"], state=state, desk=DESK_OF[state], route="PROVIDER_FIRST",
        refusal_reason="不符合" if state is State.REFUSED else "", returned_from="CHECKED" if state is State.RETURNED else "",
    )  # fmt: skip
    if state not in (State.DRAFTED, State.SUBMITTED):
        factories_step(made, city)
    before = (AccessRequest.objects.values().get(), counts())
    people = [*city.people]
    for command, name in product(Command, people):
        actor = city.actor(name)
        seen = access_requests_visible_to(actor).filter(pk=made.pk).first()
        if command is Command.EDIT or (seen is not None and command in commands_for(seen, actor)):
            continue
        with pytest.raises(DomainError) as refusal:
            carry_out(request_uid=made.uid, command=command, actor=actor, now=now, reason="理由")
        assert isinstance(refusal.value, Forbidden | Conflict if seen is not None else NotFound), (command, name)
    assert (AccessRequest.objects.values().get(), counts()) == before


def factories_step(made: AccessRequest, city: City) -> None:
    AccessRequestStep.objects.create(
        access_request=made, at=made.created_at, command="ENDORSE", from_state="SUBMITTED", to_state="ENDORSED",
        actor=city.people["education_head"], actor_name="x", actor_department="x", desk="REQUESTER_HEAD",
    )  # fmt: skip


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"fields": ()}, "fields"),
    ({"fields": ("name", "name")}, "fields"),
    ({"fields": ("salary",)}, "fields"),
    ({"fields": ("address",)}, "fields"),
    ({"mode": "SUBSCRIBE"}, "mode"),
    ({"mode": "BULK", "fields": ("citizen_id",)}, "fields"),
    ({"purpose": ""}, "purpose"),
    ({"purpose": "字" * 201}, "purpose"),
    ({"purpose": "a\nb"}, "purpose"),
    ({"scenario": "a\x07b"}, "scenario"),
    ({"legal_basis": "a\u202eb"}, "legal_basis"),
    ({"scope": "字" * 501}, "scope"),
    ({"term_from": date(2026, 5, 2), "term_to": date(2026, 5, 1)}, "term_to"),
    ({"term_from": date(2026, 5, 2), "term_to": date(2029, 5, 3)}, "term_to"),
    ({"term_from": date(2020, 5, 2), "term_to": date(2020, 6, 3)}, "term_to"),
    ({"region_prefix": "999999"}, "region_prefix"),
    ({"quota_per_day": 0}, "quota_per_day"),
    ({"quota_per_day": 10**9}, "quota_per_day"),
    ({"system": "not-a-uid"}, "system"),
    ({"system": str(uuid4())}, "system"),
]


@pytest.mark.parametrize(("change", "field"), WRONG, ids=lambda v: str(v)[:40])
def test_wrong_terms_are_named_and_nothing_is_written(
    *, change: dict[str, Any], field: str, city: City, resource: Resource, terms: Terms, now: datetime
) -> None:
    resource.items.filter(name="address").update(is_withheld=True)
    resource.items.filter(name="citizen_id").update(grade="L4")
    before = counts()
    with pytest.raises(Invalid) as refusal:
        draft(resource_uid=resource.uid, terms=replace(terms, **change), actor=city.actor("education_operator"), now=now)
    assert set(refusal.value.details) == {field}
    assert counts() == before


def test_all_faults_are_told_at_once(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    wrong = replace(terms, purpose="", legal_basis="", fields=(), mode="", system="")
    with pytest.raises(Invalid) as refusal:
        draft(resource_uid=resource.uid, terms=wrong, actor=city.actor("education_operator"), now=now)
    assert set(refusal.value.details) == {"purpose", "legal_basis", "fields", "mode", "system"}


def test_another_departments_system_cannot_be_used(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    foreign = factories.make_system(city.market)
    with pytest.raises(Invalid):
        draft(
            resource_uid=resource.uid,
            terms=replace(terms, system=str(foreign.uid)),
            actor=city.actor("education_operator"),
            now=now,
        )


def test_what_is_withheld_or_unpublished_cannot_be_requested(city: City, terms: Terms, now: datetime) -> None:
    withheld = factories.make_resource(city.police, share_attribute="WITHHELD", withheld_basis="《保密法》")
    unpublished = factories.make_resource(city.police, published=False)
    with pytest.raises(Conflict):
        draft(resource_uid=withheld.uid, terms=terms, actor=city.actor("education_operator"), now=now)
    with pytest.raises(NotFound):
        draft(resource_uid=unpublished.uid, terms=terms, actor=city.actor("education_operator"), now=now)
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("who", ["education_head", "reviewer", "auditor", "system_admin"])
def test_only_an_operator_drafts(who: str, city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    with pytest.raises(Forbidden):
        draft(resource_uid=resource.uid, terms=terms, actor=city.actor(who), now=now)


def test_a_draft_is_edited_and_a_stale_page_is_told_what_differs(
    city: City, resource: Resource, terms: Terms, now: datetime
) -> None:
    actor = city.actor("education_operator")
    made = draft(resource_uid=resource.uid, terms=terms, actor=actor, now=now)
    edit(request_uid=made.uid, revision=made.revision, terms=replace(terms, purpose="新的目的"), actor=actor, now=now)
    with pytest.raises(Conflict) as refusal:
        edit(request_uid=made.uid, revision=made.revision, terms=terms, actor=actor, now=now)
    assert (refusal.value.code, refusal.value.details["changed"]) == ("revision.stale", {"purpose": "新的目的"})
    assert AccessRequest.objects.get().purpose == "新的目的"


def test_a_stale_decision_is_told_what_happened(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    carry_out(request_uid=made.uid, command=Command.WITHDRAW, actor=city.actor("education_operator"), now=now)
    with pytest.raises(Conflict) as refusal:
        carry_out(
            request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now, revision=made.revision
        )
    assert refusal.value.details["last_command"] == "WITHDRAW"


def test_nobody_endorses_an_own_request(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    city.people["education_operator"].role_assignments.create(role="HEAD")
    actor = city.actor("education_operator")
    made = draft(resource_uid=resource.uid, terms=terms, actor=actor, now=now, submit=True)
    with pytest.raises(Forbidden):
        carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=actor, now=now)
    assert made not in access_requests_awaiting(actor)


def test_an_item_that_was_withheld_meanwhile_is_not_granted(city: City, terms: Terms, now: datetime) -> None:
    resource = factories.make_resource(city.police, base_database="POPULATION")
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    resource.items.filter(name="sex").update(is_withheld=True)
    with pytest.raises(Conflict) as refusal:
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert refusal.value.details["fields"] == ["sex"]
    assert not Grant.objects.exists()


def test_numbers_count_up_within_a_day(city: City, resource: Resource, terms: Terms) -> None:
    actor = city.actor("education_operator")
    day = datetime.fromisoformat("2026-11-22T23:00:00+08:00")
    terms = replace(terms, term_from=day.date(), term_to=day.date())
    numbers = [draft(resource_uid=resource.uid, terms=terms, actor=actor, now=at).number for at in (day, day)]
    AccessRequest.objects.filter(number="SQ20261122-0002").update(number="SQ20261122-10000")
    numbers.append(draft(resource_uid=resource.uid, terms=terms, actor=actor, now=day).number)
    assert numbers == ["SQ20261122-0001", "SQ20261122-0002", "SQ20261122-10001"]


@pytest.mark.parametrize(
    ("state", "seers"),
    [
        ("DRAFTED", {"education_operator", "education_head"}),
        ("SUBMITTED", {"education_operator", "education_head", "reviewer", "auditor"}),
        ("ENDORSED", {"education_operator", "education_head", "reviewer", "auditor", "police_operator", "police_head"}),
    ],
)
def test_a_request_is_seen_by_its_own_sides_only(
    *, state: RequestState, seers: set[str], city: City, resource: Resource, terms: Terms, now: datetime
) -> None:
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=state != "DRAFTED")
    if state == "ENDORSED":
        carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    assert {name for name in city.people if access_requests_visible_to(city.actor(name)).exists()} == seers


def test_every_command_has_its_audit_word() -> None:
    assert set(access_requests.EVENTS) == set(Command) - {Command.EDIT}


def test_a_request_that_passed_the_provider_by_is_not_granted_once_the_provider_must_review(
    city: City, terms: Terms, now: datetime
) -> None:
    resource = factories.make_resource(city.police, share_attribute="UNCONDITIONAL")
    made = draft(resource_uid=resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    made = carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    assert made.desk == Desk.DATA_CENTRE
    Resource.objects.filter(pk=resource.pk).update(share_attribute="CONDITIONAL", share_conditions="仅限核验")
    with pytest.raises(Conflict) as refusal:
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert refusal.value.code == "access_request.resource_changed"
    assert not Grant.objects.exists()


def test_a_bulk_request_is_not_granted_once_an_item_is_highly_sensitive(city: City, terms: Terms, now: datetime) -> None:
    resource = factories.make_resource(city.police, base_database="POPULATION")
    Resource.objects.filter(pk=resource.pk).update(sharing_modes=["QUERY", "BULK"])
    asked = replace(terms, mode="BULK")
    made = draft(resource_uid=resource.uid, terms=asked, actor=city.actor("education_operator"), now=now, submit=True)
    carry_out(request_uid=made.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    resource.items.filter(name="name").update(grade="L4")
    with pytest.raises(Conflict):
        carry_out(request_uid=made.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    assert not Grant.objects.exists()


def test_a_draft_may_begin_in_the_past_but_is_not_submitted_so(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    past = replace(terms, term_from=now.date() - timedelta(days=1))
    who = city.actor("education_operator")
    made = draft(resource_uid=resource.uid, terms=past, actor=who, now=now)
    with pytest.raises(Invalid):
        carry_out(request_uid=made.uid, command=Command.SUBMIT, actor=who, now=now)
    with pytest.raises(Invalid) as refusal:
        edit(request_uid=made.uid, revision=made.revision, terms=past, actor=who, now=now, submit=True)
    assert set(refusal.value.details) == {"term_from"}
    edit(request_uid=made.uid, revision=made.revision, terms=terms, actor=who, now=now, submit=True)


def test_a_text_in_which_nothing_is_to_be_seen_is_empty(city: City, resource: Resource, terms: Terms, now: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        draft(
            resource_uid=resource.uid,
            terms=replace(terms, scenario="\u200b\ufeff"),
            actor=city.actor("education_operator"),
            now=now,
        )
    assert set(refusal.value.details) == {"scenario"}
