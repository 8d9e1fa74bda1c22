"""Policy: a legal hold stops deletion until another person releases it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.test import Client

from basedb.identifiers import generate_citizen_id
from core.ids import uuid7
from exchange.bulk_jobs import files, jobs
from exchange.models import BulkJob, LegalHold
from tests import factories
from tests.factories import City


def test_a_legal_hold_stops_deletion(
    *, city: City, now: datetime, client: Client, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.BULK_DIR = tmp_path
    grant = factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"], mode="BULK"
    )
    job = BulkJob.objects.create(
        grant=grant, credential_id=1, opened_call_id=uuid4(), grant_version=1, terms_digest=b"d" * 32, fields=["name"],
        format="csv", rows_a_part=1, expected_count=1, opened_at=now - timedelta(days=4), expires_at=now, state="READY",
    )  # fmt: skip
    folder = files.make_folder(job.uid)

    client.force_login(city.people["auditor"])
    form = {
        "submission": uuid7().hex,
        "case_number": "（2026）苏01行初1号",
        "reason": "调查取证",
        "scope": "GRANT",
        "request_number": grant.access_request.number,
    }
    wrong = client.post("/holds/new/", form | {"request_number": "SQ0"})
    assert (wrong.status_code, LegalHold.objects.exists()) == (422, False)
    assert client.post("/holds/new/", form).status_code == 302
    hold = LegalHold.objects.get()
    assert hold.grant == grant
    with django_capture_on_commit_callbacks(execute=True):
        jobs.expire_due(now=now)
    assert folder.exists()

    assert client.post(f"/holds/{hold.uid}/release/", {"reason": "结案"}).status_code == 403
    client.force_login(city.people["security_admin"])
    assert "保全中" in client.get("/holds/").content.decode()
    assert client.post(f"/holds/{hold.uid}/release/", {"reason": "结案"}).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        jobs.expire_due(now=now)
    assert not folder.exists()


def test_the_security_administrator_holds_a_request_by_its_number(city: City, client: Client) -> None:
    resource, system = factories.make_resource(city.police), factories.make_system(city.education)
    made = factories.make_request(resource, system, city.people["education_operator"])
    client.force_login(city.people["security_admin"])
    form = {"submission": uuid7().hex, "case_number": "1", "reason": "调查取证", "scope": "REQUEST", "request_number": made.number}
    assert client.post("/holds/new/", form).status_code == 302
    assert LegalHold.objects.get().access_request == made


def test_whom_a_hold_is_about_is_kept_as_a_key_only(city: City, client: Client) -> None:
    person = generate_citizen_id("990101", date(1980, 5, 17), 17)
    client.force_login(city.people["auditor"])
    form = {"submission": uuid7().hex, "case_number": "1", "reason": "调查取证", "scope": "SUBJECT", "subject": person}
    assert client.post("/holds/new/", form).status_code == 302
    hold = LegalHold.objects.get()
    assert len(bytes(hold.subject_key or b"")) == 16
    assert form["subject"] not in client.get("/holds/").content.decode()
    wrong = client.post("/holds/new/", form | {"submission": uuid7().hex, "subject": "123"})
    assert wrong.status_code == 422
    assert LegalHold.objects.count() == 1
