"""Sealed files of licenses (证照文件): made when first asked for, kept by their SHA-256 in a directory, never half a file.

A license has one file of each kind. Bulk issuing makes none: two million files nobody asks for would fill the disk. What no record
names any more (a file made twice at the same moment, an expired copy) is swept away.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import Actor
from core.crypto import sha256, sm3
from core.errors import Unavailable
from licenses import uses
from licenses.issuing.signing import ensure_signed
from licenses.models import FileKind, License, LicenseCopy, LicenseFile, UseChannel
from licenses.sealing import printed
from licenses.sealing.page import page_of, sealed

MEDIA_TYPES: Final = {FileKind.PDF: "application/pdf", FileKind.OFD: "application/ofd"}
ORPHAN_AGE: Final = timedelta(hours=1)  # a file is stored a moment before its record is committed


def make(license: License, kind: FileKind, *, now: datetime) -> bytes:
    """Return a freshly sealed file of a license, neither kept nor recorded."""
    content, _key = sealed(page_of(license, now=now), kind, reason=printed.ISSUED)
    return content


@transaction.atomic
def ensure(license: License, kind: FileKind, *, now: datetime) -> LicenseFile:
    """Return the record of a license's file, making and keeping the file the first time; its data are signed first."""
    ensure_signed(license)
    found = LicenseFile.objects.filter(license=license, kind=kind).first()
    if found is not None:
        return found
    content, key = sealed(page_of(license, now=now), kind, reason=printed.ISSUED)
    digest = store(content)
    record = LicenseFile(license=license, kind=kind, sha256=digest, sm3=sm3(content), size=len(content), key=key, made_at=now)
    LicenseFile.objects.bulk_create([record], ignore_conflicts=True)
    return LicenseFile.objects.get(license=license, kind=kind)  # another's, if it was a moment earlier


@transaction.atomic
def hand_out(
    *, license: License, kind: FileKind, actor: Actor | None, now: datetime, purpose: str = ""
) -> tuple[LicenseFile, bytes]:
    """Return a license's file to somebody who may have it, recorded as a use."""
    record = ensure(license, kind, now=now)
    content = open_file(bytes(record.sha256))
    uses.record_of(license, channel=UseChannel.DOWNLOADED, actor=actor, purpose=purpose, at=now)
    return record, content


def store(content: bytes) -> bytes:
    """Keep a file and return its SHA-256: whole and on the disk before its name appears."""
    digest = sha256(content)
    path = path_of(digest)
    if path.exists():
        return digest
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Unavailable("file.not_stored", _("证照文件暂时无法保存，请稍后重试；持续出现请联系系统管理员。")) from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest


def open_file(digest: bytes) -> bytes:
    """Return a kept file; one that is gone or no longer what was kept is not handed out."""
    try:
        content = path_of(bytes(digest)).read_bytes()
    except OSError as error:
        raise Unavailable("file.missing", _("证照文件暂时无法读取，请联系系统管理员从备份恢复。")) from error
    if sha256(content) != bytes(digest):
        raise Unavailable("file.damaged", _("证照文件与登记的摘要不一致，已停止提供，请联系系统管理员从备份恢复。"))
    return content


def path_of(digest: bytes) -> Path:
    """Return where a file lies."""
    directory: Path = settings.LICENSE_FILES_DIR
    name = digest.hex()
    return directory / name[:2] / name


def sweep(*, now: datetime) -> int:
    """Remove files no record names and what a crash left half written; return how many."""
    removed = 0
    for folder in sorted(settings.LICENSE_FILES_DIR.glob("[0-9a-f][0-9a-f]")):
        old = [path for path in folder.iterdir() if _is_old(path, now)]
        digests = {path: bytes.fromhex(path.name) for path in old if len(path.name) == 64}
        named = _named(list(digests.values()), now)
        for path in old:
            if digests.get(path) not in named:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _is_old(path: Path, now: datetime) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime < (now - ORPHAN_AGE).timestamp()
    return False


def _named(digests: list[bytes], now: datetime) -> set[bytes]:
    files = LicenseFile.objects.filter(sha256__in=digests).values_list("sha256", flat=True)
    copies = LicenseCopy.objects.filter(sha256__in=digests, expires_at__gt=now).values_list("sha256", flat=True)
    return {bytes(digest) for digest in (*files, *copies)}
