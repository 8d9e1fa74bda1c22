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
