"""Verification of files: intact, altered, of a revoked license, by a lost key, dangerous, too large, of no license at all."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.audit import PLATFORM
from licenses.models import FileKind, KeyPurpose, License, LicenseUse, SealKey
from licenses.sealing import files as sealed_files
from licenses.sealing import keys
from licenses.sealing.ofd import NAMESPACE
from licenses.verification.files import verify_file
from licenses.verification.outcome import State
from tests.factories import City
from tests.licenses.sealed import make_license, make_type
from tests.licenses.verified import no_limit_reached

__all__ = ["no_limit_reached"]

pytestmark = pytest.mark.usefixtures("no_limit_reached")
REST, PAGE = "/openapi/v1/license-verifications", "/verify/file/"
XML = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa">]><ofd:OFD xmlns:ofd="{NAMESPACE}">&a;</ofd:OFD>'


@pytest.fixture
def license(city: City, now: datetime) -> License:
    return make_license(make_type(city.market), city.market, now)


def file_of(license: License, kind: FileKind, now: datetime) -> bytes:
    """Return the file of a license as its holder has it."""
    return sealed_files.open_file(bytes(sealed_files.ensure(license, kind, now=now).sha256))


def package(**entries: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return whole.getvalue()


def send(client: Client, address: str, content: bytes, name: str = "file.pdf") -> Any:
    return client.post(address, {"file": SimpleUploadedFile(name, content)})


@pytest.mark.parametrize("kind", [FileKind.PDF, FileKind.OFD])
def test_a_file_as_it_was_sealed_passes_all_three(license: License, now: datetime, kind: FileKind) -> None:
    result = verify_file(file_of(license, kind, now), now + timedelta(minutes=1))
    assert result.state == State.VALID
    assert (result.integrity.code, result.status.code, result.issuer.code) == (
        "file.intact",
        "status.valid",
        "issuer.key_in_force",
    )
    assert result.integrity.evidence["on_record"] == "original"
    assert result.license is not None
    assert result.license.identifier == license.identifier


@pytest.mark.parametrize("kind", [FileKind.PDF, FileKind.OFD])
def test_a_change_of_one_byte_in_the_middle_is_never_valid(license: License, now: datetime, kind: FileKind) -> None:
    content = file_of(license, kind, now)
    place = len(content) // 2
    result = verify_file(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], now)
    assert result.integrity.state == State.INVALID
    assert result.issuer.code == "issuer.not_proven"
    assert result.state == State.INVALID


def test_an_intact_file_of_a_revoked_license_is_intact_and_not_valid(license: License, now: datetime) -> None:
    content = file_of(license, FileKind.OFD, now)
    License.objects.filter(pk=license.pk).update(state="07")
    result = verify_file(content, now)
    assert (result.integrity.state, result.status.code, result.state) == (State.VALID, "status.revoked", State.INVALID)


def test_a_retired_key_vouches_for_what_it_signed_before_and_a_lost_one_does_not(license: License, now: datetime) -> None:
    content = sealed_files.make(license, FileKind.OFD, now=now)
    later = now + timedelta(hours=1)
    keys.rotate(KeyPurpose.DATA, actor=PLATFORM, now=later)
    assert verify_file(content, later).issuer.code == "issuer.key_retired"
    SealKey.objects.filter(pk=license.key_id).update(compromised_at=now - timedelta(hours=1))
    lost = verify_file(content, later)
    assert lost.issuer.code == "issuer.key_compromised"
    assert lost.state == State.INVALID


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7 nothing more", "file.foreign"),
        (package(**{"OFD.xml": XML.encode()}), "file.unsafe"),
        (package(**{"OFD.xml": b"<other/>"}), "file.not_ofd"),
        (package(**{"OFD.xml": bytes(60_000_000)}), "file.unsafe"),
        (package(**{"../etc/passwd": b"x", "OFD.xml": b"<x/>"}), "file.unsafe"),
        (b"PK\x03\x04garbage", "file.unreadable"),
    ],
    ids=["bare", "entities", "wrong-root", "zip-bomb", "path", "garbage"],
)
def test_dangerous_and_broken_files_are_told_and_not_opened(db: None, now: datetime, content: bytes, code: str) -> None:
    result = verify_file(content, now)
    assert result.integrity.code == code
    assert result.state != State.VALID
    assert result.license is None


def test_a_pdf_with_a_script_is_told_not_to_be_opened(license: License, now: datetime, client: Client) -> None:
    content = file_of(license, FileKind.PDF, now)
    scripted = content.replace(b"/Type/Catalog/Version/1.7", b"/Type/Catalog/OpenAction 7")
    assert scripted != content
    told = send(client, REST, scripted).json()
    assert told["integrity"]["state"] == "INVALID"
    assert told["state"] == "INVALID"


@pytest.mark.parametrize("content", [b"", b"GIF89a", "电子证照".encode(), b"\x00" * 100])
def test_what_is_neither_pdf_nor_ofd_is_refused(db: None, client: Client, content: bytes) -> None:
    told = send(client, REST, content)
    assert told.status_code == 422
    assert told.json()["code"] in ("verification.not_a_license_file", "verification.file_missing")
    shown = send(client, PAGE, content)
    assert shown.status_code == 422


@pytest.mark.parametrize("address", [REST, PAGE])
def test_too_large_a_file_is_refused_by_its_length(db: None, client: Client, address: str) -> None:
    told = send(client, address, b"%PDF-" + bytes(11 * 1024 * 1024))
    assert told.status_code == 413
    assert "verification.file_too_large" in told.content.decode()


def test_the_page_takes_no_file_without_its_token(db: None) -> None:
    assert send(Client(enforce_csrf_checks=True), PAGE, b"%PDF-1.7").status_code == 403


def test_page_and_interface_take_a_file_and_record_whoever_is_signed_in(
    license: License, city: City, now: datetime, client: Client
) -> None:
    content = file_of(license, FileKind.PDF, now)
    assert send(client, REST, content).json()["state"] == "VALID"
    shown = send(client, PAGE, content).content.decode()
    assert "核验通过" in shown
    assert "签发的原件" in shown
    assert not LicenseUse.objects.filter(channel="VERIFIED").exists()
    client.force_login(city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    assert "核验通过" in send(client, PAGE, content).content.decode()
    assert LicenseUse.objects.filter(channel="VERIFIED", identifier=license.identifier).count() == 1


def test_a_request_without_a_file_or_with_more_is_refused(db: None, client: Client) -> None:
    for body in ({}, {"file": "text"}, {"other": SimpleUploadedFile("a.pdf", b"%PDF-")}):
        told = client.post(REST, body)
        assert (told.status_code, told.json()["code"]) == (422, "verification.file_missing")


def test_files_of_an_address_are_limited(db: None, client: Client, settings: Any) -> None:
    settings.VERIFIED_FILES_IN_TEN_MINUTES = 1
    assert send(client, REST, b"%PDF-1.7").status_code == 200
    assert send(client, REST, b"%PDF-1.7").json()["code"] == "verification.too_many"
