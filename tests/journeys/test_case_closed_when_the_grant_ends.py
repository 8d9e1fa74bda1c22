"""Policy: when a grant ends, by expiry or by revocation, the case it came from is closed without anybody's doing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import DomainError
from core.models import AuditEntry, Notification
from exchange.granting import grants
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import AccessRequest, Grant
from exchange.querysets import access_requests_visible_to
from exchange.requests.access_requests import carry_out
from exchange.requests.closing import close_ended
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


@pytest.fixture
def grant(city: City) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"]
    )


def test_expiry_closes_the_case_and_tells_who_asked(city: City, grant: Grant, now: datetime) -> None:
    assert close_ended(grant.valid_to - timedelta(seconds=1)) == 0
    decided_at = grant.access_request.decided_at
    assert close_ended(grant.valid_to) == 1
    made = AccessRequest.objects.get()
    assert (made.state, made.desk, made.decided_at) == ("CLOSED", "NOBODY", decided_at)
    assert made.steps.get().actor_name == "平台"
    assert Notification.objects.filter(user=city.people["education_operator"], title__contains="办结归档").count() == 1
    assert AuditEntry.objects.filter(action="access_request.closed").count() == 1
    assert close_ended(grant.valid_to) == 0
    assert {name for name in city.people if access_requests_visible_to(city.actor(name)).exists()} == {
        "education_operator", "education_head", "police_operator", "police_head", "reviewer", "auditor",
    }  # fmt: skip


def test_revocation_closes_the_case_in_the_same_transaction(city: City, grant: Grant, now: datetime) -> None:
    grants.change_state(
        grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="超范围使用", actor=city.actor("reviewer"), now=now
    )
    made = AccessRequest.objects.get()
    assert (made.state, made.steps.get().reason) == ("CLOSED", "超范围使用")
    assert close_ended(now) == 0


@pytest.mark.parametrize("name", ["education_operator", "education_head", "police_head", "reviewer", "auditor", "system_admin"])
def test_no_person_closes_a_case(name: str, city: City, grant: Grant, now: datetime) -> None:
    with pytest.raises(DomainError):
        carry_out(request_uid=grant.access_request.uid, command=Command.CLOSE, actor=city.actor(name), now=now, reason="结")
    assert AccessRequest.objects.get().state == "APPROVED"


def test_the_worker_may_do_what_closing_takes(city: City, grant: Grant) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert close_ended(grant.valid_to) == 1
    needed = set()
    for query in queries.captured_queries:
        text = query["sql"]
        needed |= {("INSERT", table) for table in re.findall(r'INSERT INTO "(\w+)"', text)}
        needed |= {("UPDATE", table) for table in re.findall(r'^UPDATE "(\w+)"', text)}
        needed |= {("SELECT", table) for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', text)}
        needed |= {("UPDATE", re.findall(r'FROM "(\w+)"', text)[0])} if "FOR UPDATE" in text else set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p, name FROM unnest(%s, %s) t(p, name) WHERE NOT has_table_privilege('worker', name, p)",
            [[privilege for privilege, _table in needed], [table for _privilege, table in needed]],
        )
        assert cursor.fetchall() == []
    assert ("UPDATE", "exchange_accessrequest") in needed
