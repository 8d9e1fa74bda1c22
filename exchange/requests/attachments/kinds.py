"""What a file is (文件类型), judged by its content, and whether it is one we take: pure.

The extension has to agree with the content. Files that can act on their own are refused: scripts in PDF, macros in Office
documents. A PDF or package that cannot be looked into is refused as well.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _

CONTENT_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "ofd": "application/ofd",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
}
KIND_OF_EXTENSION: Mapping[str, str] = {**{kind: kind for kind in CONTENT_TYPES}, "jpeg": "jpg"}
ACCEPT = ",".join(f".{extension}" for extension in KIND_OF_EXTENSION)
MOST_INFLATED = 64 * 1024 * 1024
MOST_MEMBERS = 5000

# Names in a PDF that make it run something, open something or carry another file. A script always needs /JavaScript.
ACTIVE_NAMES = re.compile(
    rb"/(?:JavaScript|Launch|RichMedia|EmbeddedFiles?|SubmitForm|ImportData|XFA(?=\s*(?:\[|\d+\s+\d+\s+R)))(?![A-Za-z0-9])"
)
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
STREAM = re.compile(rb"(?<!end)stream\r?\n")
# A stream that holds objects: by its type, or by the place of its first one (not a reference, as outlines have).
NESTED = re.compile(rb"/ObjStm(?![A-Za-z0-9])|/First\s+\d+(?!\d|\s+\d+\s+R)")
ONE_FILTER = re.compile(rb"/Filter\s*(?:\[\s*/FlateDecode\s*\]|/FlateDecode(?![A-Za-z0-9]))")
# Parts of an Office package that run or hide something that runs.
ACTIVE_PARTS = re.compile(
    r"vbaproject|vbadata|/activex/|/macrosheets/|/dialogsheets/|/embeddings/(?!.*\.(?:xlsx|docx)$)|\.(?:exe|dll|js|vbs|hta|lnk)$"
)
MARKUP = re.compile(rb"\s*(?:<\?xml|<!doctype|<!--|<html|<svg|<script|<head|<body|<iframe)", re.IGNORECASE)
TEXT_BREAKS = {"\n", "\r", "\t", "\f"}


def examine(name: str, content: bytes) -> tuple[str, str]:
    """Return the kind of a file and what is wrong with it; one of the two is empty."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    wanted = KIND_OF_EXTENSION.get(extension)
    if wanted is None:
        return "", _("只接受 pdf、ofd、docx、xlsx、png、jpg、txt、csv 文件。")
    if not content:
        return "", _("文件是空的。")
    found, fault = _kind_and_fault(content)
    if fault:
        return "", fault
    if found == "txt" and wanted == "csv":
        found = "csv"
    if found != wanted:
        return "", _("文件内容与扩展名“.%(extension)s”不符，请上传原始文件。") % {"extension": extension}
    return found, ""


def _kind_and_fault(content: bytes) -> tuple[str, str]:
    """Return what the content is, and why it is not taken."""
    for start, kind, check in STARTS:
        if content.startswith(start):
            return kind, check(content)
    if content.startswith(b"PK\x03\x04"):
        return _package(content)
    return ("txt", "") if _is_text(content) else ("", _("看不出是哪种文件，或者含有不接受的内容。"))


def _pdf_fault(content: bytes) -> str:
    """Look for active names in the source and in every stream that holds objects; what cannot be looked into is refused."""
    source = _plain(content)
    if ACTIVE_NAMES.search(source):
        return _("PDF 中含有脚本、可执行动作或嵌入文件，请另存为普通 PDF 后上传。")
    if re.search(rb"/Encrypt(?![A-Za-z0-9])", source):
        return _("加密的 PDF 无法检查，请去除密码后上传。")
    left, before = MOST_INFLATED, 0
    for found in STREAM.finditer(content):
        head, before = _plain(content[before : found.start()]), found.end()
        if not NESTED.search(head) or b"/Filter" not in head:
            continue
        end = content.find(b"endstream", found.end())
        is_plainly_packed = len(ONE_FILTER.findall(head)) == head.count(b"/Filter") and b"/Predictor" not in head
        inflated = _inflate(content[found.end() : end], left) if end > 0 and is_plainly_packed else None
        if inflated is None:
            return _("PDF 的内部结构无法检查，请另存为普通 PDF 后上传。")
        left -= len(inflated)
        if ACTIVE_NAMES.search(_plain(inflated)):
            return _("PDF 中含有脚本、可执行动作或嵌入文件，请另存为普通 PDF 后上传。")
    return ""


def _plain(content: bytes) -> bytes:
    """Return PDF source with the escapes of names undone: /J#53 is /JS."""
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)


def _inflate(content: bytes, most: int) -> bytes | None:
    """Return the inflated stream, or None when it is no such stream or longer than `most`."""
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(content, max(most, 1))
    except zlib.error:
        return None
    return inflated if stream.eof and len(inflated) <= most else None


def _package(content: bytes) -> tuple[str, str]:
    """Return which kind of package a zip is; other archives are not taken."""
    try:
        with ZipFile(BytesIO(content)) as package:
            members = package.infolist()
            names = {member.filename.lower().lstrip("/") for member in members}
            if len(members) > MOST_MEMBERS or any(member.flag_bits & 1 for member in members):
                return "", _("文件的内部结构无法检查，请另存后上传。")
            types = _read(package, "[Content_Types].xml").lower()
    except (BadZipFile, OSError, ValueError, zlib.error, NotImplementedError):
        return "", _("文件已损坏，无法打开。")
    kind = next((kind for mark, kind in PACKAGES.items() if mark in names), "")
    if not kind:
        return "", _("不接受压缩包，请逐个上传文件。")
    if any(ACTIVE_PARTS.search(f"/{name}") for name in names) or b"macroenabled" in types or b"vbaproject" in types:
        return "", _("文档中含有宏、控件或嵌入对象，请去除后另存再上传。")
    return kind, ""


def _read(package: ZipFile, name: str) -> bytes:
    """Return the beginning of a member, or nothing when there is none of this name."""
    if name not in package.namelist():
        return b""
    with package.open(name) as member:
        return member.read(1024 * 1024)


def _is_text(content: bytes) -> bool:
    """Return whether the content is text in UTF-8 or GB 18030 and not markup a browser would run."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = any(ord(c) < 32 and c not in TEXT_BREAKS for c in text) or "\x7f" in text
        return not controls and not MARKUP.match(text[:1000].encode())
    return False


PACKAGES: Mapping[str, str] = {"ofd.xml": "ofd", "word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
STARTS: tuple[tuple[bytes, str, Callable[[bytes], str]], ...] = (
    (b"%PDF-", "pdf", _pdf_fault),
    (b"\x89PNG\r\n\x1a\n", "png", lambda _content: ""),
    (b"\xff\xd8\xff", "jpg", lambda _content: ""),
)
