"""Excel workbooks on an exchange node (前置机文件 Excel): one sheet, names in its first line that is not empty.

Nothing in a workbook is ever evaluated: a formula counts as the value it was saved with, a text beginning with = is a text. A
number so long that a spreadsheet lost its last digits is not taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from basedb.intake.contract import LOST_DIGITS, NUL_BYTE
from exchange.aggregation.connectors.archives import check_archive
from exchange.aggregation.connectors.csv_reading import check_header
from exchange.aggregation.connectors.drops import refused
from exchange.aggregation.connectors.files import Record, Texts
from exchange.aggregation.connectors.terms import Column

_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_EXACT_BELOW = 10**15
MOST_UNPACKED = 512 << 20  # a sheet is held in memory


class ExcelContents:
    """See `files.Contents`. The checkpoint is the number of the row as the spreadsheet shows it."""

    def __init__(self, file: IO[bytes], path: Path, place: Mapping[str, Any]) -> None:
        head = file.read(4)
        file.seek(0)
        if head != _ZIP:
            said = _("文件是旧版或已加密的 Excel 文件，请去掉密码并另存为 .xlsx。") if head == _OLD else _("不是 .xlsx 文件。")
            raise refused("not_xlsx", said)
        check_archive(file, most=MOST_UNPACKED)
        try:
            self._book = CalamineWorkbook.from_path(str(path))
            self._sheet = self._chosen(str(place.get("sheet") or ""))
        except (PasswordError, CalamineError, ValueError, OSError):
            raise refused("xlsx_broken", _("Excel 文件已损坏，无法打开。")) from None
        header = self._header()
        check_header(header, place.get("wanted") or header, may_grow=True)
        self.columns = tuple(Column(name) for name in header)

    def _chosen(self, name: str) -> CalamineSheet:
        names = self._book.sheet_names
        if name and name not in names:
            raise refused("sheet_gone", _("Excel 文件中没有工作表「%(name)s」。") % {"name": name})
        if not names:
            raise refused("empty", _("文件是空的。"))
        return self._book.get_sheet_by_name(name or names[0])

    def _header(self) -> list[str]:
        for number, row in enumerate(self._sheet.iter_rows(), start=1):
            names = [(_text(cell) or "").strip() for cell in row]
            if any(names):
                self._first = number
                while names and not names[-1]:
                    names.pop()
                return names
        raise refused("empty", _("文件是空的。"))

    def records(self, after: Mapping[str, Any]) -> Iterator[Record]:
        """Hand out the rows below the header, or below a checkpoint; empty rows do not count."""
        start, width = max(self._first, after.get("line", 0)), len(self.columns)
        for number, row in enumerate(self._sheet.iter_rows(), start=1):
            if number <= start:
                continue
            cells = [*row[:width], *[""] * (width - len(row))]
            texts = [_text(cell) for cell in cells]
            if any(text and text.strip() for text in texts):
                yield Record(number, number, *_judged(cells, texts))

    def place(self, record: Record) -> dict[str, Any]:
        """The row."""
        return {"line": record.line}

    def close(self) -> None:
        """Close the workbook."""
        self._book.close()


def _judged(cells: list[Any], texts: Texts) -> tuple[Texts, str]:
    """Return the texts and what is wrong with the cells they come from."""
    if any(isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= _EXACT_BELOW for cell in cells):
        return texts, LOST_DIGITS
    if any(text and "\x00" in text for text in texts):
        return [text and text.replace("\x00", "\ufffd") for text in texts], NUL_BYTE
    return texts, ""


def _text(cell: Any) -> str | None:
    """Return what a cell says; a whole number has no decimal places, a day no time."""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return (str(cell) if isinstance(cell, timedelta | int) else cell) or None
