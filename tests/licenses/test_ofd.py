"""The OFD of a license: an independent reader reads its text, `openssl` its signature; changes and attacks are found."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import ofdkit
import pytest
from defusedxml.ElementTree import fromstring

from licenses.models import FileKind, KeyPurpose, License
from licenses.sealing import files, keys, ofd, ofd_check
from licenses.sealing.findings import Integrity
from tests.factories import City
from tests.licenses.sealed import make_license, make_type

PAGE = "Doc_0/Pages/Page_0/Content.xml"
OFD = {"ofd": ofd.NAMESPACE}


@pytest.fixture
def license(city: City, now: datetime) -> License:
    return make_license(make_type(city.market), city.market, now, holder_name="龘䶮饮食店")


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_independent_reader_reads_the_text(license: License, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "license.ofd").write_bytes(files.make(license, FileKind.OFD, now=now))
    text = ofdkit.extract_text(tmp_path / "license.ofd")
    for words in ("食品经营许可证", "龘䶮饮食店", "太平北路 1 号", "2026年01月15日", license.identifier):
        assert words in text, words


def test_the_independent_reader_reads_something_else_after_a_change(license: License, now: datetime, tmp_path: Path) -> None:
    package = unpacked(files.make(license, FileKind.OFD, now=now))
    package[PAGE] = package[PAGE].replace("01月15日".encode(), "01月16日".encode())
    (tmp_path / "license.ofd").write_bytes(ofd.packed(package))
    assert "2026年01月16日" in ofdkit.extract_text(tmp_path / "license.ofd")
    assert ofd_check.check((tmp_path / "license.ofd").read_bytes()).code == "file.altered"


def test_openssl_verifies_the_signature_over_the_digests_of_every_file(license: License, now: datetime, tmp_path: Path) -> None:
    package = unpacked(files.make(license, FileKind.OFD, now=now))
    key = keys.current(KeyPurpose.DATA)
    names = {"key.pem": key.public_key.encode(), "message": package[ofd.SIGNATURE], "signature": package[ofd.SIGNED_VALUE]}
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "message", "-sigfile", "signature"]
    command += ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "message").write_bytes(package[ofd.SIGNATURE].replace(b"Version", b"version", 1))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    told = fromstring(package[ofd.SIGNATURE])
    named = {
        one.get("FileRef", "")[1:]: base64.b64decode(one.findtext("ofd:CheckValue", "", OFD))
        for one in told.iterfind(".//ofd:Reference", OFD)
    }
    assert named == {
        name: hashlib.new("sm3", content).digest() for name, content in package.items() if name not in ofd.UNREFERENCED
    }


def test_our_own_file_is_found_valid_and_known(license: License, now: datetime) -> None:
    record = files.ensure(license, FileKind.OFD, now=now)
    report = ofd_check.check(files.open_file(record.sha256))
    assert (report.integrity, report.code) == (Integrity.VALID, "file.intact")
    assert (report.identifier, report.registered) == (license.identifier, True)
    assert report.signed_at == now.replace(microsecond=0)


def test_a_change_of_one_byte_in_any_file_of_the_package_is_found(license: License, now: datetime) -> None:
    original = files.open_file(files.ensure(license, FileKind.OFD, now=now).sha256)
    package = unpacked(original)
    assert ofd_check.check(ofd.packed(package)).integrity is Integrity.VALID, "packed again it is the same file"
    renamed = original.replace(b"\x00\x00!\x00", b"\x01\x00!\x00", 1)  # the time of an entry, which no digest covers
    assert (renamed != original, ofd_check.check(renamed).code) == (True, "file.not_registered")
    for name, content in package.items():
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        report = ofd_check.check(ofd.packed({**package, name: changed}))
        assert report.integrity is Integrity.INVALID, name


def test_a_file_added_to_or_taken_from_the_package_is_found(license: License, now: datetime) -> None:
    package = unpacked(files.make(license, FileKind.OFD, now=now))
    assert ofd_check.check(ofd.packed({**package, "Doc_0/Annots.xml": b"<a/>"})).code == "file.altered"
    fewer = {name: content for name, content in package.items() if not name.endswith(".otf")}
    assert ofd_check.check(ofd.packed(fewer)).code == "file.altered"
    unsigned = {name: content for name, content in package.items() if name not in ofd.UNREFERENCED}
    assert ofd_check.check(ofd.packed(unsigned)).code == "file.foreign"


def hostile(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return whole.getvalue()


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (hostile({"OFD.xml": BOMB}), "file.unsafe"),
        (hostile({"OFD.xml": OUTSIDE}), "file.unsafe"),
        (hostile({"OFD.xml": b"<a/>", "big": b"0" * (41 * 1024 * 1024)}), "file.unsafe"),
        (hostile({"OFD.xml": b"<a/>", "../outside": b"x"}), "file.unsafe"),
        (hostile({f"f{number}": b"" for number in range(201)}), "file.unsafe"),
        (hostile({"OFD.xml": b"<a/>" * 99}, zipfile.ZIP_BZIP2).replace(b"BZh9", b"BZh0"), "file.unsafe"),
        (hostile({"OFD.xml": b"<a/>"}, zipfile.ZIP_LZMA), "file.unsafe"),
        (hostile({"OFD.xml": b"<a/>"}), "file.not_ofd"),
        (hostile({"word/document.xml": b"<a/>"}), "file.unreadable"),
        (hostile({"OFD.xml": b"<a"}), "file.unreadable"),
        (b"PK\x03\x04 not an archive", "file.unreadable"),
        (b"", "file.unreadable"),
        (b"PK" * (6 * 1024 * 1024), "file.too_large"),
    ],
    ids=[
        "entities",
        "entity-of-a-file",
        "bomb",
        "path",
        "many",
        "bzip2",
        "lzma",
        "no-ofd",
        "other-zip",
        "no-xml",
        "no-zip",
        "empty",
        "huge",
    ],
)
def test_attacks_are_refused_with_a_reason(db: None, content: bytes, code: str) -> None:
    report = ofd_check.check(content)
    assert report.integrity is Integrity.INVALID
    assert report.code == code
    assert report.message
