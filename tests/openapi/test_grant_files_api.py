"""A grant's list of clients and its bulk jobs, over REST."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from basedb.identifiers import generate_citizen_id
from core.ids import uuid7
from exchange.models import BulkJob, Grant, GrantSubject
from tests import factories
from tests.factories import City
from tests.openapi.test_access_requests_api import ROOT, as_

IDS = [generate_citizen_id("990101", date(1990, 1, day), 11) for day in (1, 2, 3)]


@pytest.fixture
def grant(city: City) -> Grant:
    return factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        mode="BULK", row_filter=[{"kind": "own_clients"}],
    )  # fmt: skip


def csv(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("clients.csv", "\r\n".join(lines).encode("utf-8-sig"))


def test_the_consumer_replaces_its_list_of_clients_and_wrong_lines_are_named(city: City, client: Client, grant: Grant) -> None:
    path = f"{ROOT}/grants/{grant.uid}/clients"
    consumer = as_(client, city, "education_operator")
    done = consumer.post(path, {"clients": csv("citizen_id", *IDS)})
    assert (done.status_code, done.json()["client_count"], done.json()["revision"]) == (200, 3, 2)
    wrong = consumer.post(path, {"clients": csv(IDS[0], IDS[1][:-1])})
    assert (wrong.status_code, set(wrong.json()["details"]), IDS[1][:-1] in wrong.content.decode()) == (422, {"clients"}, False)
    assert consumer.post(path, {"clients": csv(*IDS[:1]), "revision": "1"}).status_code == 409
    assert consumer.post(path, {"revision": "2"}).status_code == 422
    assert as_(client, city, "police_head").post(path, {"clients": csv(*IDS[:1])}).status_code == 403
    assert as_(client, city, "market_operator").post(path, {"clients": csv(*IDS[:1])}).status_code == 404
    assert GrantSubject.objects.filter(grant=grant).count() == 3


def test_a_token_key_is_the_consumers_and_is_not_kept_by_anybody_on_the_way(city: City, client: Client, grant: Grant) -> None:
    path = f"{ROOT}/grants/{grant.uid}/token-key"
    assert as_(client, city, "education_operator").post(path).status_code == 409  # a grant for bulk has no use for one
    Grant.objects.filter(pk=grant.pk).update(mode="VERIFY")
    made = client.post(path)
    assert (made.status_code, len(made.json()["token_key"]), made.headers["Cache-Control"]) == (201, 43, "no-store")
    assert as_(client, city, "police_head").post(path).status_code == 403


def test_the_jobs_of_a_grant_are_listed_for_who_sees_it(city: City, client: Client, grant: Grant, now: datetime) -> None:
    made = [
        BulkJob.objects.create(
            grant=grant, credential_id=1, opened_call_id=uuid7(), grant_version=1, terms_digest=hashlib.sha256().digest(),
            fields=["name"], format="csv", rows_a_part=10, state=state, expected_count=20, row_count=10, part_count=1,
            opened_at=now, expires_at=now + timedelta(hours=72),
        )
        for state in ("EXPIRED", "READY")
    ]  # fmt: skip
    path = f"{ROOT}/grants/{grant.uid}/jobs"
    first = as_(client, city, "police_head").get(path, {"limit": "1"}).json()
    [job] = first["items"]
    assert (job["uid"], job["state"], job["fields"], job["rows"]) == (str(made[1].uid), "READY", ["name"], 10)
    rest = client.get(path, {"limit": "1", "after": first["next"]}).json()
    assert ([job["uid"] for job in rest["items"]], rest["next"]) == ([str(made[0].uid)], None)
    assert as_(client, city, "market_operator").get(path).status_code == 404
