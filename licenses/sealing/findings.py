"""What is found in a file somebody hands in (文件核验): whether it is as this office sealed it, and which license it is of.

VALID: its signature holds and these very bytes are in the register. INVALID: it was changed or must not be opened. UNKNOWN:
nothing this office handed out; another office may know it. Whether the license is still good is not asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from core.crypto import sha256
from licenses.models import LicenseCopy, LicenseFile, SealKey
from licenses.sealing import keys

LARGEST_FILE: Final = 10 * 1024 * 1024


class Integrity(StrEnum):
    """Whether a file is as it was sealed."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found; `identifier` is the license's as registered here, else as the file itself claims (`registered` False)."""

    kind: str
    integrity: Integrity
    code: str
    message: str
    identifier: str = ""
    registered: bool = False
    is_copy: bool = False
    key: SealKey | None = None
    signed_at: datetime | None = None


def invalid(kind: str, code: str, message: str, identifier: str = "") -> FileReport:
    """Return the report of a file that was changed or must not be opened."""
    return FileReport(kind, Integrity.INVALID, code, message, identifier)


def unknown(kind: str, code: str, message: str, identifier: str = "") -> FileReport:
    """Return the report of a file this office cannot speak about."""
    return FileReport(kind, Integrity.UNKNOWN, code, message, identifier)


def too_large(kind: str) -> FileReport:
    """Return the report of a file nobody here opens."""
    return invalid(kind, "file.too_large", _("文件超过 10 MB，不是本平台签发的证照文件，未打开。"))


def altered(kind: str, identifier: str = "") -> FileReport:
    """Return the report of a file whose content is not what was signed."""
    return invalid(kind, "file.altered", _("文件内容与签章时不一致，已被改动，请勿采信。"), identifier)


def foreign(kind: str, identifier: str = "") -> FileReport:
    """Return the report of a file without a signature of this office."""
    return unknown(kind, "file.foreign", _("文件没有本平台的签章，本平台无法判断其真伪，请到其颁发机构核验。"), identifier)


def sealed(kind: str, content: bytes, *, key: SealKey, signed_at: datetime | None, claimed: str) -> FileReport:
    """Return the report of a file whose signature holds: do we know these very bytes, and is the key to be trusted?

    A few bytes of a file no signature covers (the wrapping of the signature itself, of the package): only the register knows them.
    """
    identifier, is_copy = registered_as(content)
    if identifier:
        text = _("文件由本平台签章，签章后没有改动。")
        return FileReport(kind, Integrity.VALID, "file.intact", text, identifier, True, is_copy, key, signed_at)
    if signed_at is None or not keys.is_trusted(key, signed_at):
        text = _("签章所用密钥在签章时间不可信（未启用、已停用或已失密），且文件没有登记，请勿采信。")
        return FileReport(kind, Integrity.INVALID, "file.key_not_trusted", text, claimed, False, False, key, signed_at)
    text = _("签章有效，但本平台没有登记过这一份文件：签章以外的部分可能被改动过。请以证照标识的核验结果为准。")
    return FileReport(kind, Integrity.UNKNOWN, "file.not_registered", text, claimed, False, False, key, signed_at)


def registered_as(content: bytes) -> tuple[str, bool]:
    """Return the license whose file (or copy) these bytes are, by their SHA-256, and whether it is a copy."""
    digest = sha256(content)
    found = LicenseFile.objects.filter(sha256=digest).values_list("license__identifier", flat=True).first()
    if found:
        return found, False
    copy = LicenseCopy.objects.filter(sha256=digest).values_list("license__identifier", flat=True).first()
    return copy or "", copy is not None
