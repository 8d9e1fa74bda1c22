"""What is no longer at a source (全量主键比对): records whose key a source does not list any more end, unless they are too many.

The keys stand in a table of the caller's transaction. Too many missing at once, or none listed at all, says that something is
wrong with the source, not with its rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from django.db import connection

from basedb import staging
from basedb.models import DataSource

_CHUNK = 256 * 1024
LEAST_HELD = 100  # below it a share says little


class TooManyVanished(Exception):
    """More records would end than the plan allows."""

    def __init__(self, vanished: int, held: int) -> None:
        super().__init__(f"{vanished} of {held}")
        self.vanished, self.held = vanished, held


def ends_of_vanished(source: DataSource, keys: Iterable[str], table: str, *, limit_percent: int) -> list[staging.RawRow]:
    """Return the ends of the records whose key is not listed; TooManyVanished when they are more than the limit."""
    listed = f"listed_{table}"
    held_sql = "FROM basedb_sourcerecord r WHERE r.source_id = %s AND upper_inf(r.known) AND upper_inf(r.valid)"
    gone_sql = f"{held_sql} AND NOT EXISTS (SELECT FROM {listed} l WHERE l.source_key = r.source_key)"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {listed} (source_key text) ON COMMIT DROP")
        cursor.copy_expert(f"COPY {listed} FROM STDIN (FORMAT csv)", _Keys(iter(keys)), _CHUNK)
        cursor.execute(f"ANALYZE {listed}")
        cursor.execute(
            f"SELECT (SELECT count(*) {held_sql}), (SELECT count(*) {gone_sql}), EXISTS (SELECT FROM {listed})", [source.pk] * 2
        )
        held, vanished, is_any_listed = cursor.fetchone()
        if vanished and (not is_any_listed or (held >= LEAST_HELD and vanished * 100 > limit_percent * held)):
            raise TooManyVanished(vanished, held)
        keys_gone = []
        if vanished:  # counted first: a result is held whole here, and these are few
            cursor.execute(f"SELECT r.source_key {gone_sql}", [source.pk])
            keys_gone = [key for (key,) in cursor.fetchall()]
        cursor.execute(f"DROP TABLE {listed}")
    return [staging.RawRow(number, (), source_key=key, gone=True) for number, key in enumerate(keys_gone, 1)]


class _Keys:
    """What COPY reads keys from, written as the records have them."""

    def __init__(self, keys: Iterator[str]) -> None:
        self._keys = keys

    def read(self, size: int = 8192) -> bytes:
        """Return the next lines, empty at the end."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        for key in self._keys:
            writer.writerow((staging.source_key(key),))
            if text.tell() >= size:
                break
        return text.getvalue().encode()
