"""How much the base databases hold (库存): row counts for overview pages. No row leaves through here.

Small tables are counted, large ones estimated from the statistics PostgreSQL keeps anyway.
"""

from __future__ import annotations

from django.db import connection, models

from basedb.models import LegalEntity, Person

COUNTED_UP_TO = 200_000
TABLES: dict[str, type[models.Model]] = {"population.person": Person, "legal_entity.enterprise": LegalEntity}


def row_count(dataset: str) -> int:
    """Return how many rows a dataset holds; 0 for one that is not connected."""
    model = TABLES.get(dataset)
    if model is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        estimate = int(cursor.fetchone()[0])
    if estimate > COUNTED_UP_TO:
        return estimate
    return model._default_manager.filter(withdrawn_at=None).count()
