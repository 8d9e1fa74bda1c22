"""Staging (暂存): raw rows on their way into a base table, streamed by COPY into a disposable table of their own.

The table is unlogged, lives in schema `staging` inside the batch's transaction and is dropped with it. Nothing is judged
here; `ingest` does that. A blank value arrives as null: the two say the same in every source we read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import md5
from typing import Any, NamedTuple

import psycopg2
from django.db import connection
from django.utils import timezone

from basedb import links
from basedb.cleaning import clean
from basedb.dictionary import Dataset
from basedb.intake.contract import BROKEN_SINCE
from basedb.sql_text import quote

SCHEMA = "staging"
SOURCE_KEY_LENGTH = 64
BETWEEN = "\x1f"  # parts the values of a row that is told as one text
_CHUNK = 256 * 1024
_YEARS = range(1000, 9000)
_NEVER_KNOWN = bytes(16)  # a row that is broken from the start is rejected each time, whatever it says
# No field of the contract may be named like these: licenses have a number, many things a day they hold from.
_OWN_COLUMNS = (
    ("row_number", "bigint"),
    ("line_number", "bigint"),
    ("related_line", "bigint"),
    ("source_key", "text"),
    ("fault", "text"),
    ("as_of", "timestamptz"),
    ("damaged", "text"),
    ("subject_key", "bytea"),
    ("row_hash", "bytea"),
    ("row_valid_from", "timestamptz"),
    ("gone", "boolean"),
)


class RawRow(NamedTuple):
    """One row as a source delivered it: `values` stand in the order of the mapped fields, `number` orders the run.

    `fault` is the rule a row broke before it could be judged (`damaged` then holds its text, if it has no values);
    `as_of` is set for a row that must not overwrite anything newer. `valid_from` is what the source says since when the row
    holds; `gone` says that it has ended.
    """

    number: int
    values: Sequence[str | None]
    line_number: int | None = None
    source_key: str = ""
    fault: str = ""
    related_line: int | None = None
    as_of: datetime | None = None
    damaged: str | None = None
    valid_from: str | None = None
    gone: bool = False


class JoinedRow(NamedTuple):
    """A row a source handed out as one text; it is cut only when it tells something new.

    The text has the values in the order of the mapped fields, since when the row holds, and `gone` if it has ended.
    """

    number: int
    text: str
    source_key: str

    def cut(self) -> RawRow:
        """Return the row with its values apart."""
        *values, since, gone = self.text.split(BETWEEN)
        return RawRow(self.number, [value or None for value in values], None, self.source_key, valid_from=since, gone=bool(gone))


class KeyedRow(NamedTuple):
    """A row with the key its source knows it by and the digest of all it says."""

    raw: RawRow | JoinedRow
    source_key: str
    digest: bytes


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


def keyed(row: RawRow | JoinedRow, dataset: Dataset, fields: Sequence[str], key_fields: Sequence[str]) -> KeyedRow:
    """Return the row with its digest and its key: the source's own, else a digest of the fields that name a row."""
    if isinstance(row, JoinedRow):
        return KeyedRow(row, source_key(row.source_key), md5(row.text.encode(), usedforsecurity=False).digest())
    said = [*row.values, row.valid_from, "gone" if row.gone else ""] if row.values else [row.damaged]
    digest = md5(BETWEEN.join([text or "" for text in said]).encode(errors="replace"), usedforsecurity=False).digest()
    if row.fault:
        digest = _NEVER_KNOWN
    key = row.source_key
    if not key and row.values:
        named = [clean(dataset.field(name), row.values[fields.index(name)]) for name in key_fields if name in fields]
        key = _digest(BETWEEN.join([text or "" for text in named])) if any(named) else digest.hex()
    return KeyedRow(row, source_key(key), digest)


def source_key(key: str) -> str:
    """Return a key of a source as records have it: a digest when it is too long or holds control characters."""
    return _digest(key) if len(key) > SOURCE_KEY_LENGTH or not key.isprintable() else key


def _digest(text: str) -> str:
    return md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def fill(table: str, dataset: Dataset, fields: Sequence[str], rows: Iterable[KeyedRow], subject_key: Callable[[str], bytes]) -> int:
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
    dataset: Dataset, fields: Sequence[str], rows: Iterable[KeyedRow], subject_key: Callable[[str], bytes]
) -> Iterator[list[Any]]:
    key_field = dataset.field(dataset.key_field)
    place = fields.index(dataset.key_field) if dataset.key_field in fields else None
    nothing = [None] * len(fields)
    linked = [(number, field) for number, field in enumerate(map(dataset.field, fields)) if field.link]
    for told, own_key, digest in rows:
        row = told.cut() if isinstance(told, JoinedRow) else told
        values = links.sealed_values(linked, row.values, subject_key) if linked and row.values else row.values or nothing
        key = clean(key_field, values[place]) if place is not None else None
        since, fault = _since(row.valid_from)
        yield [
            row.number,
            row.line_number,
            row.related_line,
            own_key,
            row.fault or fault,
            row.as_of,
            row.damaged,
            f"\\x{subject_key(key).hex()}" if key else None,
            f"\\x{digest.hex()}",
            since,
            row.gone,
            *values,
        ]


def _since(text: str | None) -> tuple[datetime | None, str]:
    """Return what a source says since when a row holds, or the rule that breaks; local time where it names no zone.

    The first and the last day a database knows (0001-01-01, 9999-12-31) stand for none: taken as they are, the one could not be
    read back and the other would hide every later version.
    """
    written = (text or "").strip().replace("/", "-")
    if not written:
        return None, ""
    try:
        since = datetime.fromisoformat(written)
        if since.year not in _YEARS:
            return None, BROKEN_SINCE
        return (since if since.tzinfo else timezone.make_aware(since)), ""
    except (ValueError, OverflowError):
        return None, BROKEN_SINCE


def raw_sql(alias: str, fields: Sequence[str]) -> str:
    """Return an expression: the row as it came, as jsonb keyed by field."""
    pairs = ", ".join(f"{quote(field)}, {alias}.{field}" for field in fields)
    return f"jsonb_build_object({pairs})"
