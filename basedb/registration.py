"""Where somebody is registered (登记区划): the division alone, for rules that ask whether a copy of it reached a person."""

from __future__ import annotations

from django.db import connection

from basedb.dictionary import DATASETS


def region_of(dataset: str, subject_key: bytes) -> str | None:
    """Return the division a subject is registered in, None for one that is not."""
    known = DATASETS[dataset]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {known.region_field} FROM {known.table} WHERE subject_key = %s", [subject_key])
        row = cursor.fetchone()
    return str(row[0]) if row else None
