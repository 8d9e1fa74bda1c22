"""Two people ask for the same thing at the same moment: one renewal of a grant, one bundle out of a basket."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import Conflict
from core.roles import Role
from exchange.granting import grants
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import AccessRequest, Attachment, Grant, RequestBundle
from exchange.requests import baskets, renewals
from exchange.requests.access_requests import carry_out
from exchange.requests.attachments import keeping, shelf
from exchange.requests.attachments.keeping import MOST, Upload
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.baskets import Ask
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City
from tests.races.test_decisions import at_once


@pytest.fixture
def town(transactional_db: None) -> City:
    """The city, committed: other connections must see it."""
    return factories.make_city()


@pytest.mark.django_db(transaction=True)
def test_two_renewals_at_once_make_one(town: City, now: datetime) -> None:
    town.people["second"] = factories.make_user("second", town.education, Role.OPERATOR)
    grant = factories.make_grant(
        factories.make_resource(town.police), factories.make_system(town.education), town.people["education_operator"],
        valid_to=now + timedelta(days=20),
    )  # fmt: skip
    actors = [town.actor("education_operator"), town.actor("second")]
    results = at_once(*(lambda a=a: renewals.renew(grant_uid=grant.uid, actor=a, now=now) for a in actors))
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Copied"]
    assert AccessRequest.objects.filter(renews=grant).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_renewal_approved_while_the_grant_is_revoked_does_not_outlive_it(town: City, now: datetime) -> None:
    system, person = factories.make_system(town.education), town.people["education_operator"]
    grant = factories.make_grant(factories.make_resource(town.police), system, person, valid_to=now + timedelta(days=20))
    made = renewals.renew(grant_uid=grant.uid, actor=town.actor("education_operator"), now=now).access_request
    AccessRequest.objects.filter(pk=made.pk).update(state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST")
    town.people["second"] = factories.make_user("second", town.centre, Role.REVIEWER)
    reviewer, second = town.actor("reviewer"), town.actor("second")
    results = at_once(
        lambda: carry_out(request_uid=made.uid, command=Command.APPROVE, actor=reviewer, now=now),
        lambda: grants.change_state(grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="滥用", actor=second, now=now),
    )
    assert isinstance(results[0], AccessRequest | Conflict)
    assert isinstance(results[1], Grant)
    assert {kept.state for kept in Grant.objects.all()} == {"REVOKED"}


@pytest.mark.django_db(transaction=True)
def test_one_basket_submitted_in_two_windows_makes_one_bundle(town: City, now: datetime) -> None:
    resource, system = factories.make_resource(town.police), factories.make_system(town.education)
    clerk = town.actor("education_operator")
    baskets.put_in(resource_uid=resource.uid, actor=clerk, now=now)
    terms = Terms(
        system=str(system.uid), mode="QUERY", fields=("name",), purpose="x", legal_basis="x", scenario="x",
        term_from=now.date(), term_to=now.date() + timedelta(days=9),
    )  # fmt: skip
    ask = [Ask(resource.uid, terms)]
    results = at_once(*[lambda: baskets.submit(asks=ask, actor=clerk, now=now, from_basket=True)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "RequestBundle"]
    assert (RequestBundle.objects.count(), AccessRequest.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_tenth_file_is_taken_once_and_the_other_one_leaves_no_trace(
    town: City, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.UPLOAD_DIR = tmp_path
    made = factories.make_request(
        factories.make_resource(town.police), factories.make_system(town.education), town.people["education_operator"]
    )
    clerk, note = town.actor("education_operator"), Upload("a.txt", b"a")

    def attach(*uploads: Upload) -> int:
        with Shelf() as place:
            return len(keeping.attach(request_uid=made.uid, uploads=uploads, actor=clerk, now=now, on=place))

    attach(*[note] * (MOST - 1))
    results = at_once(lambda: attach(note), lambda: attach(note))
    assert sorted(type(result).__name__ for result in results) == ["Invalid", "int"]
    assert (Attachment.objects.count(), sum(path.is_file() for path in shelf.root().rglob("*"))) == (MOST, MOST)
