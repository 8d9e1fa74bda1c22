"""PostgreSQL and its domestic kin that speak its protocol (部门数据库接入): one read-only snapshot a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from basedb.staging import BETWEEN
from core.errors import DomainError
from exchange.aggregation.connectors import refusals
from exchange.aggregation.connectors.sql import CONNECT_SECONDS, STATEMENT_SECONDS, SqlConnector
from exchange.aggregation.connectors.sql_names import named
from exchange.aggregation.connectors.terms import Column

_MEANT: dict[str, str] = {
    "42P01": "source.table_gone",
    "42703": "source.column_missing",
    "42501": "source.forbidden",
    "57014": refusals.TIMEOUT,
    "28P01": "source.wrong_password",
    "28000": "source.wrong_password",
    "3D000": "source.database_gone",
}

# A login that failed has no code, only words, in the language of the server.
_WRONG_PASSWORD = ("authentication failed", "no password", "认证失败")
_NO_DATABASE = ("does not exist", "不存在")

_MOST_JOINED = 90


class Postgresql(SqlConnector):
    """PostgreSQL through psycopg2. Columns come as the server writes them as text, geometry as EWKB."""

    title = "PostgreSQL"
    scheme = "postgresql+psycopg2"
    module = "psycopg2"
    port = 5432
    session: ClassVar[tuple[str, ...]] = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",)
    columns_query = """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum), i.indrelid IS NOT NULL
        FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)
        WHERE a.attnum > 0 AND NOT a.attisdropped
            AND a.attrelid = to_regclass(coalesce(quote_ident(CAST(:schema AS text)) || '.', '') || quote_ident(:table))
        ORDER BY a.attnum"""
    tables_query = """
        SELECT n.nspname || '.' || c.relname, obj_description(c.oid, 'pg_class'), c.reltuples
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND n.nspname = coalesce(CAST(:schema AS text), n.nspname) AND has_table_privilege(c.oid, 'SELECT')
        ORDER BY 1"""

    def arguments(self) -> dict[str, Any]:
        """Bound the login and every statement; write dates one way."""
        limits = f"-c statement_timeout={STATEMENT_SECONDS * 1000}"
        return {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "aggregation",
            "options": f"{limits} -c datestyle=ISO -c client_encoding=UTF8",
        }

    def shown(self, column: Column) -> ColumnElement[Any]:
        """Have the server write the text: it knows its types best."""
        return sa.cast(named(column.name), sa.Text)

    def joined(self, texts: Sequence[ColumnElement[Any]]) -> ColumnElement[str] | None:
        """Join by portions: a function takes a hundred values."""
        nothing: ColumnElement[Any] = sa.literal_column("''")
        whole = [sa.func.coalesce(text, nothing) for text in texts]
        portions = [whole[first : first + _MOST_JOINED] for first in range(0, len(whole), _MOST_JOINED)]
        return sa.func.concat_ws(BETWEEN, *(sa.func.concat_ws(BETWEEN, *portion) for portion in portions))

    def explain(self, original: Any) -> DomainError:
        """Go by the state code; a login that failed has none, only words."""
        code = getattr(original, "pgcode", None) or ""
        text = str(original)
        if code in _MEANT:
            return refusals.told(_MEANT[code])
        if any(words in text for words in _WRONG_PASSWORD):
            return refusals.told("source.wrong_password")
        if not code and any(words in text for words in _NO_DATABASE):
            return refusals.told("source.database_gone")
        if not code or code.startswith(("08", "57P")):
            return refusals.told(refusals.AWAY)
        return refusals.refused_query(code)
