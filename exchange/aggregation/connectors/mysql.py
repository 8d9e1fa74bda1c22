"""MySQL and MariaDB (部门数据库接入) through PyMySQL: rows are streamed, the transaction only reads one snapshot."""

from __future__ import annotations

from typing import Any, ClassVar

from core.errors import DomainError
from exchange.aggregation.connectors import refusals
from exchange.aggregation.connectors.sql import CONNECT_SECONDS, STATEMENT_SECONDS, SqlConnector

_MEANT: dict[int, str] = {
    1044: "source.forbidden",
    1045: "source.wrong_password",
    1049: "source.database_gone",
    1054: "source.column_missing",
    1142: "source.forbidden",
    1143: "source.forbidden",
    1146: "source.table_gone",
    1317: refusals.TIMEOUT,
    1698: "source.wrong_password",
    1969: refusals.TIMEOUT,
    3024: refusals.TIMEOUT,
}
_AWAY = frozenset({1040, 1053, 2002, 2003, 2005, 2006, 2013, 2055})


class Mysql(SqlConnector):
    """MySQL and MariaDB."""

    title = "MySQL/MariaDB"
    scheme = "mysql+pymysql"
    module = "pymysql"
    port = 3306
    session: ClassVar[tuple[str, ...]] = ("SET SESSION TRANSACTION READ ONLY",)
    columns_query = """
        SELECT column_name, column_type, column_comment, column_key = 'PRI'
        FROM information_schema.columns
        WHERE table_schema = coalesce(:schema, database()) AND table_name = :table ORDER BY ordinal_position"""
    tables_query = """
        SELECT table_name, table_comment, table_rows FROM information_schema.tables
        WHERE table_schema = coalesce(:schema, database()) ORDER BY table_name"""

    def arguments(self) -> dict[str, Any]:
        """Bound the login and the wait for an answer; never send a local file."""
        return {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": STATEMENT_SECONDS,
            "write_timeout": STATEMENT_SECONDS,
            "charset": "utf8mb4",
            "local_infile": False,
        }

    def explain(self, original: Any) -> DomainError:
        """Go by the error number."""
        number = original.args[0] if original.args and isinstance(original.args[0], int) else 0
        if number in _MEANT:
            return refusals.told(_MEANT[number])
        if number in _AWAY or not number:
            return refusals.told(refusals.AWAY)
        return refusals.refused_query(str(number))
