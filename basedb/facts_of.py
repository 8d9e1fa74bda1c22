"""The facts of one subject (主体事实): those of one dataset that stand, newest first, with where each came from. Bounded.

Who may see them and under which masks is decided above; keys of others are returned as hex for links between pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from basedb.dictionary import Dataset, DataType

MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its values by field name (dates as dates, keys as hex), department, source record, and since when it stands so."""

    values: dict[str, Any]
    source_department_id: int
    source_record_id: int
    changed_at: datetime


def facts_of(dataset: Dataset, subject_key: bytes, *, newest: str, limit: int = MOST) -> list[Fact]:
    """Return the standing facts of a subject, ordered by the field `newest`, the latest first; those without it last."""
    dataset.field(newest)
    rows = read(f"SELECT {columns(dataset)} FROM {dataset.table} f WHERE f.subject_key = %s AND f.withdrawn_at IS NULL"
                f" ORDER BY f.{newest} DESC NULLS LAST, f.id DESC LIMIT %s", [subject_key, limit])  # fmt: skip
    return [fact(dataset.field_names, row) for row in rows]


def columns(dataset: Dataset, alias: str = "f") -> str:
    """The columns `fact` expects: source and time, then the fields of the contract."""
    shown = [
        f"encode({alias}.{field.name}, 'hex')" if field.data_type is DataType.SUBJECT else f"{alias}.{field.name}"
        for field in dataset.fields
    ]
    return ", ".join([f"{alias}.source_department_id, {alias}.source_record_id, {alias}.changed_at", *shown])


def fact(names: tuple[str, ...], row: tuple[Any, ...]) -> Fact:
    """Return a row of `columns`, followed by as many more columns as there are more names, as a fact."""
    return Fact(dict(zip(names, row[3:], strict=True)), row[0], row[1], row[2])


def read(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Run one query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
