"""The auditor's evidence page: how it stands, the batches, and an export that verifies without the platform."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.audit import PLATFORM
from core.models import AuditEntry, Notification
from exchange import tasks
from exchange.evidence.checking import verify
from exchange.models import CallRecord, Chain, Seal
from tests import factories
from tests.exchange.sealed import append, seal, sealable, tamper
from tests.factories import City

__all__ = ["sealable"]


@pytest.fixture
def town(sealable: None) -> City:
    """The city with 25 calls, sealed."""
    city = factories.make_city()
    append(25)
    seal()
    return city


@pytest.fixture
def auditor(town: City, client: Client) -> Client:
    client.force_login(town.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_shows_batches_lag_keys_and_the_last_verification(auditor: Client) -> None:
    page = auditor.get(reverse("portal:evidence-list")).content.decode()
    assert page.count("<tr>") == 1 + 3
    assert "尚未核验" in page
    verify(actor=PLATFORM, since=None, until=None, now=timezone.now())
    page = auditor.get(reverse("portal:evidence-list"), {"chain": "CALLS"}).content.decode()
    assert "与封存时一致" in page
    assert "CALLS: intact, 3 seals, 25 records" in page
    assert auditor.get(reverse("portal:evidence-list"), {"since": "2001-01-01", "until": "2001-01-02"}).content.count(b"<tr>") == 0
    assert auditor.get(reverse("portal:evidence-list"), {"since": "yesterday"}).status_code == 422


def test_an_export_verifies_on_a_machine_without_the_platform(auditor: Client, tmp_path: Path) -> None:
    seal(Chain.AUDIT, until=AuditEntry.objects.count())
    today = f"{timezone.localdate():%Y-%m-%d}"
    answer = auditor.get(reverse("portal:evidence-export"), {"since": today, "until": today})
    assert answer["Content-Disposition"].startswith('attachment; filename="evidence-')
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as export:  # type: ignore[arg-type]
        export.extractall(tmp_path)
    archives = sorted(path.name for path in tmp_path.glob("mlog-*.zip"))
    assert archives[0].startswith("mlog-calls-")
    command = [sys.executable, "-I", "verifier.py", "--keys", "seal_keys.pem", *archives]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "calls: intact, 3 seals, 25 records" in told.stdout
    assert AuditEntry.objects.get(action="evidence.exported").detail["row_count"] >= 25


def test_a_batch_that_was_tampered_with_is_not_exported(auditor: Client) -> None:
    victim = CallRecord.objects.order_by("xid")[12]
    tamper("exchange_callrecord", "UPDATE exchange_callrecord SET row_count = 9 WHERE call_id = %s", victim.call_id)
    answer = auditor.get(reverse("portal:evidence-export"))
    assert answer.status_code == 409
    assert str(victim.call_id) in answer.content.decode()
    assert not AuditEntry.objects.filter(action="evidence.exported").exists()


def test_auditors_are_told_when_the_nightly_verification_finds_something(town: City) -> None:
    tasks.verify_evidence()
    assert not Notification.objects.exists()
    tamper("exchange_seal", "DELETE FROM exchange_seal WHERE number = 2")
    tasks.verify_evidence()
    assert [row.user for row in Notification.objects.all()] == [town.people["auditor"]]
    assert Seal.objects.count() == 2
