"""Delegation while away: who may leave what to whom, what the colleague may do with it, and that four eyes hold across it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification, RoleAssignment
from core.roles import Role
from exchange.granting import grants
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import AccessRequest, AccessRequestStep, Delegation, Grant
from exchange.querysets import access_requests_awaiting, access_requests_visible_to, grants_visible_to
from exchange.requests import extensions, remarks, supervision
from exchange.requests.access_requests import carry_out, commands_for
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.delegation import give, revoke, with_delegations
from exchange.requests.remark_reading import remarks_visible_to
from exchange.requests.workflow import Command
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


@pytest.fixture
def on_the_providers_desk(city: City, waiting: AccessRequest, now: datetime) -> AccessRequest:
    return carry_out(request_uid=waiting.uid, command=Command.ENDORSE, actor=city.actor("education_head"), now=now)


def test_a_stand_in_asks_for_more_time_and_consents_under_both_names(
    city: City, on_the_providers_desk: AccessRequest, now: datetime
) -> None:
    uid = on_the_providers_desk.uid
    leave(city, "police_operator", "police_head", now, "OPERATOR")
    asked = extensions.ask(request_uid=uid, days=3, reason="须征求省厅意见", actor=acting(city, "police_head", now), now=now)
    assert (asked.asked_by_name, asked.asked_for) == ("police_head 代 police_operator", city.people["police_operator"])
    add(city, "clerk", "centre", Role.OPERATOR)
    leave(city, "reviewer", "clerk", now, "REVIEWER")
    with pytest.raises(NotFound):
        extensions.decide(extension_uid=asked.uid, consent=True, reason="", actor=city.actor("clerk"), now=now)
    done = extensions.decide(extension_uid=asked.uid, consent=True, reason="", actor=acting(city, "clerk", now), now=now)
    assert (done.state, done.decided_by_name) == ("CONSENTED", "clerk 代 reviewer")
    entries = {entry.action: entry for entry in AuditEntry.objects.filter(action__startswith="extension.")}
    assert entries["extension.asked"].actor_name == "police_head 代 police_operator"
    assert entries["extension.consented"].detail["on_behalf_of"] == city.people["reviewer"].pk


def test_who_is_away_does_not_consent_to_what_was_asked_in_his_place(city: City, waiting: AccessRequest, now: datetime) -> None:
    AccessRequest.objects.filter(pk=waiting.pk).update(state="CLEARED", desk="DATA_CENTRE", answer_due_at=now + 9 * DAY)
    add(city, "clerk", "centre", Role.OPERATOR)
    add(city, "second", "centre", Role.REVIEWER)
    leave(city, "reviewer", "clerk", now, "REVIEWER")
    who = acting(city, "clerk", now)
    asked = extensions.ask(request_uid=waiting.uid, days=3, reason="须核对", actor=who, now=now)
    for same_eyes in (who, city.actor("reviewer")):
        with pytest.raises(Forbidden) as refused:
            extensions.decide(extension_uid=asked.uid, consent=True, reason="", actor=same_eyes, now=now)
        assert refused.value.code == "extension.four_eyes"
        assert not extensions.may_decide(asked, same_eyes)
    assert extensions.may_decide(asked, city.actor("second"))


def test_a_stand_in_replies_to_supervision_and_remarks_under_both_names(
    city: City, on_the_providers_desk: AccessRequest, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.UPLOAD_DIR = tmp_path
    AccessRequest.objects.filter(pk=on_the_providers_desk.pk).update(due_at=now)
    uid, centre = on_the_providers_desk.uid, city.actor("reviewer")
    notice = supervision.issue_notice(request_uid=uid, text="请说明", actor=centre, now=now)
    with pytest.raises(Forbidden):
        supervision.reply(notice_uid=notice.uid, text="明日办结", actor=city.actor("police_head"), now=now)
    leave(city, "police_operator", "police_head", now, "OPERATOR")
    who = acting(city, "police_head", now)
    assert supervision.may_reply(notice, who)
    replied = supervision.reply(notice_uid=notice.uid, text="明日办结", actor=who, now=now)
    assert replied.replied_by_name == "police_head 代 police_operator"
    entry = AuditEntry.objects.get(action="supervision.replied")
    assert entry.detail["on_behalf_of"] == city.people["police_operator"].pk

    add(city, "clerk", "centre", Role.OPERATOR)
    leave(city, "reviewer", "clerk", now, "REVIEWER")
    who = acting(city, "clerk", now)
    with Shelf() as shelf:
        made = remarks.add(request_uid=uid, text="请核对用途", is_private=True, actor=who, now=now, on=shelf)
    assert made.author_name == "clerk 代 reviewer"
    assert list(remarks_visible_to(who)) == [made]
    assert not remarks_visible_to(city.actor("clerk")).exists()
