"""The values a column has (取值清单), by steps through an index that begins with it: one query, whatever the table holds."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Model


def values_of(model: type[Model], column: str) -> list[Any]:
    """Return the different values of an indexed column in order; null is none."""
    field: Any = model._meta.get_field(column)
    table, name = (connection.ops.quote_name(each) for each in (model._meta.db_table, field.column))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE found (value) AS (
                SELECT min({name}) FROM {table}
                UNION ALL SELECT (SELECT min({name}) FROM {table} WHERE {name} > found.value)
                FROM found WHERE found.value IS NOT NULL)
            SELECT value FROM found WHERE value IS NOT NULL"""
        )
        return [row[0] for row in cursor.fetchall()]
