"""Rows into a table by COPY (批量写入): texts as PostgreSQL's text format wants them, streamed in chunks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.db import connection

_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NOTHING: Final = "\\N"
_CHUNK: Final = 500


class _Stream:
    """What COPY reads from: lines of an iterator, some at a time."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def read(self, _size: int = -1) -> bytes:
        """Return the next lines, nothing at the end."""
        return "".join(line for _number, line in zip(range(_CHUNK), self._lines, strict=False)).encode()


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows to a table in the caller's transaction; dicts and lists become JSON."""
    lines = ("\t".join(map(_field, row)) + "\n" for row in rows)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", _Stream(lines))


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
