"""Laying versions into the record of a source (版本入账): which pieces of time a row's versions cover, and what is closed for it.

Of every key with news the whole line of pieces is laid anew from what is known and what came in, so that it does not matter in
which order versions, late rows and ends arrive. Pieces that no longer hold as they were are closed, never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from basedb.dictionary import Dataset
from basedb.intake.contract import Intake
from basedb.sql_text import quote


@dataclass(frozen=True, slots=True)
class Laid:
    """What was laid: tables of this transaction with the new pieces and the closed ones, and how many rows did what.

    `pieces` has new_id, number, old_id, gone, valid; `closed` has id, subject_key.
    """

    pieces: str
    closed: str
    changed: int
    deleted: int


def lock(dataset: Dataset) -> None:
    """Keep everybody else from laying versions of a dataset, and from rebuilding its facts, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [dataset.table])


def lay(intake: Intake, table: str, judged: str) -> Laid:
    """Close what the good rows of a batch overlap and insert their versions, in the caller's transaction under its lock."""
    known, news, pieces, closed = (f"{name}_{table}" for name in ("known", "news", "pieces", "closed"))
    steps: list[tuple[str, list[Any]]] = [
        (_known_sql(known, judged, intake.source.pk), []),
        (_news_sql(news, judged, known), [intake.now]),
        (_pieces_sql(pieces, news, known), [intake.now]),
        (_closed_sql(closed, pieces, known), []),
        (
            "UPDATE basedb_sourcerecord r SET known = tstzrange(lower(r.known), c.at)"
            f" FROM {closed} c WHERE r.id = c.id AND upper_inf(r.known)",
            [],
        ),
        (_insert_news_sql(intake, pieces, judged), []),
        (_insert_remnants_sql(pieces), []),
    ]
    with connection.cursor() as cursor:
        for statement, values in steps:
            cursor.execute(statement, values or None)
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE NOT n.gone), count(*) FILTER (WHERE n.gone AND (n.ends_something OR NOT EXISTS ("
            f"SELECT FROM {pieces} p WHERE p.number = n.number))) FROM {news} n"
        )
        changed, deleted = cursor.fetchone()
    return Laid(pieces, closed, changed, deleted)


def _known_sql(known: str, judged: str, source_id: int) -> str:
    """The open pieces of the batch's keys; the two halves are one partial index each."""
    columns = "r.id, r.source_key, r.chain, r.subject_key, r.valid, r.known, r.row_hash"
    join = f"JOIN basedb_sourcerecord r ON r.source_id = {source_id:d} AND r.source_key = k.source_key AND upper_inf(r.known)"
    return f"""
        CREATE TEMPORARY TABLE {known} ON COMMIT DROP AS
        WITH k AS MATERIALIZED (SELECT DISTINCT source_key FROM {judged} WHERE rule IS NULL)
        SELECT {columns} FROM k {join} AND upper_inf(r.valid)
        UNION ALL SELECT {columns} FROM k {join} AND NOT upper_inf(r.valid)"""


def _news_sql(news: str, judged: str, known: str) -> str:
    """The good rows that tell something new, the last of those that hold from the same moment.

    A row that does not say since when it holds comes after everything known of its key; such an end of a key that is not known
    is told all the same, because a rejected row of that key may come back.
    """
    return f"""
        CREATE TEMPORARY TABLE {news} ON COMMIT DROP AS
        WITH ends AS (
            SELECT source_key, max(greatest(lower(valid), upper(valid))) AS latest FROM {known} GROUP BY source_key
        ), good AS (
            SELECT DISTINCT ON (j.source_key, since) j.row_number AS number, j.source_key, j.row_hash, j.gone,
                j.row_valid_from IS NOT NULL AS is_dated, coalesce(j.row_valid_from, greatest(%s, e.latest)) AS since
            FROM {judged} j LEFT JOIN ends e ON e.source_key = j.source_key
            WHERE j.rule IS NULL ORDER BY j.source_key, since, j.row_number DESC
        )
        SELECT g.number, g.source_key, g.gone, g.since, EXISTS (
            SELECT FROM {known} p WHERE p.source_key = g.source_key AND lower(p.valid) < upper(p.valid) IS NOT FALSE
                AND p.valid @> g.since
        ) AS ends_something
        FROM good g WHERE CASE
            WHEN NOT g.gone THEN NOT EXISTS (
                SELECT FROM {known} p WHERE p.source_key = g.source_key AND p.row_hash = g.row_hash
                    AND CASE WHEN g.is_dated THEN lower(p.valid) = g.since ELSE upper_inf(p.valid) END)
            WHEN g.is_dated THEN NOT EXISTS (
                SELECT FROM {known} p WHERE p.source_key = g.source_key AND upper(p.valid) = g.since
                    AND (NOT p.valid @> g.since OR lower(p.valid) = g.since))
            ELSE NOT EXISTS (SELECT FROM {known} p WHERE p.source_key = g.source_key)
                OR EXISTS (SELECT FROM {known} p WHERE p.source_key = g.source_key AND upper_inf(p.valid)) END"""


def _pieces_sql(pieces: str, news: str, known: str) -> str:
    """Lay the line of every key with news anew and keep the pieces that were not there just so.

    An end is no piece of its own: the piece before it stops there. Only one that came before any row it could end is kept, as a
    single moment without contents, until that row comes.
    """
    return f"""
        CREATE TEMPORARY TABLE {pieces} ON COMMIT DROP AS
        WITH held AS (
            SELECT k.* FROM {known} k WHERE k.source_key IN (SELECT source_key FROM {news})
        ), chains AS (
            SELECT source_key, min(chain) AS chain, max(lower(known)) AS known_from FROM held GROUP BY source_key
        ), told AS (
            SELECT DISTINCT ON (source_key, since) * FROM (
                SELECT source_key, lower(valid) AS since, 0 AS arrival, id AS old_id, NULL::bigint AS number,
                    lower(valid) = upper(valid) IS TRUE AS gone FROM held
                UNION ALL
                SELECT source_key, upper(valid), -1, NULL, NULL, true FROM held WHERE lower(valid) < upper(valid)
                UNION ALL
                SELECT source_key, since, 1, NULL, number, gone FROM {news}
            ) e ORDER BY source_key, since, arrival DESC
        ), line AS (
            SELECT t.*, lead(since) OVER w AS until, coalesce(lag(gone) OVER w, true) AS stands_alone
            FROM told t WINDOW w AS (PARTITION BY source_key ORDER BY since)
        ), tiles AS (
            SELECT l.source_key, l.number, l.old_id, l.gone, h.valid AS was,
                CASE WHEN l.gone THEN tstzrange(l.since, l.since, '[]') ELSE tstzrange(l.since, l.until) END AS valid
            FROM line l LEFT JOIN held h ON h.id = l.old_id WHERE NOT l.gone OR l.stands_alone
        ), numbered AS (
            SELECT t.*, CASE WHEN t.valid IS DISTINCT FROM t.was THEN nextval('basedb_sourcerecord_id_seq') END AS new_id
            FROM tiles t
        )
        SELECT n.source_key, n.number, n.old_id, n.gone, n.valid, n.new_id,
            coalesce(c.chain, min(n.new_id) OVER (PARTITION BY n.source_key)) AS chain,
            greatest(%s, c.known_from + interval '1 microsecond') AS at
        FROM numbered n LEFT JOIN chains c ON c.source_key = n.source_key"""


def _closed_sql(closed: str, pieces: str, known: str) -> str:
    return f"""
        CREATE TEMPORARY TABLE {closed} ON COMMIT DROP AS
        SELECT k.id, k.subject_key, p.at
        FROM (SELECT source_key, max(at) AS at FROM {pieces} GROUP BY source_key) p JOIN {known} k ON k.source_key = p.source_key
        WHERE NOT EXISTS (SELECT FROM {pieces} kept WHERE kept.old_id = k.id AND kept.new_id IS NULL)"""


def _insert_news_sql(intake: Intake, pieces: str, judged: str) -> str:
    payload = payload_sql(intake.dataset, intake.fields, "j")
    return f"""
        INSERT INTO basedb_sourcerecord
            (id, source_id, source_key, chain, run_id, row_hash, subject_key, payload, valid, known, received_at)
        SELECT p.new_id, {intake.source.pk:d}, p.source_key, p.chain, {intake.run_id:d}, j.row_hash,
            CASE WHEN NOT p.gone THEN j.subject_key END, CASE WHEN p.gone THEN '{{}}' ELSE {payload} END,
            p.valid, tstzrange(p.at, NULL), p.at
        FROM {pieces} p JOIN {judged} j ON j.row_number = p.number ORDER BY p.new_id"""


def _insert_remnants_sql(pieces: str) -> str:
    """What is left of a piece still says when and in which run it was delivered."""
    return f"""
        INSERT INTO basedb_sourcerecord
            (id, source_id, source_key, chain, run_id, row_hash, subject_key, payload, valid, known, received_at)
        SELECT p.new_id, r.source_id, r.source_key, r.chain, r.run_id, r.row_hash, r.subject_key, r.payload, p.valid,
            tstzrange(p.at, NULL), r.received_at
        FROM {pieces} p JOIN basedb_sourcerecord r ON r.id = p.old_id WHERE p.new_id IS NOT NULL"""


def payload_sql(dataset: Dataset, fields: tuple[str, ...], alias: str) -> str:
    """An expression: what a judged row says, as jsonb, fields that say nothing left out."""
    pairs = ", ".join(f"{quote(name)}, {alias}.{name}" for name in dataset.field_names if name in fields)
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"
