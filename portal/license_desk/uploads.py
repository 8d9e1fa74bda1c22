"""Files of batches (批量导入文件): CSV in UTF-8 or GB18030, or one sheet of Excel, with the columns of the type's template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from basedb.ingest import ROW_RULES
from core.errors import Invalid
from exchange.aggregation.connectors import csv_reading
from exchange.aggregation.connectors.excel_files import ExcelContents
from exchange.aggregation.connectors.files import Record
from licenses.issuing import sheets
from licenses.models import TypeVersion

LARGEST: Final = 20 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
_OLD: Final = b"\xd0\xcf\x11\xe0"


def rows_of(version: TypeVersion, file: UploadedFile[Any]) -> list[dict[str, Any]]:
    """Return the rows of an uploaded file; anything wrong with the file itself raises Invalid and nothing is taken in."""
    if (file.size or 0) > LARGEST:
        raise _wrong(_("文件过大，最多 20 MB。"))
    opened: Any = file.file
    opened.seek(0)
    head = opened.read(4)
    opened.seek(0)
    try:
        return list(_of_excel(opened, version) if head in (_ZIP, _OLD) else _of_csv(opened, version))
    except Invalid as error:
        raise _wrong(str(error.message)) from error


def _of_csv(file: IO[bytes], version: TypeVersion) -> Iterator[dict[str, Any]]:
    encoding = csv_reading.detect_encoding(file)
    given = csv_reading.header_of(file, encoding)
    own, header = _wanted(version, given)
    places = csv_reading.read_header(file, encoding, [*own, *header])[len(own) :]
    records = csv_reading.records(file, encoding, len(given))
    yield from sheets.rows_of(version, header, (_values(record, places) for record in records))


def _of_excel(file: IO[bytes], version: TypeVersion) -> Iterator[dict[str, Any]]:
    with NamedTemporaryFile(suffix=".xlsx") as copy:
        while chunk := file.read(1 << 20):
            copy.write(chunk)
        copy.flush()
        copy.seek(0)
        contents = ExcelContents(copy, Path(copy.name), {})
        try:
            given = [column.name for column in contents.columns]
            own, header = _wanted(version, given)
            csv_reading.check_header(given, [*own, *header])
            places = [given.index(name) for name in header]
            yield from sheets.rows_of(version, header, (_values(record, places) for record in contents.records({})))
        finally:
            contents.close()


def _wanted(version: TypeVersion, given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the two columns of refused rows as far as a file has them, and those of the type for as many holders as it has."""
    return [name for name in sheets.OWN if name in given], sheets.header_of(version, holders=sheets.holders_in(given))


def _values(record: Record, places: Sequence[int]) -> list[str | None]:
    if record.fault:
        text = _("第 %(line)s 行：%(what)s。") % {"line": record.line, "what": ROW_RULES[record.fault]}
        raise Invalid("batch.file_broken", text)
    return [record.values[place] for place in places]


def _wrong(text: str) -> Invalid:
    return Invalid("batch.file_refused", text, {"file": [text]})
