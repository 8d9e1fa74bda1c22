"""Two people of one desk claim, or leave roles to each other, at the same moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.errors import Conflict
from core.roles import Role
from exchange.models import AccessRequest, AccessRequestStep, Claim, Delegation, Grant
from exchange.requests.bulk_decisions import open_bulk, work_off
from exchange.requests.claims import claim
from exchange.requests.delegation import give
from tests import factories
from tests.factories import City
from tests.races.test_decisions import at_once, town

__all__ = ["town"]


def cleared(town: City) -> AccessRequest:
    resource, system = factories.make_resource(town.police), factories.make_system(town.education)
    return factories.make_request(
        resource, system, town.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST"
    )


@pytest.mark.django_db(transaction=True)
def test_two_claims_give_exactly_one(town: City, now: datetime) -> None:
    made = cleared(town)
    town.people["second"] = factories.make_user("second", town.centre, Role.REVIEWER)
    actors = [town.actor("reviewer"), town.actor("second")]
    results = at_once(*(lambda a=a: claim(request_uid=made.uid, actor=a, now=now) for a in actors))
    assert sorted(type(r).__name__ for r in results) == ["Claim", "Conflict"]
    assert Claim.objects.filter(released_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_bulk_decisions_over_the_same_row_decide_it_once(town: City, now: datetime) -> None:
    made = cleared(town)
    town.people["second"] = factories.make_user("second", town.centre, Role.REVIEWER)
    actors = [town.actor("reviewer"), town.actor("second")]
    opened = [open_bulk(chosen=[(made.uid, 1)], reason="", token="t", actor=a, now=now) for a in actors]
    at_once(*(lambda b=b, a=a: work_off(bulk=b, actor=a, now=now) for b, a in zip(opened, actors, strict=True)))
    outcomes = sorted(bulk.lines.get().outcome for bulk in opened)
    assert outcomes == ["DECLINED", "DONE"]
    assert (Grant.objects.count(), AccessRequestStep.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_people_cannot_leave_their_roles_to_each_other(town: City, now: datetime) -> None:
    town.people["second"] = factories.make_user("second", town.centre, Role.REVIEWER)
    pairs = [("reviewer", "second"), ("second", "reviewer")]
    actors = {name: town.actor(name) for name in ("reviewer", "second")}
    results = at_once(
        *(
            lambda g=g, d=d: give(
                actor=actors[g],
                delegate_uid=town.people[d].uid,
                roles=frozenset({"REVIEWER"}),
                valid_from=now,
                valid_to=now + timedelta(days=1),
                now=now,
            )
            for g, d in pairs
        )
    )
    assert sum(isinstance(r, Conflict) for r in results) == 1
    assert Delegation.objects.count() == 1
