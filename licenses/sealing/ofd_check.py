"""Checking an OFD somebody hands in (GB/T 33190): every file of the package under a digest, the digests under our SM2 signature.

A package that would unpack to too much, names paths outside itself, or whose XML defines entities is not opened further. An
electronic seal by GB/T 38540 is not checked here: a package that has only such a one is a file of somebody else.
"""

from __future__ import annotations

import base64
import binascii
import io
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from core.crypto import sm3
from licenses.models import KeyPurpose, SealKey
from licenses.sealing import findings, keys
from licenses.sealing.findings import LARGEST_FILE, FileReport
from licenses.sealing.ofd import NAMESPACE, SIGNATURE, SIGNATURES, SIGNED_VALUE, SM3, UNREFERENCED

KIND: Final = "OFD"
MOST_FILES: Final = 200
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others raise errors of their own and unpack to far more
MOST_UNPACKED: Final = 40 * 1024 * 1024
LARGEST_XML: Final = 4 * 1024 * 1024
_PIECE: Final = 64 * 1024


class Unsafe(ValueError):
    """The package must not be opened; the message says why, to people."""


def check(content: bytes) -> FileReport:
    """Return what is found in an OFD."""
    if len(content) > LARGEST_FILE:
        return findings.too_large(KIND)
    try:
        return _opened(content)
    except Unsafe as error:
        return findings.invalid(KIND, "file.unsafe", str(error))
    except DefusedXmlException:
        return findings.invalid(KIND, "file.unsafe", _("文件中的 XML 定义了实体或文档类型，可能是攻击，未打开。"))
    except (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError):
        return findings.invalid(KIND, "file.unreadable", _("文件结构已损坏，无法读取，请勿采信。"))


def _opened(content: bytes) -> FileReport:
    files = unpacked(content)
    root = _xml(files, "OFD.xml")
    if root.tag != f"{{{NAMESPACE}}}OFD":
        return findings.invalid(KIND, "file.not_ofd", _("文件不是 OFD 版式文件（GB/T 33190）。"))
    claimed = (root.findtext(f".//{{{NAMESPACE}}}Subject") or "")[:128]
    if not files.keys() >= UNREFERENCED:
        return findings.foreign(KIND, claimed)
    return _judged(content, files, claimed)


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files of a package by their paths, unpacking no more than a license could have."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        names = [entry.filename for entry in entries]
        if len(names) > MOST_FILES or len(set(names)) < len(names):
            raise Unsafe(_("文件包内的文件过多或重名，未打开。"))
        if any(name.startswith(("/", "\\")) or ".." in name.split("/") or "\\" in name or ":" in name for name in names):
            raise Unsafe(_("文件包内有指向包外的路径，未打开。"))
        if any(entry.compress_type not in METHODS for entry in entries):
            raise Unsafe(_("文件包用了版式文件不用的压缩方法，未打开。"))
        left, files = MOST_UNPACKED, {}
        for entry in entries:
            files[entry.filename] = _read(archive, entry, left)
            left -= len(files[entry.filename])
    return files


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """Unpack one file, stopping where the package would get too large, whatever its directory says."""
    parts, length = [], 0
    with archive.open(entry) as file:
        while piece := file.read(_PIECE):
            length += len(piece)
            if length > left:
                raise Unsafe(_("文件包解压后过大，可能是压缩炸弹，未打开。"))
            parts.append(piece)
    return b"".join(parts)


def _xml(files: Mapping[str, bytes], path: str) -> Element:
    if len(files[path]) > LARGEST_XML:
        raise Unsafe(_("文件包内的 XML 过大，未打开。"))
    root: Element = fromstring(files[path], forbid_dtd=True)
    return root


def _judged(content: bytes, files: Mapping[str, bytes], claimed: str) -> FileReport:
    key = _signer(files[SIGNATURE], files[SIGNED_VALUE])
    if key is None:
        return _of_nobody(files, claimed)
    described = _xml(files, SIGNATURE)
    if not _listed(files) or not _covers(described, files):
        return findings.altered(KIND, claimed)
    return findings.sealed(KIND, content, key=key, signed_at=_signed_at(described), claimed=claimed)


def _signer(message: bytes, signature: bytes) -> SealKey | None:
    """Return the key of ours that made the signature; there are few, and the package does not name it."""
    candidates = SealKey.objects.filter(purpose=KeyPurpose.DATA).order_by("-id")
    return next((key for key in candidates if keys.verify(key, message, signature)), None)


def _of_nobody(files: Mapping[str, bytes], claimed: str) -> FileReport:
    """Return the report of a signature no key of ours made: altered if the package says it is ours, else somebody else's."""
    ours = b'ProviderName="License Office"' in files[SIGNATURE]
    return findings.altered(KIND, claimed) if ours else findings.foreign(KIND, claimed)


def _listed(files: Mapping[str, bytes]) -> bool:
    """Return whether the list of signatures names this one and no other."""
    named = [element.get("BaseLoc") for element in _xml(files, SIGNATURES).iter(f"{{{NAMESPACE}}}Signature")]
    return named == [f"/{SIGNATURE}"]


def _covers(described: Element, files: Mapping[str, bytes]) -> bool:
    """Return whether every file of the package but the signature's own stands there with its digest, and no other."""
    references = described.find(f".//{{{NAMESPACE}}}References")
    if references is None or references.get("CheckMethod") != SM3:
        return False
    named: dict[str, bytes] = {}
    for reference in references.iter(f"{{{NAMESPACE}}}Reference"):
        try:
            value = base64.b64decode(reference.findtext(f"{{{NAMESPACE}}}CheckValue") or "", validate=True)
        except binascii.Error:
            return False
        named[(reference.get("FileRef") or "").removeprefix("/")] = value
    wanted = files.keys() - UNREFERENCED
    return named.keys() == wanted and all(sm3(files[path]) == named[path] for path in wanted)


def _signed_at(described: Element) -> datetime | None:
    text = described.findtext(f".//{{{NAMESPACE}}}SignatureDateTime") or ""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S%z")
    except ValueError:
        return None
