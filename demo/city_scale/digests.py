"""What a city run left behind (运行结果): order-independent digests of every base table, and rejected rows by rule.

A digest is the sum of hashes of rows over what they mean: no ids, no runs, no transactions, no clock. Two runs over the same
sources must agree in all of them, however often their processes were shot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from basedb.dictionary import DATASETS, Dataset, Kind

RECORDS = """
    SELECT s.code, r.source_key, encode(r.row_hash, 'hex'), encode(r.subject_key, 'hex'), r.payload::text,
        upper_inf(r.valid), upper_inf(r.known)
    FROM basedb_sourcerecord r JOIN basedb_datasource d ON d.id = r.source_id JOIN ({sources}) s ON s.id = d.id"""
CROSSWALKS = """
    SELECT s.code, r.source_key, encode(c.entity_key, 'hex'), c.tier, upper_inf(c.linked)
    FROM basedb_crosswalk c JOIN basedb_sourcerecord r ON r.id = c.chain JOIN ({sources}) s ON s.id = r.source_id"""
CONFLICTS = "SELECT dataset, encode(entity_key, 'hex'), kind, field, state, cardinality(records) FROM basedb_fusionconflict"
REJECTED = """
    SELECT p.title, r.source_key, r.line_number, r.related_line, r.rule, r.field, r.raw::text, r.state
    FROM exchange_rejectedrow r JOIN exchange_aggregationplan p ON p.id = r.plan_id"""
# A source's own code carries the plan's identifier: what stays the same from city to city is its title.
SOURCES = "SELECT id, dataset || ':' || title AS code FROM basedb_datasource"
# A batch counts where it ends; between two runs of a dataset nobody works on it.
RATES = """
    SELECT dataset, (reached - 1) / %(block)s AS part, round(sum(read_count) / nullif(sum(seconds), 0))::bigint
    FROM (
        SELECT p.dataset, b.read_count, (sum(b.read_count) OVER so_far)::bigint AS reached,
            extract(epoch FROM b.committed_at - greatest(r.started_at, lag(b.committed_at) OVER so_far)) AS seconds
        FROM exchange_aggregationbatch b
        JOIN exchange_aggregationrun r ON r.id = b.run_id JOIN exchange_aggregationplan p ON p.id = r.plan_id
        WHERE b.read_count > 0
        WINDOW so_far AS (PARTITION BY p.dataset ORDER BY b.committed_at, b.id ROWS UNBOUNDED PRECEDING)
    ) batches
    GROUP BY 1, 2 ORDER BY 1, 2"""
MILLION = 1_000_000


class Digest(NamedTuple):
    """Number of rows and sum of their hashes."""

    rows: int
    digest: str


def of_query(query: str) -> Digest:
    """Return the digest of what a query yields, whatever its order."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), coalesce(sum(hashtextextended(q::text, 0)::numeric), 0) FROM ({query}) q")
        rows, total = cursor.fetchone()
    return Digest(rows, f"{int(total) % 2**128:032x}")


def of_base(dataset: Dataset) -> Digest:
    """Return the digest of a base table: its business columns, whom each row is about, whether anybody vouches for it."""
    state = "withdrawn_at IS NULL" + (", doubtful::text" if dataset.kind is Kind.MASTER else ", encode(row_key, 'hex')")
    return of_query(f"SELECT encode(subject_key, 'hex'), {state}, {', '.join(dataset.field_names)} FROM {dataset.table}")


def everything() -> dict[str, Digest]:
    """Return the digest of every table a city run fills; empty ones are left out."""
    found = {dataset.table: of_base(dataset) for dataset in DATASETS.values()}
    found["source records"] = of_query(RECORDS.format(sources=SOURCES))
    found["crosswalks"] = of_query(CROSSWALKS.format(sources=SOURCES))
    found["conflicts"] = of_query(CONFLICTS)
    found["rejected rows"] = of_query(REJECTED)
    return {name: digest for name, digest in found.items() if digest.rows}


def rejected_by_rule() -> dict[tuple[str, str], int]:
    """Return how many rows of each dataset broke which rule."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.dataset, r.rule, count(*) FROM exchange_rejectedrow r JOIN exchange_aggregationplan p ON p.id = r.plan_id"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return {(dataset, rule): count for dataset, rule, count in cursor.fetchall()}


def by_million(block: int = MILLION) -> dict[str, list[int]]:
    """Return rows a second of the first, second ... million rows of each dataset: whether it slows down as its base fills."""
    found: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(RATES, {"block": block})
        for dataset, _part, rate in cursor.fetchall():
            found.setdefault(dataset, []).append(int(rate or 0))
    return found


def sizes() -> dict[str, tuple[int, int]]:
    """Return rows (estimated) and bytes, indexes included, of the tables a city run fills."""
    tables = [dataset.table for dataset in DATASETS.values()]
    tables += ["basedb_sourcerecord", "basedb_crosswalk", "basedb_fusionconflict", "exchange_rejectedrow"]
    with connection.cursor() as cursor:
        found: dict[str, Any] = {}
        for table in tables:
            cursor.execute("SELECT count(*), pg_total_relation_size(%s) FROM " + table, [table])
            rows, size = cursor.fetchone()
            if rows:
                found[table] = (rows, size)
    return found
