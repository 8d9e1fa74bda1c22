"""Rows into a table by COPY (批量写入): texts as PostgreSQL's text format wants them, streamed in chunks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import psycopg2
from django.db import connection

_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NOTHING: Final = "\\N"
_CHUNK: Final = 500


class _Stream:
    """What COPY reads from: lines of an iterator, some at a time."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.error: Exception | None = None

    def read(self, _size: int = -1) -> bytes:
        """Return the next lines, nothing at the end."""
        try:
            return "".join(islice(self._lines, _CHUNK)).encode()
        except Exception as error:
            self.error = error  # COPY would only say that reading failed
            raise


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows to a table in the caller's transaction; dicts and lists become JSON."""
    lines = ("\t".join(map(_field, row)) + "\n" for row in rows)
    stream = _Stream(lines)
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", stream)
    except psycopg2.Error:  # COPY is the driver's own, Django does not wrap its errors
        if stream.error is not None:
            raise stream.error from None
        raise


def _field(value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)
    return str(value)
