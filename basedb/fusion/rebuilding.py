"""Rebuilding (重建): golden rows, computed links and conflicts of a dataset once more, from its records alone.

The work is `projecting`'s, a part of the keys at a time, each part a transaction of its own: a rebuild may be stopped and
started again at any time. Checking does the same and takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from basedb.dictionary import Dataset
from basedb.fusion.projecting import Projected, project

PART = 20_000
_TOUCHED = "fusion_rebuilt"


class TakenBack(Exception):
    """Ends a transaction whose outcome was only looked at."""


@contextmanager
def alone(dataset: Dataset) -> Iterator[bool]:
    """Tell whether nobody else rebuilds a dataset, and keep others from it meanwhile.

    Workers are asked every few seconds; a rebuild of a city takes far longer and would be begun by all of them.
    """
    name = f"fusion-rebuild:{dataset.code}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        is_first = bool(cursor.fetchone()[0])
        try:
            yield is_first
        finally:
            if is_first:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])


def rebuild(
    *,
    dataset: Dataset,
    clock: Callable[[], datetime],
    is_check: bool = False,
    part: int = PART,
    progress: Callable[[int, Projected], None] | None = None,
) -> Projected:
    """Project every subject of a dataset; return what was different. `progress` hears of keys done and differences so far."""
    total, done, after = Projected(), 0, b""
    while True:
        try:
            with transaction.atomic():
                keys = _take(dataset, after, part)
                if not keys:
                    return total
                after = keys[-1]
                total += project(dataset, touched=_TOUCHED, run_id=None, now=clock())
                if is_check:
                    raise TakenBack
        except TakenBack:
            pass
        done += len(keys)
        if progress is not None:
            progress(done, total)


def project_keys(dataset: Dataset, keys: Iterable[bytes], *, now: datetime) -> Projected:
    """Project some subjects, in the caller's transaction."""
    with connection.cursor() as cursor:
        _make_table(cursor)
        cursor.execute(f"INSERT INTO {_TOUCHED} SELECT unnest(%s::bytea[])", [list(keys)])
    return project(dataset, touched=_TOUCHED, run_id=None, now=now)


def _make_table(cursor: CursorWrapper) -> None:
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {_TOUCHED} (subject_key bytea) ON COMMIT DELETE ROWS; TRUNCATE {_TOUCHED}"
    )


def _take(dataset: Dataset, after: bytes, part: int) -> list[bytes]:
    """Put the next keys - of records, and of golden rows no record may stand behind any more - into the table."""
    with connection.cursor() as cursor:
        _make_table(cursor)
        cursor.execute(
            f"""
            INSERT INTO {_TOUCHED}
            SELECT subject_key FROM (
                (SELECT DISTINCT r.subject_key FROM basedb_sourcerecord r
                JOIN basedb_datasource s ON s.id = r.source_id AND s.dataset = %s
                WHERE r.subject_key > %s ORDER BY 1 LIMIT %s)
                UNION
                (SELECT b.subject_key FROM {dataset.table} b WHERE b.subject_key > %s ORDER BY 1 LIMIT %s)
            ) k ORDER BY 1 LIMIT %s RETURNING subject_key""",
            [dataset.code, after, part, after, part, part],
        )
        return sorted(bytes(row[0]) for row in cursor.fetchall())
