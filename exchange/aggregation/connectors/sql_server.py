"""SQL Server (部门数据库接入) through pymssql, an optional extra. Tested against a fake driver, not against a server."""

from __future__ import annotations

import re
from typing import Any

from core.errors import DomainError
from exchange.aggregation.connectors import refusals
from exchange.aggregation.connectors.sql import CONNECT_SECONDS, STATEMENT_SECONDS, SqlConnector

_MEANT: dict[int, str] = {
    207: "source.column_missing",
    208: "source.table_gone",
    229: "source.forbidden",
    230: "source.forbidden",
    4060: "source.database_gone",
    18456: "source.wrong_password",
    20003: refusals.TIMEOUT,
}
_AWAY = frozenset({20002, 20004, 20006, 20009, 20017, 20047})
_NUMBER = re.compile(r"\d{3,5}")


class SqlServer(SqlConnector):
    """SQL Server. It has no read-only sessions: the account must only be able to read."""

    title = "SQL Server"
    scheme = "mssql+pymssql"
    module = "pymssql"
    extra = "sqlserver"
    port = 1433
    columns_query = """
        SELECT c.name, t.name, CAST(p.value AS nvarchar(200)),
            CASE WHEN EXISTS (SELECT 1 FROM sys.index_columns ic JOIN sys.indexes i ON i.object_id = ic.object_id
                AND i.index_id = ic.index_id WHERE i.is_primary_key = 1 AND ic.object_id = c.object_id
                AND ic.column_id = c.column_id) THEN 1 ELSE 0 END
        FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id
        LEFT JOIN sys.extended_properties p ON p.major_id = c.object_id AND p.minor_id = c.column_id AND p.class = 1
            AND p.name = 'MS_Description'
        JOIN sys.objects o ON o.object_id = c.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
        WHERE o.type IN ('U', 'V') AND s.name = coalesce(:schema, schema_name()) AND o.name = :table ORDER BY c.column_id"""
    tables_query = """
        SELECT s.name + '.' + o.name, CAST(p.value AS nvarchar(200)),
            (SELECT sum(r.rows) FROM sys.partitions r WHERE r.object_id = o.object_id AND r.index_id IN (0, 1))
        FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
        LEFT JOIN sys.extended_properties p ON p.major_id = o.object_id AND p.minor_id = 0 AND p.class = 1
            AND p.name = 'MS_Description'
        WHERE o.type IN ('U', 'V') AND s.name = coalesce(:schema, s.name) ORDER BY 1"""

    def arguments(self) -> dict[str, Any]:
        """Bound the login and every statement."""
        return {"login_timeout": CONNECT_SECONDS, "timeout": STATEMENT_SECONDS, "charset": "UTF-8"}

    def explain(self, original: Any) -> DomainError:
        """Go by the server's number; a login wraps it into texts of the driver."""
        numbers = [int(number) for number in _NUMBER.findall(str(original.args))]
        meant = next((_MEANT[number] for number in numbers if number in _MEANT), "")
        if meant:
            return refusals.told(meant)
        if not numbers or _AWAY.intersection(numbers):
            return refusals.told(refusals.AWAY)
        return refusals.refused_query(str(numbers[0]))
