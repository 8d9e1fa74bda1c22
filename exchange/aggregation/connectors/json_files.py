"""JSON lines on an exchange node (前置机文件 JSON 行): one object a line, UTF-8; streamed by bytes like CSV.

Numbers keep their digits as written. The first objects say which columns there are; a name that is missing in a line is empty.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from basedb.intake.contract import BROKEN_JSON, NUL_BYTE
from exchange.aggregation.connectors.csv_reading import check_header
from exchange.aggregation.connectors.drops import refused
from exchange.aggregation.connectors.files import Record
from exchange.aggregation.connectors.terms import Column

LONGEST_LINE = 4 << 20
LONGEST_KEPT = 64 * 1024  # of a line that is no object, for its owner to see
LOOKED_AT = 1_000


class JsonContents:
    """See `files.Contents`. The checkpoint is the line and the byte after it."""

    def __init__(self, file: IO[bytes], _path: Path, place: Mapping[str, Any]) -> None:
        self._file = file
        self._scan()
        header: dict[str, None] = {}
        for (_line, _end, row), _number in zip(self._objects(0, 0), range(LOOKED_AT), strict=False):
            header |= dict.fromkeys(row if isinstance(row, dict) else {})
        wanted = place.get("wanted") or list(header)
        check_header(list(header), wanted, may_grow=True)
        self.columns = tuple(Column(name) for name in header)

    def _scan(self) -> None:
        """Refuse what is no text at all before anything is loaded, naming the line."""
        self._file.seek(0)
        if not self._file.read(1):
            raise refused("empty", _("文件是空的。"))
        self._file.seek(0)
        number = 0
        while line := self._file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise refused("line_too_long", _("第 %(line)s 行过长。") % {"line": number}, line=number)
            if b"\x00" in line:
                raise refused("nul", _("第 %(line)s 行含有空字节(NUL),文件可能已损坏。") % {"line": number}, line=number)
            try:
                line.decode()
            except UnicodeDecodeError:
                raise refused("encoding", _("第 %(line)s 行不是 UTF-8 编码。") % {"line": number}, line=number) from None

    def _objects(self, start: int, line: int) -> Iterator[tuple[int, int, dict[str, Any] | str]]:
        """Hand out line, byte after it and object; the beginning of the text for what is none."""
        self._file.seek(start)
        while raw := self._file.readline(LONGEST_LINE + 1):
            line += 1
            text = raw.removeprefix(codecs.BOM_UTF8).strip()
            if text:
                row = _object(text)
                yield line, self._file.tell(), text.decode()[:LONGEST_KEPT] if row is None else row

    def records(self, after: Mapping[str, Any]) -> Iterator[Record]:
        """Hand out the lines after a checkpoint."""
        names = [column.name for column in self.columns]
        for line, end, row in self._objects(after.get("offset", 0), after.get("line", 0)):
            if isinstance(row, str):
                yield Record(line, end, [], BROKEN_JSON, row)
                self._file.seek(end)
                continue
            texts = [_text(row.get(name)) for name in names]
            if any(text and "\x00" in text for text in texts):
                yield Record(line, end, [text and text.replace("\x00", "\ufffd") for text in texts], NUL_BYTE)
            else:
                yield Record(line, end, texts)
            self._file.seek(end)

    def place(self, record: Record) -> dict[str, Any]:
        """The line and the byte after it."""
        return {"line": record.line, "offset": record.end}

    def close(self) -> None:
        """The file is the reading's."""


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _no_number(text: str) -> None:
    raise ValueError(text)


def _text(value: Any) -> str | None:
    """Return a scalar as text, anything nested as JSON."""
    if value is None or isinstance(value, str):
        return whole(value) if value else None
    if isinstance(value, bool):
        return "1" if value else "0"
    return whole(json.dumps(value, ensure_ascii=False))


def whole(text: str) -> str:
    """Return a text that can be stored: half a pair of surrogates cannot."""
    return text.encode(errors="replace").decode() if any("\ud800" <= c <= "\udfff" for c in text) else text
