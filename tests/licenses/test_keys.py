"""The keys that seal licenses: files outside the database, signatures `openssl` verifies, rotation, compromise."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from core.audit import PLATFORM
from core.crypto import KeyFileRefused
from core.errors import Conflict, Unavailable
from core.models import AuditEntry
from licenses.models import FileKind, KeyPurpose, SealKey
from licenses.sealing import certificates, files, key_files, keys, roots
from licenses.sealing.canonical import canonical, data_of
from openapi import health
from tests.factories import City
from tests.licenses.sealed import make_license, make_type


@pytest.fixture
def own_keys(db: None, settings: Any, tmp_path: Path, now: datetime) -> Iterator[Path]:
    """A key directory of the test's own, with a key for every purpose."""
    settings.LICENSE_KEYS_DIR, settings.LICENSE_PASSPHRASE_FILE = tmp_path / "keys", tmp_path / "passphrase"
    settings.LICENSE_KEYS_DIR.mkdir(mode=0o700)
    settings.LICENSE_PASSPHRASE_FILE.write_text("a passphrase of this test\n")
    settings.LICENSE_PASSPHRASE_FILE.chmod(0o600)
    keys.store.forget()
    keys.prepare(now=now)
    yield settings.LICENSE_KEYS_DIR
    keys.store.forget()


def openssl_verifies(folder: Path, key: SealKey, message: bytes, signature: bytes, signer: str = "1234567812345678") -> bool:
    for name, content in (("key.pem", key.public_key.encode()), ("message", message), ("signature", signature)):
        (folder / name).write_bytes(content)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "message", "-sigfile", "signature"]
    told = subprocess.run(
        [*command, "-digest", "sm3", "-pkeyopt", f"distid:{signer}"], cwd=folder, capture_output=True, check=False
    )
    return told.returncode == 0


def test_openssl_verifies_the_signature_over_a_license_s_data(city: City, now: datetime, tmp_path: Path) -> None:
    license = make_license(make_type(city.market), city.market, now)
    assert license.key is not None
    message, signature = canonical(data_of(license)), bytes(license.signature or b"")
    assert openssl_verifies(tmp_path, license.key, message, signature)
    assert keys.verify(license.key, message, signature)
    altered = message.replace("太平北路".encode(), "太平南路".encode())
    one_byte = bytes([message[40] ^ 1])
    assert not openssl_verifies(tmp_path, license.key, message[:40] + one_byte + message[41:], signature)
    assert not openssl_verifies(tmp_path, license.key, altered, signature)
    assert not openssl_verifies(tmp_path, license.key, message, signature, signer="8765432187654321")
    assert not keys.verify(license.key, altered, signature)


def test_private_halves_lie_encrypted_in_files_of_their_owner_alone(own_keys: Path, now: datetime) -> None:
    files = sorted(own_keys.glob("*.pem"))
    assert {path.name.split("-")[0] for path in files} == {"DATA", "FILE", "STATUS", "NODE", "ROOT"}
    for path in files:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    columns = SealKey.objects.values_list("public_key", "certificate")
    assert all("PRIVATE" not in text for row in columns for text in row)
    told = subprocess.run(
        ["openssl", "pkey", "-in", str(next(p for p in files if p.name.startswith("DATA"))), "-passin", "pass:another", "-noout"],
        capture_output=True,
        check=False,
    )
    assert told.returncode != 0


def test_a_key_file_or_passphrase_others_may_read_is_refused(own_keys: Path, settings: Any) -> None:
    code = SealKey.objects.get(purpose=KeyPurpose.DATA).code
    key_files.path_of(code).chmod(0o640)
    with pytest.raises(KeyFileRefused, match="mode 600"):
        key_files.read(code)
    keys.store.forget()
    with pytest.raises(Unavailable):
        keys.sign(KeyPurpose.DATA, b"x")
    key_files.path_of(code).chmod(0o600)
    settings.LICENSE_PASSPHRASE_FILE.chmod(0o644)
    with pytest.raises(KeyFileRefused, match="mode 600"):
        key_files.read(code)
    settings.LICENSE_PASSPHRASE_FILE.write_text("another passphrase than that\n")
    settings.LICENSE_PASSPHRASE_FILE.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="cannot be opened"):
        key_files.read(code)


def test_without_a_key_nothing_is_signed(db: None) -> None:
    with pytest.raises(Unavailable) as refusal:
        keys.sign(KeyPurpose.NODE, b"x")
    assert refusal.value.code == "seal_key.missing"


def test_after_rotation_the_new_key_signs_and_the_old_one_still_verifies(own_keys: Path, now: datetime) -> None:
    before, old = keys.sign(KeyPurpose.DATA, b"a license")
    later = now + timedelta(hours=1)
    new = keys.rotate(KeyPurpose.DATA, actor=PLATFORM, now=later)
    after, signer = keys.sign(KeyPurpose.DATA, b"a license")
    old.refresh_from_db()
    assert signer.pk == new.pk != old.pk
    assert old.retired_at == later
    assert keys.verify(old, b"a license", before)
    assert keys.verify(new, b"a license", after)
    assert not keys.verify(new, b"a license", before)
    assert keys.is_trusted(old, now)
    assert not keys.is_trusted(old, later + timedelta(seconds=1))
    assert not keys.is_trusted(new, now)
    assert AuditEntry.objects.get(action="seal_key.rotated").detail["before"] == old.code


def test_what_a_compromised_key_signed_from_then_on_is_not_trusted(own_keys: Path, now: datetime) -> None:
    old = keys.current(KeyPurpose.FILE)
    known = now + timedelta(hours=2)
    call_command("rotate_license_key", "FILE", "--compromised-at", (now + timedelta(hours=1)).isoformat())
    old.refresh_from_db()
    assert old.compromised_at == now + timedelta(hours=1)
    assert keys.is_trusted(old, now + timedelta(microseconds=1)) is (old.retired_at >= now)
    assert not keys.is_trusted(old, known)


def test_a_key_found_out_after_it_was_retired_is_not_trusted_from_then_on(own_keys: Path, now: datetime) -> None:
    old = keys.current(KeyPurpose.STATUS)
    at = now + timedelta(minutes=1)
    with pytest.raises(CommandError):
        call_command("rotate_license_key", "STATUS", "--retired", old.code, "--compromised-at", at.isoformat())
    keys.rotate(KeyPurpose.STATUS, actor=PLATFORM, now=now + timedelta(hours=1))
    call_command("rotate_license_key", "STATUS", "--retired", old.code, "--compromised-at", at.isoformat())
    old.refresh_from_db()
    assert keys.is_trusted(old, now)
    assert not keys.is_trusted(old, at)
    assert keys.current(KeyPurpose.STATUS).compromised_at is None
    assert AuditEntry.objects.get(action="seal_key.compromised").detail["purpose"] == "STATUS"


def test_the_certificate_of_a_rotated_file_key_leads_to_the_same_root(own_keys: Path, now: datetime, tmp_path: Path) -> None:
    first = keys.current(KeyPurpose.FILE)
    second = keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=now)
    root = first.certificate.partition("-----END CERTIFICATE-----\n")[2]
    assert root == second.certificate.partition("-----END CERTIFICATE-----\n")[2]
    (tmp_path / "root.pem").write_text(root)
    for key in (first, second):
        (tmp_path / "signer.pem").write_text(key.certificate)
        told = subprocess.run(
            ["openssl", "verify", "-CAfile", str(tmp_path / "root.pem"), str(tmp_path / "signer.pem")],
            capture_output=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr


def test_one_key_a_purpose_is_in_force(own_keys: Path, now: datetime) -> None:
    key = keys.current(KeyPurpose.STATUS)
    with pytest.raises(IntegrityError), transaction.atomic():
        SealKey.objects.create(code="STATUS-0000000000000000", purpose="STATUS", public_key=key.public_key, valid_from=now)
    assert keys.prepare(now=now) == []


def test_a_database_made_anew_takes_its_keys_up_from_their_files(own_keys: Path, now: datetime) -> None:
    codes = set(SealKey.objects.values_list("code", flat=True))
    SealKey.objects.all().delete()
    assert {key.code for key in keys.prepare(now=now)} == codes
    assert len(list(own_keys.glob("*.pem"))) == 5


def test_a_root_that_is_away_is_never_replaced_in_silence(own_keys: Path, now: datetime) -> None:
    (root,) = own_keys.glob("ROOT-*.pem")
    kept = root.read_bytes()
    root.unlink()
    with pytest.raises(Conflict) as refusal:
        keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=now)
    assert refusal.value.code == "seal_key.root_missing"
    assert root.name in str(refusal.value.message)
    with pytest.raises(CommandError, match="--new-root"):
        call_command("rotate_license_key", "FILE")
    assert not list(own_keys.glob("ROOT-*.pem"))
    root.write_bytes(kept)
    root.chmod(0o600)
    assert issued_by(keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=now)) == root.stem


def test_a_database_made_anew_makes_no_second_root_either(own_keys: Path, now: datetime) -> None:
    SealKey.objects.all().delete()
    next(own_keys.glob("ROOT-*.pem")).unlink()
    with pytest.raises(Conflict):
        keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=now)
    assert {key.purpose for key in keys.prepare(now=now)} == set(KeyPurpose.values)


def test_a_new_root_is_begun_by_command_alone_and_told_in_the_audit(own_keys: Path) -> None:
    old = next(own_keys.glob("ROOT-*.pem")).stem
    call_command("rotate_license_key", "FILE", "--new-root")
    new = issued_by(keys.current(KeyPurpose.FILE))
    assert new != old
    assert AuditEntry.objects.get(action="seal_key.root_begun").detail == {"root": new, "before": old}
    call_command("rotate_license_key", "FILE")  # goes on under the new one, though the old one's file is there
    assert issued_by(keys.current(KeyPurpose.FILE)) == new
    with pytest.raises(CommandError):
        call_command("rotate_license_key", "DATA", "--new-root")


def issued_by(key: SealKey) -> str:
    """Return the code of the root a key's certificate was made under."""
    signer, root = certificates.chain(key.certificate)
    signer.verify_directly_issued_by(root)
    return roots.code_of(roots.PURPOSE, root)


def test_an_expired_certificate_seals_no_file_until_it_is_rotated(own_keys: Path, city: City, now: datetime) -> None:
    license = make_license(make_type(city.market), city.market, now)
    later = now + timedelta(days=365 * certificates.SIGNER_YEARS, minutes=1)
    assert files.make(license, FileKind.PDF, now=later - timedelta(minutes=2)).startswith(b"%PDF")
    with pytest.raises(Unavailable) as refusal:
        files.make(license, FileKind.PDF, now=later)
    assert refusal.value.code == "seal_key.certificate_expired"
    assert "rotate_license_key FILE" in str(refusal.value.message)
    assert files.make(license, FileKind.OFD, now=later)
    keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=later)
    assert files.make(license, FileKind.PDF, now=later).startswith(b"%PDF")


def test_health_warns_before_the_certificate_ends(own_keys: Path) -> None:
    with connection.cursor() as cursor:
        days = health.file_certificate(cursor)
    assert days["file_certificate_days"] == pytest.approx(365 * certificates.SIGNER_YEARS, abs=2)
    assert health.judged(days)["file_certificate"] == "up"
    assert health.judged({"file_certificate_days": health.CERTIFICATE_DAYS - 0.1})["file_certificate"] == "down"


def test_a_certificate_does_not_outlive_its_root(own_keys: Path, now: datetime) -> None:
    late = now + timedelta(days=365 * (certificates.ROOT_YEARS - 2))
    signer, root = certificates.chain(keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=late).certificate)
    assert signer.not_valid_after_utc == root.not_valid_after_utc
    with pytest.raises(Conflict) as refusal:
        keys.rotate(KeyPurpose.FILE, actor=PLATFORM, now=root.not_valid_after_utc)
    assert refusal.value.code == "seal_key.root_expired"
