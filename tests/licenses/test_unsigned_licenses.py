"""Licenses of a batch between issuing and signing: what verification says, what a file does, and that none stays unsigned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from core.errors import Conflict
from licenses import tasks
from licenses.issuing import signing, writing
from licenses.models import FileKind, License, LicenseFile
from licenses.sealing import copies, files, keys
from licenses.sealing.canonical import canonical, data_of
from licenses.verification.checks import verify_identifier
from licenses.verification.files import verify_file
from licenses.verification.outcome import State
from settings import celery
from tests.factories import City
from tests.licenses.issuing_scene import food_type, make_company, values_of
from tests.licenses.test_issuing_batches import issue
from tests.licenses.verified import no_limit_reached

__all__ = ["no_limit_reached"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limit_reached")]


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Any) -> None:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()


def test_what_a_batch_left_unsigned_verifies_as_unknown_with_its_reason_until_it_is_signed(
    city: City, now: datetime, client: Client
) -> None:
    issue(city, [values_of(make_company(city.market))], now, food_type(city).code)
    license = License.objects.get()
    before = verify_identifier(license.identifier, now)
    assert (before.integrity.code, before.issuer.code) == ("integrity.not_signed_yet", "issuer.not_signed_yet")
    assert (before.state, before.status.code, before.outcome) == (State.UNKNOWN, "status.valid", "integrity.not_signed_yet")
    asked = {"identifier": license.identifier}
    told = client.post("/openapi/v1/license-verifications", asked, content_type="application/json").json()
    assert (told["integrity"]["state"], told["integrity"]["code"]) == ("UNKNOWN", "integrity.not_signed_yet")
    page = client.get("/verify/", {"id": license.identifier}).content.decode()
    assert "正在补签" in page
    signing.sign_pending(until=now + timedelta(days=1), clock=lambda: now)
    after = verify_identifier(license.identifier, now)
    assert (after.integrity.code, after.issuer.code) == ("integrity.not_examined", "issuer.key_in_force")


def test_a_file_or_a_copy_of_an_unsigned_license_signs_it_first_and_is_whole(city: City, now: datetime) -> None:
    rows = [values_of(make_company(city.market)) for _ in range(3)]
    issue(city, rows, now, food_type(city).code)
    with_file, with_copy, altered = License.objects.order_by("pk")
    record = files.ensure(with_file, FileKind.OFD, now=now)
    copies.make(license=with_copy, purpose="归档", receiver="档案馆", days=3, actor=city.actor("market_operator"), now=now)
    for license in (with_file, with_copy):
        license.refresh_from_db()
        assert license.key is not None
        assert keys.verify(license.key, canonical(data_of(license)), bytes(license.signature or b""))
    result = verify_file(files.open_file(bytes(record.sha256)), now)
    assert (result.integrity.code, result.state) == ("file.intact", State.VALID)
    License.objects.filter(pk=altered.pk).update(face={"premises": "别处"})
    with pytest.raises(Conflict, match="data_altered"):
        files.ensure(License.objects.get(pk=altered.pk), FileKind.PDF, now=now)
    assert not LicenseFile.objects.filter(license=altered).exists()


def test_a_signing_that_was_killed_is_taken_up_by_the_timetable(city: City, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [values_of(make_company(city.market)) for _ in range(3)]
    issue(city, rows, now, food_type(city).code)
    monkeypatch.setattr(signing, "AT_ONCE", 1)
    ticks = iter((now, now + timedelta(days=1)))
    assert signing.sign_pending(until=now + timedelta(hours=1), clock=lambda: next(ticks)) == 1
    assert License.objects.filter(signature=None).count() == 2
    assert celery.app.conf.beat_schedule["sign-licenses"]["task"] == writing.SIGN_TASK
    tasks.sign_pending()
    assert not License.objects.filter(signature=None).exists()
