"""The store of sealed files: made once, kept whole, checked when opened, orphans swept."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from core.crypto import sha256, sm3
from core.errors import Unavailable
from licenses.models import FileKind, License, LicenseFile, LicenseUse
from licenses.sealing import files
from tests.factories import City, make_city
from tests.licenses.sealed import make_license, make_type


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Path) -> Path:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()
    return tmp_path / "files"


@pytest.fixture
def license(city: City, now: datetime) -> License:
    return make_license(make_type(city.market), city.market, now)


def grown_old(path: Path) -> None:
    os.utime(path, (path.stat().st_mtime - 7200,) * 2)


def test_a_file_is_made_once_and_kept_under_its_digest(license: License, now: datetime, own_directory: Path) -> None:
    first = files.ensure(license, FileKind.PDF, now=now)
    second = files.ensure(license, FileKind.PDF, now=now + timedelta(days=1))
    content = files.open_file(first.sha256)
    assert first.pk == second.pk
    assert (bytes(first.sha256), bytes(first.sm3), first.size) == (sha256(content), sm3(content), len(content))
    (kept,) = [path for path in own_directory.rglob("*") if path.is_file()]
    assert kept.name == bytes(first.sha256).hex()
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db(transaction=True)
def test_asked_for_at_the_same_moment_there_is_one_file(now: datetime) -> None:
    city = make_city()
    license = make_license(make_type(city.market), city.market, now)

    def ask() -> int:
        try:
            return files.ensure(License.objects.select_related("type_version").get(pk=license.pk), FileKind.PDF, now=now).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask) for _ in range(3)]
        assert len({one.result() for one in asked}) == 1
    assert LicenseFile.objects.count() == 1
    assert files.open_file(LicenseFile.objects.get().sha256)


def test_a_damaged_or_missing_file_is_not_handed_out(license: License, now: datetime) -> None:
    record = files.ensure(license, FileKind.PDF, now=now)
    path = files.path_of(bytes(record.sha256))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(Unavailable) as damaged:
        files.hand_out(license=license, kind=FileKind.PDF, actor=None, now=now)
    assert damaged.value.code == "file.damaged"
    path.unlink()
    with pytest.raises(Unavailable) as missing:
        files.hand_out(license=license, kind=FileKind.PDF, actor=None, now=now)
    assert missing.value.code == "file.missing"
    assert not LicenseUse.objects.exists(), "nothing was handed out, nothing was used"


def test_a_full_disk_leaves_no_half_file(own_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Unavailable) as refusal:
        files.store(b"content")
    assert refusal.value.code == "file.not_stored"
    assert not [path for path in own_directory.rglob("*") if path.is_file()]


def test_handing_out_is_a_use_of_the_license(city: City, license: License, now: datetime) -> None:
    files.hand_out(license=license, kind=FileKind.OFD, actor=city.actor("market_operator"), now=now, purpose="归档")
    use = LicenseUse.objects.get()
    assert (use.identifier, use.channel, use.purpose, use.department_id) == (
        license.identifier, "DOWNLOADED", "归档", city.market.pk,
    )  # fmt: skip
    assert bytes(use.subject_key) == bytes(license.holders.get().subject_key)


def test_what_no_record_names_is_swept_after_an_hour(license: License, now: datetime) -> None:
    named = files.path_of(bytes(files.ensure(license, FileKind.PDF, now=now).sha256))
    orphan, young = files.path_of(files.store(b"orphan")), files.path_of(files.store(b"young"))
    half = named.with_name(".abc.new")
    half.write_bytes(b"half")
    for path in (named, orphan, half):
        grown_old(path)
    assert files.sweep(now=now) == 2
    assert named.exists()
    assert young.exists()
    assert not orphan.exists()
    assert not half.exists()
