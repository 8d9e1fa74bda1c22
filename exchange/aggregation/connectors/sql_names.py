"""Names and values on their way between catalogue, SQL and text (库表取值): quoting is SQLAlchemy's, nothing is guessed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement, quoted_name


def split(name: str) -> tuple[str | None, str]:
    """Return schema and name of a table; a bare name lies in the account's own schema."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else (None, name)


def named(name: str) -> ColumnElement[Any]:
    """Return a column, quoted as the catalogue writes it."""
    return sa.column(quoted_name(name, quote=True))


def table_of(name: str) -> sa.TableClause:
    """Return a table, quoted as the catalogue writes it."""
    schema, table = split(name)
    return sa.table(quoted_name(table, quote=True), schema=quoted_name(schema, quote=True) if schema else None)


def as_text(value: Any) -> str | None:
    """Return what a driver hands out as the text the rules read; null stays null."""
    if value is None or isinstance(value, str):
        return value
    match value:
        case bool():
            return "1" if value else "0"
        case datetime() | date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
        case Decimal():
            return format(value, "f")
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex().upper()
        case _:
            return str(value.read() if hasattr(value, "read") else value)
