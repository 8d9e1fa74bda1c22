"""Verifying a sealed file (文件核验): what its signature says, then the state of the license it is of. Nothing uploaded is kept.

How a PDF or OFD is opened safely and what its signature covers is `licenses.sealing`'s.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from core.calendar import SHANGHAI
from core.crypto import sha256
from core.errors import DomainError, Invalid
from licenses.models import LicenseCopy
from licenses.sealing import ofd_check, pdf_check
from licenses.sealing.findings import FileReport, Integrity
from licenses.verification import checks
from licenses.verification.judging import key_verdict
from licenses.verification.outcome import Fragment, Result, State, fragment

AROUND: Final = 64 * 1024  # what a form adds to a file
PDF: Final = b"%PDF-"
ZIP: Final = b"PK"


class TooLarge(DomainError):
    """More than any license has was sent."""

    status: ClassVar[int] = 413

    def __init__(self) -> None:
        megabytes = settings.VERIFIED_FILE_BYTES // (1024 * 1024)
        text = _("文件超过 %(size)s MB，不是签发的证照文件，没有核验。") % {"size": megabytes}
        super().__init__("verification.file_too_large", text)


class Uploaded(Protocol):
    """A file somebody sent."""

    def read(self, length: int, /) -> Any: ...


def check_length(announced: Any) -> None:
    """Refuse a request by its announced length, before any of it is read."""
    text = str(announced or "")
    if text.isdecimal() and int(text[:18]) > settings.VERIFIED_FILE_BYTES + AROUND:
        raise TooLarge


def read(file: Uploaded) -> bytes:
    """Return the bytes of an uploaded file; TooLarge beyond the limit."""
    content: bytes = file.read(settings.VERIFIED_FILE_BYTES + 1)
    if len(content) > settings.VERIFIED_FILE_BYTES:
        raise TooLarge
    return content


def verify_file(content: bytes, now: datetime) -> Result:
    """Return what a file is worth; Invalid when it is neither PDF nor OFD."""
    report = _looked_at(content)
    integrity = _integrity(report)
    try:
        known = checks.verify_identifier(report.identifier, now)
    except Invalid:  # the file names no license
        return Result(integrity, fragment("status.not_found"), _issuer(report) or fragment("issuer.not_found"), checked_at=now)
    issuer = None if known.issuer.code == "issuer.not_entrusted" else _issuer(report)  # whoever holds a key may yet not issue
    found = replace(known, integrity=integrity, issuer=issuer or known.issuer)
    return _of_copy(found, content, now) if report.is_copy else found


def _of_copy(result: Result, content: bytes, now: datetime) -> Result:
    """Return the result of a copy for a purpose: it is good for as long as it says."""
    copy = LicenseCopy.objects.filter(sha256=sha256(content)).order_by("-expires_at").first()
    if copy is None:
        return result
    until = {"copy_until": copy.expires_at.astimezone(SHANGHAI).isoformat(timespec="seconds")}
    if copy.expires_at <= now and result.status.state == State.VALID:
        return replace(result, status=fragment("status.copy_expired", dict(result.status.evidence) | until))
    return replace(result, status=replace(result.status, evidence=dict(result.status.evidence) | until))


def _looked_at(content: bytes) -> FileReport:
    if content.startswith(PDF):
        return pdf_check.check(content)
    if content.startswith(ZIP):
        return ofd_check.check(content)
    text = _("这不是 PDF 或 OFD 文件。请上传证照的版式文件；照片、截图和扫描件不能核验签章。")
    raise Invalid("verification.not_a_license_file", text, {"file": [text]})


def _integrity(report: FileReport) -> Fragment:
    evidence = {"format": report.kind}
    if report.registered:
        evidence["on_record"] = "copy" if report.is_copy else "original"
    if report.signed_at is not None:
        evidence["signed_at"] = report.signed_at.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if report.key is not None:
        evidence["key"] = report.key.code
    return Fragment(State(report.integrity.value), report.code, report.message, evidence)


def _issuer(report: FileReport) -> Fragment | None:
    """Return what the file's own signature says of its issuer; None when the register has to say it."""
    key = report.key
    if key is not None and report.signed_at is not None:
        code = key_verdict(report.signed_at, since=key.valid_from, retired_at=key.retired_at, compromised_at=key.compromised_at)
        since = key.valid_from.astimezone(SHANGHAI).isoformat(timespec="seconds")
        return fragment(code, {"key": key.code, "key_since": since})
    if report.integrity == Integrity.VALID:
        return None
    return fragment("issuer.not_proven")
