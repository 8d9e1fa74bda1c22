"""Grants, systems with their credentials, supervision: keeping what was granted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.core.serializers import serialize

from catalog.models import DataItem
from core.crypto import KeyRing, Sealed
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state, commands_for, masks_of, standing_of
from exchange.models import AccessRequest, Credential, Grant
from exchange.querysets import grants_visible_to, systems_visible_to
from exchange.requests import supervision
from exchange.systems import issue_credential, register, revoke_credential
from tests import factories
from tests.factories import City


@pytest.fixture
def grant(city: City) -> Grant:
    resource = factories.make_resource(city.police)
    return factories.make_grant(resource, factories.make_system(city.education), city.people["education_operator"])


def test_suspending_resuming_and_revoking_each_make_a_new_version(city: City, grant: Grant, now: datetime) -> None:
    head, reviewer = city.actor("police_head"), city.actor("reviewer")
    for n, (command, actor) in enumerate(
        [(GrantCommand.SUSPEND, head), (GrantCommand.RESUME, head), (GrantCommand.REVOKE, reviewer)], start=2
    ):
        grant = change_state(grant_uid=grant.uid, command=command, reason="核查", actor=actor, now=now, revision=grant.revision)
        assert grant.version == n
    assert (grant.state, commands_for(grant, reviewer, now)) == ("REVOKED", ())
    assert AuditEntry.objects.filter(action__startswith="grant.").count() == 3
    assert Notification.objects.filter(user=city.people["education_operator"]).count() == 3
    assert Notification.objects.filter(user=city.people["reviewer"]).count() == 2


@pytest.mark.parametrize("who", ["education_operator", "education_head", "police_operator", "auditor"])
def test_others_who_see_a_grant_cannot_change_it(who: str, city: City, grant: Grant, now: datetime) -> None:
    with pytest.raises(Forbidden):
        change_state(grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="核查", actor=city.actor(who), now=now)
    grant.refresh_from_db()
    assert (grant.state, grant.version, AuditEntry.objects.count()) == ("ACTIVE", 1, 0)


@pytest.mark.parametrize("who", ["market_head", "system_admin", "security_admin"])
def test_a_grant_of_others_is_not_found(who: str, city: City, grant: Grant, now: datetime) -> None:
    with pytest.raises(NotFound):
        change_state(grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="核查", actor=city.actor(who), now=now)
    assert not grants_visible_to(city.actor(who)).exists()


def test_a_change_of_a_grant_needs_a_reason_and_the_latest_page(city: City, grant: Grant, now: datetime) -> None:
    actor = city.actor("reviewer")
    with pytest.raises(Invalid):
        change_state(grant_uid=grant.uid, command=GrantCommand.REVOKE, reason=" ", actor=actor, now=now)
    change_state(grant_uid=grant.uid, command=GrantCommand.SUSPEND, reason="核查", actor=actor, now=now)
    with pytest.raises(Conflict):
        change_state(grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="核查", actor=actor, now=now, revision=1)


def test_masks_follow_the_items_and_their_grade() -> None:
    items = [
        DataItem(name="a", grade="L1", mask="NAME"),
        DataItem(name="b", grade="L3", mask="NAME"),
        DataItem(name="c", grade="L3", mask="NONE"),
        DataItem(name="d", grade="L4", mask="NONE"),
        DataItem(name="e", grade="L4", mask="CITIZEN_ID"),
    ]
    assert masks_of(items) == {"b": "NAME", "d": "HIDDEN", "e": "CITIZEN_ID"}


def test_a_grant_outside_its_term_is_shown_as_such(grant: Grant) -> None:
    assert standing_of(grant, grant.valid_from) == "ACTIVE"
    assert standing_of(grant, grant.valid_to) == "EXPIRED"
    assert standing_of(grant, grant.valid_from - timedelta(seconds=1)) == "PENDING"


def test_a_secret_is_given_once_and_kept_sealed(city: City, now: datetime) -> None:
    actor = city.actor("education_operator")
    system = register(name="入学报名系统", actor=actor, now=now)
    issued = issue_credential(system_uid=system.uid, algorithm="HMAC-SM3", actor=actor, now=now)
    row = Credential.objects.get()
    assert issued.secret not in serialize("json", Credential.objects.all()) + serialize("json", AuditEntry.objects.all())
    sealed = Sealed(row.secret_key_id or 0, bytes(row.secret_nonce or b""), bytes(row.secret_ciphertext or b""))
    opened = KeyRing.load(settings.KEY_FILE).open(sealed, f"credential:{row.key}".encode())
    assert (opened.decode(), row.shown_at) == (issued.secret, now)


def test_two_live_keys_are_a_rotation_and_a_third_is_refused(city: City, now: datetime) -> None:
    actor = city.actor("education_operator")
    system = register(name="入学报名系统", actor=actor, now=now)
    first = issue_credential(system_uid=system.uid, algorithm="HMAC-SHA256", actor=actor, now=now).credential
    issue_credential(system_uid=system.uid, algorithm="HMAC-SHA256", actor=actor, now=now)
    with pytest.raises(Conflict):
        issue_credential(system_uid=system.uid, algorithm="HMAC-SHA256", actor=actor, now=now)
    revoke_credential(credential_uid=first.uid, actor=actor, now=now)
    issue_credential(system_uid=system.uid, algorithm="HMAC-SHA256", actor=actor, now=now)
    with pytest.raises(Conflict):
        revoke_credential(credential_uid=first.uid, actor=actor, now=now)


@pytest.mark.parametrize(
    ("who", "error"),
    [("education_head", Forbidden), ("reviewer", Forbidden), ("auditor", Forbidden), ("police_operator", NotFound)],
)
def test_keys_are_issued_to_the_systems_own_operator_only(who: str, error: type[DomainError], city: City, now: datetime) -> None:
    system = factories.make_system(city.education)
    with pytest.raises(error):
        issue_credential(system_uid=system.uid, algorithm="HMAC-SHA256", actor=city.actor(who), now=now)
    assert not Credential.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "a\nb"])
def test_a_systems_name_is_checked(name: str, city: City, now: datetime) -> None:
    with pytest.raises(Invalid):
        register(name=name, actor=city.actor("education_operator"), now=now)


def test_a_systems_name_is_used_once_a_department(city: City, now: datetime) -> None:
    register(name="系统", actor=city.actor("education_operator"), now=now)
    register(name="系统", actor=city.actor("market_operator"), now=now)
    with pytest.raises(Conflict):
        register(name="系统", actor=city.actor("education_operator"), now=now)
    assert systems_visible_to(city.actor("education_head")).count() == 1
    assert systems_visible_to(city.actor("reviewer")).count() == 2
    assert not systems_visible_to(city.actor("police_operator")).exists()


def test_a_desk_is_reminded_once_before_and_once_after_its_deadline(city: City, now: datetime) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    waiting = factories.make_request(
        resource, system, city.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", due_at=now + timedelta(hours=20)
    )
    assert [supervision.remind_overdue(now) for _ in range(2)] == [1, 0]
    later = now + timedelta(hours=21)
    assert not supervision.overdue_requests(city.actor("reviewer"), now).exists()
    assert [supervision.remind_overdue(later) for _ in range(2)] == [1, 0]
    assert list(supervision.overdue_requests(city.actor("reviewer"), later)) == [waiting]
    assert not supervision.overdue_requests(city.actor("police_head"), later).exists()
    assert Notification.objects.filter(user=city.people["reviewer"]).count() == 2
    AccessRequest.objects.update(state="APPROVED", desk="NOBODY", decided_at=later, reminder="")
    assert supervision.remind_overdue(later) == 0
