"""Rebuilding facts (事实重建): the facts of a dataset once more, from its records alone.

The choice and the writing are those of `facts`. Keys are digests and lie evenly, so equal ranges of them are parts of about one
size, each a transaction of its own under the lock of its dataset: what is held in memory does not grow with the base, deliveries
go on between two parts, and a rebuild may be stopped and started again at any time. Checking does the same and takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import connection, transaction

from basedb import followers
from basedb.dictionary import Dataset, Kind
from basedb.fusion.projecting import Projected
from basedb.fusion.rebuilding import PART, TakenBack
from basedb.intake import facts, versions
from basedb.sql_text import quote

_BEST, _TOUCHED = "best_rebuilt", "touched_rebuilt"
_KEYS = 1 << 128  # a key is a digest of 16 bytes


def rebuild_facts(
    *,
    dataset: Dataset,
    clock: Callable[[], datetime],
    is_check: bool = False,
    part: int = PART,
    progress: Callable[[int, Projected], None] | None = None,
) -> Projected:
    """Choose the record of every fact of a dataset anew; return what was different. `progress` hears of parts done."""
    if dataset.kind is not Kind.FACT:
        raise ValueError(f"{dataset.code} has no facts")
    total = Projected()
    for done, (low, high) in enumerate(_ranges(-(-_rows(dataset) // part)), 1):
        try:
            with transaction.atomic():
                versions.lock(dataset)
                found = _rebuild_range(dataset, low, high)
                total += found
                if is_check:
                    raise TakenBack
                if found != Projected() and followers.has_followers(dataset.code):
                    _follow(dataset, clock())
                _drop(_BEST)
        except TakenBack:
            pass
        if progress is not None:
            progress(done, total)
    return total


def _rows(dataset: Dataset) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT greatest((SELECT count(*) FROM basedb_sourcerecord r {facts.ours_sql(dataset)} WHERE {facts.CURRENT}),"
            f" (SELECT count(*) FROM {dataset.table} WHERE withdrawn_at IS NULL), 1)"
        )
        rows: int = cursor.fetchone()[0]
        return rows


def _ranges(parts: int) -> Iterator[tuple[bytes, bytes | None]]:
    """Cut all keys into equal ranges; the last one has no end."""
    bounds = [(number * _KEYS // parts).to_bytes(16, "big") for number in range(parts)]
    return zip(bounds, [*bounds[1:], None], strict=True)


def _rebuild_range(dataset: Dataset, low: bytes, high: bytes | None) -> Projected:
    bounds = [low] if high is None else [low, high]
    told = _told_sql(dataset, has_end=high is not None, is_all=high is None and not any(low))
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {_BEST} ON COMMIT DROP AS {_best_sql(dataset, told, has_end=high is not None)}", bounds * 2
        )
        cursor.execute(f"ANALYZE {_BEST} (row_key, id)")
    return facts.write(dataset, _BEST, is_compared=True)


def _told_sql(dataset: Dataset, *, has_end: bool, is_all: bool) -> str:
    """The records that tell of the facts in a range of subjects, once and by the index of subjects alone: a source may be a city.

    Facts that several subjects may tell of are cut by their own keys, which no index of the records knows: each part then reads
    all records of the dataset.
    """
    if dataset.is_named_by_subject and not is_all:
        return (
            f"{facts.candidates_sql(dataset)} FROM ("
            f"SELECT * FROM basedb_sourcerecord r WHERE {_within('r.subject_key', has_end)} OFFSET 0) r WHERE {facts.CURRENT}"
            f" AND r.source_id = ANY (ARRAY(SELECT s.id FROM basedb_datasource s WHERE s.dataset = {quote(dataset.code)}))"
        )
    within = _within(facts.row_key_sql(dataset, "r.payload"), has_end)
    condition = f"{facts.CURRENT} AND r.subject_key IS NOT NULL AND {within}"
    return f"{facts.candidates_sql(dataset)} FROM basedb_sourcerecord r {facts.ours_sql(dataset)} WHERE {condition}"


def _best_sql(dataset: Dataset, told: str, *, has_end: bool) -> str:
    """What stands of the facts told of, and the standing facts with keys in the range nobody tells any more.

    Nearly all facts stand by a current record: only for the others more records are looked for.
    """
    key, (column, sought) = facts.row_key_sql(dataset, "r.payload"), facts.found_by(dataset)
    condition = f"{facts.CURRENT} AND r.subject_key IS NOT NULL"
    return f"""
        WITH best AS ({facts.chosen_sql(dataset, told)}),
        bereft AS MATERIALIZED (
            SELECT f.row_key FROM {dataset.table} f WHERE {_within("f.row_key", has_end)} AND f.withdrawn_at IS NULL AND CASE
                WHEN EXISTS (SELECT FROM {facts.record_sql("f.source_record_id")} r WHERE {condition} AND {key} = f.row_key)
                THEN false ELSE NOT EXISTS (
                    SELECT FROM (SELECT * FROM basedb_sourcerecord r WHERE {sought} = f.{column} AND {condition} OFFSET 0) r
                    {facts.ours_sql(dataset)} WHERE {key} = f.row_key)
                END
        )
        SELECT * FROM best
        UNION ALL
        SELECT NULL, row_key, NULL, NULL, NULL, NULL, NULL, NULL FROM bereft WHERE row_key NOT IN (SELECT row_key FROM best)"""


def _within(key: str, has_end: bool) -> str:
    return f"{key} >= %s AND {key} < %s" if has_end else f"{key} >= %s"


def _follow(dataset: Dataset, now: datetime) -> None:
    """Have what follows these facts follow those that were written."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {_TOUCHED} ON COMMIT DROP AS SELECT f.subject_key FROM {_BEST} b"
            f" JOIN {dataset.table} f ON f.row_key = b.row_key WHERE f.changed_xid = pg_current_xact_id()"
        )
    followers.follow(dataset.code, touched=_TOUCHED, now=now)
    _drop(_TOUCHED)


def _drop(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")
