"""Policy: a grant is renewed before it ends, without a gap and without two quotas at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.calendar import SHANGHAI
from exchange.granting import grants
from exchange.models import Grant
from exchange.requests import renewals
from exchange.requests.access_requests import carry_out
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


def renewed(city: City, grant: Grant, now: datetime, decided: datetime) -> Grant:
    made = renewals.renew(grant_uid=grant.uid, actor=city.actor("education_operator"), now=now).access_request
    for command, who in (
        (Command.SUBMIT, "education_operator"), (Command.ENDORSE, "education_head"), (Command.APPROVE, "reviewer"),
    ):  # fmt: skip
        at = decided if command is Command.APPROVE else now
        carry_out(request_uid=made.uid, command=command, actor=city.actor(who), now=at)
    return Grant.objects.get(access_request=made)


def test_a_grant_is_renewed_without_a_gap(city: City, now: datetime) -> None:
    resource = factories.make_resource(city.police, base_database="POPULATION")
    system, person = factories.make_system(city.education), city.people["education_operator"]
    end = datetime.combine(now.astimezone(SHANGHAI).date() + timedelta(days=20), datetime.min.time(), SHANGHAI)

    first = factories.make_grant(resource, system, person, valid_to=end)
    second = renewed(city, first, now, now)
    first.refresh_from_db()
    assert (second.valid_from, first.renewed_by) == (first.valid_to, second)
    assert [grants.standing_of(grant, now) for grant in (first, second)] == ["ACTIVE", "PENDING"]
    at_the_turn = [first.valid_to - timedelta(microseconds=1), first.valid_to]
    assert [[grants.standing_of(g, at) for g in (first, second)].count("ACTIVE") for at in at_the_turn] == [1, 1]

    late = factories.make_grant(resource, system, person, valid_to=end)
    after = end + timedelta(hours=5)
    assert renewed(city, late, now, after).valid_from == after
