"""Staging (暂存): raw rows on their way into a base table, streamed by COPY into a disposable table of their own.

The table is unlogged, lives in schema `staging` inside the batch's transaction and is dropped with it. Nothing is judged
here; `ingest` does that. A blank value arrives as null: the two say the same in every source we read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg2
from django.db import connection

from basedb.cleaning import clean
from basedb.dictionary import Dataset
from basedb.sql_text import quote

SCHEMA = "staging"
SOURCE_KEY_LENGTH = 64
_CHUNK = 256 * 1024
_OWN_COLUMNS = (
    ("number", "bigint"),
    ("line_number", "bigint"),
    ("related_line", "bigint"),
    ("source_key", "text"),
    ("fault", "text"),
    ("as_of", "timestamptz"),
    ("damaged", "text"),
    ("subject_key", "bytea"),
)


class RawRow(NamedTuple):
    """One row as a source delivered it: `values` stand in the order of the mapped fields, `number` orders the run.

    `fault` is the rule a row broke before it could be judged (`damaged` then holds its text, if it has no values);
    `as_of` is set for a row that must not overwrite anything newer.
    """

    number: int
    values: Sequence[str | None]
    line_number: int | None = None
    source_key: str = ""
    fault: str = ""
    related_line: int | None = None
    as_of: datetime | None = None
    damaged: str | None = None


class _Feed:
    """What COPY reads from: a file-like view of an iterator of rows that holds one chunk at a time."""

    def __init__(self, lines: Iterator[list[Any]]) -> None:
        self.lines = lines
        self.count = 0
        self.error: Exception | None = None
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\r\n")

    def read(self, _size: int = -1) -> bytes:
        """Return the next chunk, empty at the end."""
        self._text.seek(0)
        self._text.truncate()
        try:
            for line in self.lines:
                self._writer.writerow(line)
                self.count += 1
                if self._text.tell() >= _CHUNK:
                    break
        except Exception as error:
            self.error = error  # COPY would only say that reading failed
            raise
        return self._text.getvalue().encode()


def create(table: str, fields: Sequence[str]) -> None:
    """Create an empty staging table; a leftover of the same name is dropped first."""
    columns = ", ".join([f"{name} {kind}" for name, kind in _OWN_COLUMNS] + [f"{field} text" for field in fields])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{table}; CREATE UNLOGGED TABLE {SCHEMA}.{table} ({columns})")


def drop(table: str) -> None:
    """Drop a staging table."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {SCHEMA}.{table}")


def fill(table: str, dataset: Dataset, fields: Sequence[str], rows: Iterable[RawRow], subject_key: Callable[[str], bytes]) -> int:
    """Stream rows into a staging table with the key of their subject; return how many."""
    feed = _Feed(_lines(dataset, fields, rows, subject_key))
    columns = ", ".join([name for name, _ in _OWN_COLUMNS] + list(fields))
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {SCHEMA}.{table} ({columns}) FROM STDIN (FORMAT csv)", feed, _CHUNK)
    except psycopg2.Error:  # COPY is the driver's own, Django does not wrap its errors
        if feed.error is not None:
            raise feed.error from None
        raise
    return feed.count


def _lines(
    dataset: Dataset, fields: Sequence[str], rows: Iterable[RawRow], subject_key: Callable[[str], bytes]
) -> Iterator[list[Any]]:
    key_field = dataset.field(dataset.key_field)
    place = fields.index(dataset.key_field)
    nothing = [None] * len(fields)
    for row in rows:
        values = row.values or nothing
        key = clean(key_field, values[place])
        sealed = f"\\x{subject_key(key).hex()}" if key else None
        yield [
            row.number,
            row.line_number,
            row.related_line,
            row.source_key[:SOURCE_KEY_LENGTH],
            row.fault,
            row.as_of,
            row.damaged,
            sealed,
            *values,
        ]


def raw_sql(alias: str, fields: Sequence[str]) -> str:
    """Return an expression: the row as it came, as jsonb keyed by field."""
    pairs = ", ".join(f"{quote(field)}, {alias}.{field}" for field in fields)
    return f"jsonb_build_object({pairs})"
