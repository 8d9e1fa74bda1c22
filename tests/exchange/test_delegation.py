"""Delegation while away: who may leave what to whom, what the colleague may do with it, and that four eyes hold across it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification, RoleAssignment
from core.roles import Role
from exchange import grants
from exchange.access_requests import carry_out, commands_for
from exchange.delegation import give, revoke, with_delegations
from exchange.grant_workflow import GrantCommand
from exchange.models import AccessRequest, AccessRequestStep, Delegation, Grant
from exchange.querysets import access_requests_awaiting, access_requests_visible_to, grants_visible_to
from exchange.workflow import Command
from tests import factories
from tests.factories import City

DAY = timedelta(days=1)


@pytest.fixture
def waiting(city: City) -> AccessRequest:
    """A request of education that waits for its own head; police provides."""
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    return factories.make_request(
        resource, system, city.people["education_operator"], state="SUBMITTED", desk="REQUESTER_HEAD", route="PROVIDER_FIRST"
    )


def add(city: City, name: str, department: str, *roles: Role) -> None:
    city.people[name] = factories.make_user(name, getattr(city, department), *roles)


def leave(city: City, giver: str, delegate: str, now: datetime, *roles: str, days: int = 5) -> list[Delegation]:
    return give(
        actor=city.actor(giver),
        delegate_uid=city.people[delegate].uid,
        roles=frozenset(roles),
        valid_from=now,
        valid_to=now + days * DAY,
        now=now,
    )


def acting(city: City, name: str, at: datetime) -> Actor:
    return with_delegations(city.actor(name), now=at)


def test_the_colleague_decides_and_step_and_audit_name_both(city: City, waiting: AccessRequest, now: datetime) -> None:
    add(city, "colleague", "education", Role.OPERATOR)
    leave(city, "education_head", "colleague", now, "HEAD")
    who = acting(city, "colleague", now)
    assert list(access_requests_awaiting(who)) == [waiting]
    assert Command.ENDORSE in commands_for(waiting, who)
    carry_out(request_uid=waiting.uid, command=Command.ENDORSE, actor=who, now=now, revision=waiting.revision)
    step = AccessRequestStep.objects.get()
    assert (step.actor_name, step.actor, step.on_behalf_of) == (
        "colleague 代 education_head",
        city.people["colleague"],
        city.people["education_head"],
    )
    entry = AuditEntry.objects.get(action="access_request.endorsed")
    assert entry.actor_name == "colleague 代 education_head"
    assert entry.detail["on_behalf_of"] == city.people["education_head"].pk
    assert Notification.objects.filter(user=city.people["colleague"]).count() == 1


def test_before_and_after_its_time_and_when_revoked_it_counts_for_nothing(
    city: City, waiting: AccessRequest, now: datetime
) -> None:
    add(city, "colleague", "education", Role.OPERATOR)
    made = leave(city, "education_head", "colleague", now, "HEAD")[0]
    assert acting(city, "colleague", now - DAY).stands_in_for == ()
    assert acting(city, "colleague", now + 5 * DAY).stands_in_for == ()
    revoke(actor=city.actor("education_head"), uid=made.uid, now=now)
    who = acting(city, "colleague", now)
    assert who.stands_in_for == ()
    with pytest.raises(Forbidden):
        carry_out(request_uid=waiting.uid, command=Command.ENDORSE, actor=who, now=now)
    with pytest.raises(Conflict):
        revoke(actor=city.actor("education_head"), uid=made.uid, now=now)


@pytest.mark.parametrize("loss", ["role", "department", "account", "administrator", "contractor"])
def test_it_ends_with_what_it_rests_on(city: City, now: datetime, loss: str) -> None:
    add(city, "colleague", "education", Role.OPERATOR)
    leave(city, "education_head", "colleague", now, "HEAD")
    giver, delegate = city.people["education_head"], city.people["colleague"]
    if loss == "role":
        giver.role_assignments.all().delete()
    elif loss == "department":
        giver.department = city.market
        giver.save()
    elif loss == "account":
        giver.is_active = False
        giver.save()
    elif loss == "administrator":
        delegate.role_assignments.all().delete()
        RoleAssignment.objects.create(user=delegate, role=Role.AUDIT_ADMINISTRATOR)
    else:
        delegate.is_contractor = True
        delegate.save()
    assert acting(city, "colleague", now).stands_in_for == ()


def test_four_eyes_hold_across_a_delegation(city: City, waiting: AccessRequest, now: datetime) -> None:
    leave(city, "education_head", "education_operator", now, "HEAD")
    with pytest.raises(Forbidden) as own_draft:
        carry_out(request_uid=waiting.uid, command=Command.ENDORSE, actor=acting(city, "education_operator", now), now=now)
    assert own_draft.value.code == "access_request.four_eyes"

    add(city, "second_head", "police", Role.HEAD, Role.OPERATOR)
    RoleAssignment.objects.create(user=city.people["police_head"], role=Role.OPERATOR)
    leave(city, "police_head", "second_head", now, "OPERATOR")
    leave(city, "police_operator", "second_head", now, "OPERATOR")
    carry_out(request_uid=waiting.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)
    RoleAssignment.objects.filter(user=city.people["second_head"], role=Role.OPERATOR).delete()
    carry_out(request_uid=waiting.uid, command=Command.CHECK, actor=acting(city, "second_head", now), now=now, reason="可以")
    checked = AccessRequestStep.objects.get(command=Command.CHECK)
    assert checked.on_behalf_of == city.people["police_head"]
    for name in ("second_head", "police_head"):
        with pytest.raises(Forbidden) as refused:
            carry_out(request_uid=waiting.uid, command=Command.CLEAR, actor=acting(city, name, now), now=now)
        assert refused.value.code == "access_request.four_eyes"
    waiting.refresh_from_db()
    assert waiting.state == "CHECKED"


def test_who_submits_for_a_colleague_does_not_agree_to_it_himself(city: City, waiting: AccessRequest, now: datetime) -> None:
    AccessRequest.objects.filter(pk=waiting.pk).update(state="DRAFTED", desk="REQUESTER_OPERATOR", route="")
    leave(city, "education_operator", "education_head", now, "OPERATOR")
    who = acting(city, "education_head", now)
    carry_out(request_uid=waiting.uid, command=Command.SUBMIT, actor=who, now=now)
    assert AccessRequestStep.objects.get().on_behalf_of == city.people["education_operator"]
    with pytest.raises(Forbidden) as refused:
        carry_out(request_uid=waiting.uid, command=Command.ENDORSE, actor=who, now=now)
    assert refused.value.code == "access_request.four_eyes"


def test_a_delegation_opens_nothing_but_the_desks_of_requests(city: City, now: datetime) -> None:
    add(city, "clerk", "centre", Role.OPERATOR)
    leave(city, "reviewer", "clerk", now, "REVIEWER")
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    grant = factories.make_grant(resource, system, city.people["education_operator"])
    who = acting(city, "clerk", now)
    assert not who.has(Role.REVIEWER)
    assert access_requests_visible_to(who).filter(pk=grant.access_request_id).exists()
    assert not grants_visible_to(who).exists()
    with pytest.raises(NotFound):
        grants.change_state(grant_uid=grant.uid, command=GrantCommand.SUSPEND, actor=who, now=now, reason="核查")
    assert Grant.objects.get().state == "ACTIVE"


@pytest.mark.parametrize(
    ("giver", "delegate", "role", "days_and_code"),
    [
        ("education_head", "police_head", "HEAD", (5, "delegation.colleague")),
        ("education_head", "education_head", "HEAD", (5, "delegation.colleague")),
        ("reviewer", "auditor", "REVIEWER", (5, "delegation.colleague")),
        ("education_head", "education_operator", "OPERATOR", (5, "delegation.role")),
        ("education_head", "education_operator", "AUDIT_ADMINISTRATOR", (5, "delegation.role")),
        ("auditor", "reviewer", "AUDIT_ADMINISTRATOR", (5, "delegation.no_role")),
        ("education_head", "education_operator", "HEAD", (91, "delegation.period")),
        ("education_head", "education_operator", "HEAD", (0, "delegation.period")),
        ("education_head", "temp", "HEAD", (5, "delegation.contractor")),
    ],
)
def test_what_may_not_be_left_to_whom(city: City, giver: str, delegate: str, role: str, days_and_code: tuple[int, str]) -> None:
    now = datetime.now().astimezone()
    add(city, "temp", "education", Role.OPERATOR)
    city.people["temp"].is_contractor = True
    city.people["temp"].save()
    with pytest.raises(DomainError) as refused:
        leave(city, giver, delegate, now, role, days=days_and_code[0])
    assert refused.value.code == days_and_code[1]
    assert not Delegation.objects.exists()


def test_nothing_is_handed_on_and_nothing_left_twice(city: City, now: datetime) -> None:
    add(city, "colleague", "education", Role.OPERATOR, Role.HEAD)
    add(city, "third", "education", Role.OPERATOR)
    leave(city, "education_head", "colleague", now, "HEAD")
    for giver, delegate, code in [
        ("colleague", "third", "delegation.chain"),
        ("education_head", "third", "delegation.overlap"),
    ]:
        with pytest.raises(Conflict) as refused:
            leave(city, giver, delegate, now, "HEAD")
        assert refused.value.code == code
    with pytest.raises(Conflict) as away:
        leave(city, "third", "education_head", now, "OPERATOR")
    assert away.value.code == "delegation.chain"
    assert Delegation.objects.count() == 1
    row = Delegation.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Delegation.objects.create(
            giver=row.giver, delegate=city.people["third"], department=row.department, role="HEAD",
            valid_from=row.valid_from + DAY, valid_to=row.valid_to + DAY, created_at=now,
        )  # fmt: skip


def test_outsiders_neither_see_nor_revoke(city: City, now: datetime) -> None:
    made = leave(city, "education_head", "education_operator", now, "HEAD")[0]
    for name in ("police_head", "reviewer"):
        with pytest.raises(NotFound):
            revoke(actor=city.actor(name), uid=made.uid, now=now)
    with pytest.raises(Forbidden):
        revoke(actor=city.actor("auditor"), uid=made.uid, now=now)
    made.refresh_from_db()
    assert made.revoked_at is None


def test_a_colleague_of_another_role_is_refused_by_name(city: City, now: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        leave(city, "education_head", "market_head", now, "HEAD")
    assert "本部门" in str(refused.value.message)
