"""The demo leaves missing licenses at every desk, and nodes with batches, rejected rows, differences and a fetched license."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core import working_days
from demo import city
from demo.licenses import recognition
from licenses.models import DifferenceReport, ExchangeRow, ForeignLicense, InBatch, MissingReport, TrustedKey
from licenses.sealing import keys


@pytest.mark.django_db
def test_no_page_of_missing_licenses_and_recognition_is_empty(settings: Any, tmp_path: Path, now: datetime) -> None:
    settings.LICENSE_KEYS_DIR, settings.LICENSE_PASSPHRASE_FILE = tmp_path / "keys", tmp_path / "passphrase"
    settings.LICENSE_PASSPHRASE_FILE.write_text("a passphrase of the tests")
    settings.LICENSE_PASSPHRASE_FILE.chmod(0o600)
    keys.store.forget()
    keys.prepare(now=now)
    city.load_divisions()
    working_days.load_holidays([now.year - 1, now.year, now.year + 1])
    city.load_accounts(city.load_departments(), {})
    assert recognition.report(now) == recognition.report(now) == MissingReport.objects.count()
    assert {"REPORTED", "CHECKING", "DENYING", "ABSENT", "REISSUING", "WITHDRAWN"} == set(
        MissingReport.objects.values_list("state", flat=True)
    )
    assert recognition.exchange(now) == recognition.exchange(now) == 3
    assert InBatch.objects.count() == 2
    assert len(set(ExchangeRow.objects.filter(state="REJECTED").values_list("code", flat=True))) >= 4
    assert DifferenceReport.objects.get().items.values("kind").distinct().count() == 3
    assert ForeignLicense.objects.get().document is not None
    assert TrustedKey.objects.filter(confirmed_at=None).count() == 1
    keys.store.forget()
