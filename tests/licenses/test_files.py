"""The store of sealed files: made once, kept whole, checked when opened, orphans swept."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.crypto import sha256, sm3
from core.errors import Unavailable
from exchange.license_statistics import measuring
from exchange.license_uses import lists
from exchange.models import LicenseUsage
from licenses.models import FileKind, License, LicenseFile, LicenseUse, UseChannel
from licenses.sealing import copies, files
from tests.factories import City
from tests.licenses.issuing_scene import food_type, issued, make_company
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


def test_whoever_makes_a_file_a_moment_later_gets_the_one_that_is_there(
    license: License, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, firsts = files.store, []

    def overtaken(content: bytes) -> bytes:
        monkeypatch.setattr(files, "store", keep)
        firsts.append(files.ensure(license, FileKind.PDF, now=now))
        return keep(content)

    monkeypatch.setattr(files, "store", overtaken)
    second = files.ensure(license, FileKind.PDF, now=now)
    assert second.pk == firsts[0].pk
    assert LicenseFile.objects.count() == 1
    assert files.open_file(second.sha256)


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


def test_every_joint_holder_is_told_of_a_use_and_it_counts_once(city: City, now: datetime) -> None:
    pair = [make_company(city.market) for _number in range(2)]
    holders = [{"name": one.name, "code": one.uscc} for one in pair]
    license = issued(city, food_type(city, holders_at_most=2), pair[0], now, holders=holders)
    actor, later = city.actor("market_operator"), now + timedelta(minutes=1)
    files.hand_out(license=license, kind=FileKind.PDF, actor=actor, now=now, purpose="归档")
    copy = copies.make(license=license, purpose="贷款", receiver="银行", days=1, actor=actor, now=now)
    for at in (now, later):
        copies.fetch(token=copies.token_of(copy), now=at)
    for one in pair:
        told = lists.of_holder(subject_key=one.subject_key, now=later).items
        assert [line.channel for line in told] == [UseChannel.COPY.label, UseChannel.COPY.label, UseChannel.DOWNLOADED.label]
    assert len(lists.of_department(actor=actor, now=later).items) == 3
    measuring.measure(now=later)
    assert dict(LicenseUsage.objects.values_list("channel", "use_count")) == {"COPY": 2, "DOWNLOADED": 1}
