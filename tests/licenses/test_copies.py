"""Copies for a purpose: what they say, that they are sealed, that their links end, that each fetch is a use."""

from __future__ import annotations

import subprocess
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.audit import Actor
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.models import AuditEntry
from licenses.models import License, LicenseCopy, LicenseState, LicenseUse
from licenses.sealing import copies, files, pdf_check
from tests.factories import City
from tests.licenses.sealed import make_license, make_type


@pytest.fixture
def license(city: City, now: datetime, settings: Any, tmp_path: Path) -> License:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    return make_license(make_type(city.market), city.market, now)


@pytest.fixture
def actor(city: City) -> Actor:
    return city.actor("market_operator")


def make(license: License, actor: Actor, now: datetime, **values: Any) -> LicenseCopy:
    given = {"purpose": "办理公积金提取", "receiver": "南京住房公积金管理中心", "days": 7} | values
    return copies.make(license=license, actor=actor, now=now, **given)


def test_a_copy_says_for_whom_and_what_and_when_and_is_sealed(
    license: License, actor: Actor, now: datetime, tmp_path: Path
) -> None:
    copy = make(license, actor, now)
    content = files.open_file(copy.sha256)
    (tmp_path / "copy.pdf").write_bytes(content)
    text = subprocess.run(["pdftotext", "-raw", "copy.pdf", "-"], cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    text = "".join(text.split())  # turned lines come out one character a line
    assert text.count("仅供南京住房公积金管理中心用于办理公积金提取") > 5
    assert f"{now:%Y-%m-%d}" in text
    assert license.identifier in text
    told = subprocess.run(["pdfsig", "copy.pdf"], cwd=tmp_path, capture_output=True, check=False).stdout.decode()
    assert "Signature is Valid." in told
    report = pdf_check.check(content)
    assert (report.code, report.identifier, report.is_copy) == ("file.intact", license.identifier, True)
    entry = AuditEntry.objects.get(action="license_copy.made")
    assert "公积金" not in str(entry.detail)


def test_each_fetch_is_counted_and_is_a_use_the_holder_sees(license: License, actor: Actor, now: datetime) -> None:
    copy = make(license, actor, now)
    token = copies.token_of(copy)
    for hours in (1, 2):
        found, content = copies.fetch(token=token, now=now + timedelta(hours=hours))
        assert found.pk == copy.pk
        assert content.startswith(b"%PDF-")
    copy.refresh_from_db()
    assert (copy.downloads, copy.downloaded_at) == (2, now + timedelta(hours=2))
    use = LicenseUse.objects.first()
    assert use is not None
    assert (use.channel, use.identifier, use.purpose) == ("COPY", license.identifier, "办理公积金提取（南京住房公积金管理中心）")


def test_an_ended_copy_is_gone_and_says_since_when(license: License, actor: Actor, now: datetime) -> None:
    copy = make(license, actor, now, days=1)
    later = now + timedelta(days=1)
    with pytest.raises(NotFound) as refusal:
        copies.fetch(token=copies.token_of(copy), now=later)
    assert refusal.value.code == "license_copy.expired"
    assert f"{later:%Y-%m-%d %H:%M}" in str(refusal.value.message)
    assert not LicenseUse.objects.exists()


@pytest.mark.parametrize("wrong", ["", "x", "{uid}", "{uid}.AAAA", "{token}x", "{token}\u0661"])
def test_a_link_that_was_typed_or_guessed_opens_nothing(license: License, actor: Actor, now: datetime, wrong: str) -> None:
    copy = make(license, actor, now)
    with pytest.raises(NotFound) as refusal:
        copies.fetch(token=wrong.format(uid=copy.uid.hex, token=copies.token_of(copy)), now=now)
    assert refusal.value.code == "license_copy.not_found"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"purpose": "  "}, "purpose"),
        ({"receiver": "\u200b"}, "receiver"),
        ({"purpose": "字" * 101}, "purpose"),
        ({"purpose": "两\n行"}, "purpose"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"receiver": "\U00031350行"}, "接收方"),
    ],
)
def test_a_copy_without_a_clear_purpose_is_refused(
    license: License, actor: Actor, now: datetime, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        make(license, actor, now, **values)
    assert field in refusal.value.details
    assert not LicenseCopy.objects.exists()


ENDED = [
    {"state": LicenseState.SUSPENDED},
    {"is_current": False},
    {"valid_to": date(2026, 1, 16)},
    {"valid_from": date(2099, 1, 1), "valid_to": None},
]


@pytest.mark.parametrize("change", ENDED[:3])
def test_a_copy_of_a_license_that_ceased_is_not_handed_out(
    license: License, actor: Actor, now: datetime, change: dict[str, Any]
) -> None:
    copy = make(license, actor, now)
    License.objects.filter(pk=license.pk).update(**change)
    for open_it in (copies.find, copies.fetch):
        with pytest.raises(NotFound) as refusal:
            open_it(token=copies.token_of(copy), now=now)
        assert refusal.value.code == "license_copy.license_ended"


@pytest.mark.parametrize("change", ENDED)
def test_only_a_license_in_force_is_copied(license: License, actor: Actor, now: datetime, change: dict[str, Any]) -> None:
    License.objects.filter(pk=license.pk).update(**change)
    with pytest.raises(DomainError) as refusal:
        make(license, actor, now)
    assert isinstance(refusal.value, Conflict)
    assert refusal.value.code == "license_copy.not_in_force"


def test_the_file_of_an_ended_copy_is_swept_its_record_stays(license: License, actor: Actor, now: datetime) -> None:
    import os

    copy = make(license, actor, now, days=1)
    path = files.path_of(bytes(copy.sha256))
    os.utime(path, (path.stat().st_mtime - 7200,) * 2)
    assert files.sweep(now=now) == 0
    assert files.sweep(now=now + timedelta(days=2)) == 1
    assert LicenseCopy.objects.filter(pk=copy.pk).exists()
