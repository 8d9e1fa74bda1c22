"""Checking a PDF somebody hands in: the signature by pyHanko against the keys of this office, later additions, scripts, size.

Files of this office have plain cross-reference tables and no compressed objects; only such a file is opened, so that nothing has
to be unpacked to look at it. Any other is a file of somebody else.
"""

from __future__ import annotations

import contextlib
import io
import re
from datetime import datetime
from typing import Final

from asn1crypto import x509
from django.utils.translation import gettext as _
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError

from core.signing import key_id
from licenses.models import KeyPurpose, SealKey
from licenses.sealing import findings
from licenses.sealing.findings import LARGEST_FILE, FileReport
from licenses.sealing.pdf_sign import certificates_of

KIND: Final = "PDF"
MOST_OBJECTS: Final = 20_000
MOST_SECTIONS: Final = 50
ACTIVE: Final = frozenset(
    (
        "/JS",
        "/JavaScript",
        "/OpenAction",
        "/AA",
        "/Launch",
        "/EmbeddedFiles",
        "/EmbeddedFile",
        "/RichMedia",
        "/XFA",
        "/Movie",
        "/Sound",
    )
)
_START: Final = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF\s*\Z")
_SECTION: Final = re.compile(rb"xref\s+(?:\d+ \d+\s+(?:\d{10} \d{5} [nf]\s*)*)+trailer\s*<<(.*?)startxref", re.DOTALL)
_PREVIOUS: Final = re.compile(rb"/Prev\s+(\d{1,10})")
_ERRORS: Final = (PdfError, SignatureValidationError, SigningError, ValueError, KeyError, TypeError, IndexError, RecursionError)


def check(content: bytes) -> FileReport:
    """Return what is found in a PDF."""
    if len(content) > LARGEST_FILE:
        return findings.too_large(KIND)
    if not content.startswith(b"%PDF-"):
        return findings.invalid(KIND, "file.not_pdf", _("文件不是 PDF，或开头已损坏。"))
    if not _is_plain(content):
        return findings.foreign(KIND) if b"/ByteRange" not in content else findings.altered(KIND)
    try:
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        if _has_active_content(reader):
            text = _("文件含有脚本、自动动作或附件，本平台签发的文件从不含有，请勿打开。")
            return findings.invalid(KIND, "file.active_content", text)
        return _judged(content, reader)
    except _ERRORS:
        return findings.invalid(KIND, "file.unreadable", _("文件结构已损坏，无法读取，请勿采信。"))


def _is_plain(content: bytes) -> bool:
    """Return whether every cross-reference section is a plain table, back to the first."""
    found = _START.search(content, max(0, len(content) - 1024))
    place = int(found[1]) if found else -1
    for _turn in range(MOST_SECTIONS):
        section = _SECTION.match(content, place) if 0 <= place < len(content) else None
        if section is None or b"XRefStm" in section[1] or b"#" in section[1]:
            return False
        earlier = _PREVIOUS.search(section[1])
        if earlier is None:
            return True
        if int(earlier[1]) >= place:  # no way back: round and round the same table
            return False
        place = int(earlier[1])
    return False


def _has_active_content(reader: PdfFileReader) -> bool:
    """Look at every object of every revision that can be reached, without unpacking any stream."""
    seen: set[generic.Reference] = set()
    waiting: list[object] = [reader.trailer_view]
    while waiting:
        found = waiting.pop()
        if isinstance(found, generic.IndirectObject):
            if found.reference in seen:
                continue
            seen.add(found.reference)
            if len(seen) > MOST_OBJECTS:
                return True
            found = found.get_object()  # type: ignore[no-untyped-call]
        if isinstance(found, generic.DictionaryObject):
            if ACTIVE & found.keys() or found.get("/S") in ACTIVE:
                return True
            waiting.extend(found.raw_get(name) for name in found)
        elif isinstance(found, generic.ArrayObject):
            waiting.extend(found.raw_get(place) for place in range(len(found)))
    return False


def _judged(content: bytes, reader: PdfFileReader) -> FileReport:
    claimed = _claimed(reader)
    signatures = reader.embedded_regular_signatures
    if not signatures:
        return findings.foreign(KIND, claimed)
    signature = signatures[0]
    key = _key_of(signature)
    if key is None:
        return findings.foreign(KIND, claimed)
    signature.compute_integrity_info(skip_diff=True)
    if signature.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return findings.altered(KIND, claimed)
    signed_at = _signed_at(signature)
    if not _holds(signature, key, signed_at):
        return findings.altered(KIND, claimed)
    if signature.coverage is not SignatureCoverageLevel.ENTIRE_FILE or len(signatures) > 1:
        text = _("签章之后文件又被追加了内容，追加的部分不在签章范围内，请勿采信。")
        return findings.invalid(KIND, "file.appended", text, claimed)
    return findings.sealed(KIND, content, key=key, signed_at=signed_at, claimed=claimed)


def _holds(signature: EmbeddedPdfSignature, key: SealKey, signed_at: datetime | None) -> bool:
    """Return whether the signature is right and its certificate leads to the root of its key, at the time it was made."""
    chain = certificates_of(key.certificate)
    context = ValidationContext(trust_roots=[chain[-1]], other_certs=chain, allow_fetching=False, moment=signed_at)
    try:
        status = validate_pdf_signature(signature, context, skip_diff=True)
    except PathError:
        return False
    return bool(status.intact and status.valid and status.trusted)


def _key_of(signature: EmbeddedPdfSignature) -> SealKey | None:
    """Return the key of ours whose certificate the signature names; the certificate must be the same to the byte."""
    certificate: x509.Certificate = signature.signer_cert
    code = f"{KeyPurpose.FILE.value}-{key_id(certificate.public_key.dump())}"
    key = SealKey.objects.filter(code=code).first()
    return key if key is not None and certificates_of(key.certificate)[0].dump() == certificate.dump() else None


def _signed_at(signature: EmbeddedPdfSignature) -> datetime | None:
    return signature.self_reported_timestamp


def _claimed(reader: PdfFileReader) -> str:
    with contextlib.suppress(KeyError):
        return str(reader.trailer_view["/Info"]["/Subject"])[:128]
    return ""
