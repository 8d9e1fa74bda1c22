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
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {listed} (source_key text) ON COMMIT DROP")
        cursor.copy_expert(f"COPY {listed} FROM STDIN (FORMAT csv)", _Keys(iter(keys)), _CHUNK)
        cursor.execute(f"ANALYZE {listed}")
        cursor.execute(
            f"SELECT r.source_key, l.source_key IS NULL FROM basedb_sourcerecord r LEFT JOIN {listed} l USING (source_key)"
            f" WHERE r.source_id = %s AND upper_inf(r.known) AND upper_inf(r.valid)",
            [source.pk],
        )
        held, vanished = 0, []
        while rows := cursor.fetchmany(10_000):
            held += len(rows)
            vanished += [key for key, is_gone in rows if is_gone]
        cursor.execute(f"SELECT EXISTS (SELECT FROM {listed})")
        is_empty = not cursor.fetchone()[0]
        cursor.execute(f"DROP TABLE {listed}")
    if vanished and (is_empty or (held >= LEAST_HELD and len(vanished) * 100 > limit_percent * held)):
        raise TooManyVanished(len(vanished), held)
    return [staging.RawRow(number, (), source_key=key, gone=True) for number, key in enumerate(vanished, 1)]


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
