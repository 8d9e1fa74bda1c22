"""Reading a delimited file line by line (CSV 解析): encoding, header, broken rows with their line numbers.

A row with an open quote or a wrong number of columns is handed out as broken and the next line starts afresh, so that one
slip does not swallow what follows. Memory is bounded by the longest line allowed.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from typing import IO

from django.utils.translation import gettext as _

from basedb.ingest import BROKEN_COLUMNS, BROKEN_QUOTE
from core.texts import in_clauses, listed
from exchange.aggregation.connectors.drops import refused
from exchange.aggregation.connectors.files import Record

LONGEST_LINE = 64 * 1024
MOST_LINES = 50
LONGEST_NAME = 60
_COLUMN_NAME = re.compile(r"[^\W\d]\w{0,29}")
_LONG_NUMBER = re.compile(r"\d{6}")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Four characters in a row: so many of GB18030 make a line that is UTF-8 as well by no accident worth counting.
_CHINESE_IN_UTF8 = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){4}")


def detect_encoding(file: IO[bytes]) -> str:
    """Return `utf-8-sig` or `gb18030`; refuse anything else, NUL bytes, endless lines and an empty file, naming the line."""
    file.seek(0)
    start = file.read(4)
    if not start:
        raise refused("empty", _("文件是空的。"))
    if start[:2] in _UTF16:
        raise refused("encoding", _("文件是 UTF-16 编码，请另存为 UTF-8 或 GB18030。"), line=1)
    not_utf8 = _scan(file, "utf-8")
    if not not_utf8:
        return "utf-8-sig"
    not_gb18030 = _scan(file, "gb18030")
    if not not_gb18030:
        _refuse_mixture(file, not_utf8)
        return "gb18030"
    wrong = max(not_utf8, not_gb18030)  # the encoding that went farther is the one that was meant
    raise refused("encoding", _("第 %(line)s 行既不是 UTF-8 也不是 GB18030 编码。") % {"line": wrong}, line=wrong)


def _scan(file: IO[bytes], encoding: str) -> int:
    """Return the first line that is not in this encoding, 0 when all are."""
    file.seek(0)
    wrong = number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise refused("line_too_long", _("第 %(line)s 行过长。") % {"line": number}, line=number)
        if b"\x00" in line:
            raise refused("nul", _("第 %(line)s 行含有空字节(NUL),文件可能已损坏。") % {"line": number}, line=number)
        if not wrong:
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                wrong = number
    return wrong


def _refuse_mixture(file: IO[bytes], not_utf8: int) -> None:
    """Refuse a file of both encodings: read as GB18030, Chinese in UTF-8 is other Chinese, not an error."""
    file.seek(0)
    for number, line in enumerate(iter(file.readline, b""), start=1):
        if _CHINESE_IN_UTF8.search(line) and _is_utf8(line):
            wrong = max(number, not_utf8)  # the first line that is not like those before it
            said = _("第 %(line)s 行的编码与前面各行不同：文件混有 UTF-8 和 GB18030，请统一编码后重新提供。")
            raise refused("encoding", said % {"line": wrong}, line=wrong)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def header_of(file: IO[bytes], encoding: str) -> list[str]:
    """Return the names of the first line."""
    file.seek(0)
    line = file.readline(LONGEST_LINE).decode(encoding).rstrip("\r\n")
    try:
        return [name.strip() for name in next(csv.reader([line]), [])]
    except csv.Error:
        said = _("第 1 行无法读取：行尾可能不是换行（旧式 Mac 换行），请另存为普通 CSV 后重新提供。")
        raise refused("header", said, line=1) from None


def read_header(file: IO[bytes], encoding: str, wanted: Sequence[str]) -> list[int]:
    """Return for each wanted column its place in the file; refuse a header that is not exactly those, in any order."""
    header = header_of(file, encoding)
    check_header(header, wanted)
    return [header.index(name) for name in wanted]


def check_header(header: Sequence[str], wanted: Sequence[str], *, may_grow: bool = False) -> None:
    """Refuse a header that lacks wanted names or has others; one that `may_grow` may have others, if they read like names."""
    missing = [name for name in wanted if name not in header]
    unknown = [name for name in header if name not in wanted]
    twice = sorted({name for name in wanted if header.count(name) > 1})
    if len(header) == 1 and missing and (other := _other_delimiter(header[0])):
        said = _("第 1 行没有逗号，似乎以「%(delimiter)s」分隔；请改用英文逗号分隔。")
        raise refused("delimiter", said % {"delimiter": other}, line=1)
    if may_grow and not missing and not twice and len(set(header)) == len(header) and all(map(_may_be_name, unknown)):
        return
    if missing or unknown or twice:
        faults = [
            _("缺少列：%(names)s") % {"names": listed(missing)} if missing else "",
            _("多出列：%(names)s") % {"names": _told(unknown, is_header=len(missing) < len(wanted))} if unknown else "",
            _("重复列：%(names)s") % {"names": listed(twice)} if twice else "",
        ]
        text = in_clauses(part for part in faults if part)
        raise refused("header", _("第 1 行表头与字段对应不一致：%(what)s。") % {"what": text[:300]}, line=1)


def _is_name(name: str) -> bool:
    return _COLUMN_NAME.fullmatch(name) is not None and not _LONG_NUMBER.search(name)


def _may_be_name(name: str) -> bool:
    """Whether a name beside all that are wanted is taken for one: a sheet for people has brackets, marks and blanks in them."""
    is_shown = name.replace("\u3000", " ").isprintable()
    return 0 < len(name) <= LONGEST_NAME and is_shown and not _LONG_NUMBER.search(name)


def _other_delimiter(line: str) -> str:
    """Return what seems to part the names of a line without commas, if anything does."""
    shown = {"\t": _("制表符")}
    counted = {mark: line.count(mark) for mark in "\t;|，、"}
    mark = max(counted, key=lambda found: counted[found])
    return shown.get(mark, mark) if counted[mark] else ""


def _told(names: Sequence[str], *, is_header: bool) -> str:
    """Name the columns nobody asked for, as far as they look like names: without a header these are the first person's data."""
    shown = [name for name in names if is_header and _is_name(name)]
    if len(shown) < len(names):
        shown.append(_("%(count)s 个无法识别的列名") % {"count": len(names) - len(shown)})
    return listed(shown)


def records(file: IO[bytes], encoding: str, width: int, *, start: int = 0, line: int = 1) -> Iterator[Record]:
    """Hand out the rows after byte `start`, the end of line number `line`; at 0 the header is skipped. Blank lines do not count."""
    end = file.seek(start)  # counted on: asking the file each time costs a call of the system
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    if start == 0:
        end += len(file.readline(LONGEST_LINE))
    while raw := file.readline(LONGEST_LINE):
        line += 1
        end += len(raw)
        text = raw.decode(codec).rstrip("\r\n")
        if not text.strip():
            continue
        if text.count('"') % 2 == 0:
            yield _record(line, end, text, width)
            continue
        joined, used = _joined(file, codec, text, width)
        if joined is None:
            file.seek(end)
            yield Record(line, end, [], BROKEN_QUOTE, text)
        else:
            end = file.tell()
            yield Record(line, end, [*joined])
            line += used


def _record(line: int, end: int, text: str, width: int) -> Record:
    values = _split(text)
    if values is None:
        return Record(line, end, [], BROKEN_QUOTE, text)
    if len(values) != width:
        return Record(line, end, [], BROKEN_COLUMNS, text)
    return Record(line, end, [*values])


def _split(text: str) -> list[str] | None:
    """Return the values of one complete row, None when its quotes do not pair."""
    if '"' not in text and "\r" not in text:
        return text.split(",")
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _joined(file: IO[bytes], codec: str, text: str, width: int) -> tuple[list[str] | None, int]:
    """Try to complete a quoted value that runs over lines; return its row and the number of lines added."""
    lines = [text]
    for used in range(1, MOST_LINES):
        raw = file.readline(LONGEST_LINE)
        if not raw:
            break
        lines.append(raw.decode(codec).rstrip("\r\n"))
        if '"' not in lines[-1] or lines[-1].count('"') % 2 == 0:
            continue
        try:
            rows = list(csv.reader([part + "\n" for part in lines], strict=True))
        except csv.Error:
            return None, 0
        return (rows[0], used) if len(rows) == 1 and len(rows[0]) == width else (None, 0)
    return None, 0
