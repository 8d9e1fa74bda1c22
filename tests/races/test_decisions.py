"""Two people decide at the same moment, on two connections with real transactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from core.errors import Conflict
from core.ids import uuid7
from core.models import AuditEntry, Notification
from core.roles import Role
from core.submissions import digest_of, once
from exchange.models import AccessRequest, AccessRequestStep, Grant, MaterialReturn
from exchange.requests.access_requests import carry_out, draft
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs on one connection each, started together; return their results or errors in order."""
    barrier, results = Barrier(len(jobs)), [None] * len(jobs)

    def run(place: int, job: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            results[place] = job()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.fixture
def town(transactional_db: None) -> City:
    """The city, committed: other connections must see it."""
    return factories.make_city()


@pytest.mark.django_db(transaction=True)
def test_two_approvals_give_exactly_one_grant(town: City, now: datetime) -> None:
    resource, system = factories.make_resource(town.police), factories.make_system(town.education)
    made = factories.make_request(
        resource, system, town.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST"
    )
    town.people["second"] = factories.make_user("second", town.centre, Role.REVIEWER)
    actors = [town.actor("reviewer"), town.actor("second")]
    results = at_once(
        *(lambda a=a: carry_out(request_uid=made.uid, command=Command.APPROVE, actor=a, now=now, revision=1) for a in actors)
    )
    assert sorted(type(r).__name__ for r in results) == ["AccessRequest", "Conflict"]
    assert (Grant.objects.count(), AccessRequestStep.objects.count()) == (1, 1)
    assert AuditEntry.objects.filter(action="grant.issued").count() == 1
    assert Notification.objects.filter(user=town.people["education_operator"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_approval_and_withdrawal_do_not_both_win(town: City, now: datetime) -> None:
    resource, system = factories.make_resource(town.police), factories.make_system(town.education)
    made = factories.make_request(
        resource, system, town.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST"
    )
    reviewer, operator = town.actor("reviewer"), town.actor("education_operator")
    results = at_once(
        lambda: carry_out(request_uid=made.uid, command=Command.APPROVE, actor=reviewer, now=now),
        lambda: carry_out(request_uid=made.uid, command=Command.WITHDRAW, actor=operator, now=now),
    )
    made.refresh_from_db()
    assert sum(isinstance(r, Conflict) for r in results) == 1
    assert Grant.objects.count() == (made.state == "APPROVED")


@pytest.mark.django_db(transaction=True)
def test_a_return_and_an_approval_do_not_both_win(town: City, now: datetime) -> None:
    resource, system = factories.make_resource(town.police), factories.make_system(town.education)
    made = factories.make_request(
        resource, system, town.people["education_operator"], state="CLEARED", desk="DATA_CENTRE", route="PROVIDER_FIRST"
    )
    town.people["second"] = factories.make_user("second", town.centre, Role.REVIEWER)
    first, second = town.actor("reviewer"), town.actor("second")
    results = at_once(
        lambda: carry_out(request_uid=made.uid, command=Command.APPROVE, actor=first, now=now),
        lambda: carry_out(request_uid=made.uid, command=Command.RETURN, actor=second, now=now, reason="缺依据"),
    )
    made.refresh_from_db()
    assert sum(isinstance(r, Conflict) for r in results) == 1
    assert (Grant.objects.count(), MaterialReturn.objects.count()) == ((1, 0) if made.state == "APPROVED" else (0, 1))
    assert AccessRequestStep.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_give_exactly_one_grant(town: City, now: datetime) -> None:
    resource, system = factories.make_resource(town.police, grade="L4"), factories.make_system(town.education)
    made = factories.make_request(
        resource, system, town.people["education_operator"], mode="VERIFY", state="CLEARED", desk="DATA_CENTRE",
        route="PROVIDER_FIRST",
    )  # fmt: skip
    carry_out(request_uid=made.uid, command=Command.APPROVE, actor=town.actor("reviewer"), now=now)
    for name in ("second", "third"):
        town.people[name] = factories.make_user(name, town.centre, Role.REVIEWER)
    actors = [town.actor("second"), town.actor("third")]
    results = at_once(*(lambda a=a: carry_out(request_uid=made.uid, command=Command.CONFIRM, actor=a, now=now) for a in actors))
    assert sorted(type(r).__name__ for r in results) == ["AccessRequest", "Conflict"]
    assert (Grant.objects.count(), AccessRequestStep.objects.filter(command="CONFIRM").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_numbers_are_unique_and_a_double_submit_makes_one(town: City, now: datetime) -> None:
    resource, system = factories.make_resource(town.police), factories.make_system(town.education)
    terms = Terms(
        system=str(system.uid), mode="QUERY", fields=("name",), purpose="核验", legal_basis="依据", scenario="场景",
        term_from=now.date(), term_to=now.date(),
    )  # fmt: skip
    actor = town.actor("education_operator")

    def submit(token: str) -> str:
        def make() -> str:
            return str(draft(resource_uid=resource.uid, terms=terms, actor=actor, now=now, submit=True).uid)

        return once(owner="user:1", token=token, digest=digest_of({"a": 1}), make=make)[0]

    twice = uuid7().hex
    results = at_once(*(lambda t=t: submit(t) for t in [twice, twice, *(uuid7().hex for _ in range(4))]))
    assert [r for r in results if isinstance(r, Exception)] == []
    assert results[0] == results[1]
    numbers = sorted(AccessRequest.objects.values_list("number", flat=True))
    assert [n[-4:] for n in numbers] == ["0001", "0002", "0003", "0004", "0005"]
