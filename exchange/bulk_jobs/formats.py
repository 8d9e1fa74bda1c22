"""Formats of parts (文件格式): CSV and JSON lines by COPY, Excel row by row; all in constant memory, each row under its mark.

In Excel every value is written as text: nothing in a cell can become a formula or a link.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _
from psycopg2.extensions import connection as Connection  # noqa: N812

from basedb.parts import MARK, Rows
from exchange.bulk_jobs import files
from exchange.bulk_jobs.files import Digested
from exchange.models import FileFormat

EXCEL_ROWS: Final = 1_048_575  # a sheet has 1,048,576, one of them the header
FETCHED: Final = 5_000
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """What a part is to hold: rows behind `after` up to `upto`, and whom it is for."""

    rows: Rows
    after: bytes
    upto: bytes | None
    mark: str
    receiver: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What a part holds."""

    row_count: int
    byte_count: int
    sha256: bytes
    sm3: bytes


def write(source: Connection, piece: Piece, form: str, path: Path, tick: Tick) -> Written:
    """Write a part to `path`."""
    if form == FileFormat.EXCEL:
        return _write_excel(source, piece, path, tick)
    sql = piece.rows.csv_sql if form == FileFormat.CSV else piece.rows.json_lines_sql
    raw = Digested(path, tick)
    with io.BufferedWriter(raw, files.BUFFER) as file, source.cursor() as cursor:
        cursor.copy_expert(sql(piece.after, piece.upto, piece.mark), file, files.BUFFER)
        row_count = cursor.rowcount
    return _summed(raw, row_count)


def _summed(raw: Digested, row_count: int) -> Written:
    return Written(row_count, raw.byte_count, raw.sha256.digest(), raw.sm3.digest())


def _write_excel(source: Connection, piece: Piece, path: Path, tick: Tick) -> Written:
    made = path.with_suffix(".making")
    try:
        row_count = _fill(source, piece, made, tick)
        raw = Digested(path, tick)
        with made.open("rb") as content, raw:
            while block := content.read(files.BUFFER):
                raw.write(block)
    finally:
        made.unlink(missing_ok=True)
    return _summed(raw, row_count)


def _fill(source: Connection, piece: Piece, path: Path, tick: Tick) -> int:
    """Fill one sheet; the same rows give the same bytes, since the workbook carries the job's time and no other."""
    import xlsxwriter  # only here: most processes never write a sheet

    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    row_count = 0
    with xlsxwriter.Workbook(str(path), options) as book, source.cursor(name="part") as cursor:
        said = _("领取方：%(receiver)s") % {"receiver": piece.receiver}
        created = piece.opened_at.replace(tzinfo=None, microsecond=0)
        book.set_properties({"author": said, "comments": piece.mark, "created": created})
        sheet = book.add_worksheet()
        sheet.set_header(_page_text(said))
        sheet.set_footer(_page_text(piece.mark))
        _put(sheet, 0, [*piece.rows.selection.items, MARK])
        cursor.itersize = FETCHED
        cursor.execute(piece.rows.rows_sql(piece.after, piece.upto, piece.mark))
        for row_count, row in enumerate(cursor, start=1):
            _put(sheet, row_count, row)
            if row_count % FETCHED == 0:
                tick()
    return row_count


def _put(sheet: Any, number: int, values: Any) -> None:
    for place, value in enumerate(values):
        if value is not None:
            sheet.write_string(number, place, value)


def _page_text(text: str) -> str:
    return "&C" + text[:200].replace("&", "&&")
