"""How much the base databases hold (库存): row counts for overview pages. No row leaves through here.

Small tables are counted, large ones estimated from the statistics PostgreSQL keeps anyway.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from basedb.dictionary import DATASETS

COUNTED_UP_TO = 200_000


def row_counts(datasets: Collection[str]) -> dict[str, int]:
    """Return how many rows each of these datasets holds, in two queries."""
    tables = {code: DATASETS[code].table for code in datasets}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint FROM pg_class WHERE oid = ANY(%s::regclass[])", [sorted(set(tables.values()))]
        )
        known = dict(cursor.fetchall())
        small = sorted(table for table, estimate in known.items() if estimate <= COUNTED_UP_TO)
        if small:
            counts = (f"SELECT '{table}', count(*) FROM {table} WHERE withdrawn_at IS NULL" for table in small)
            cursor.execute(" UNION ALL ".join(counts))
            known |= dict(cursor.fetchall())
    return {code: known[table] for code, table in tables.items()}
