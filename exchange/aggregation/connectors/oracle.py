"""Oracle (部门数据库接入) through python-oracledb, an optional extra. Tested against a fake driver, not against a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from core.errors import DomainError
from exchange.aggregation.connectors import refusals
from exchange.aggregation.connectors.sql import CONNECT_SECONDS, SqlConnector

ALL_COLUMNS = """
    SELECT c.column_name, c.data_type, m.comments,
        CASE WHEN EXISTS (SELECT 1 FROM all_constraints k JOIN all_cons_columns kc ON kc.owner = k.owner
            AND kc.constraint_name = k.constraint_name WHERE k.constraint_type = 'P' AND k.owner = c.owner
            AND k.table_name = c.table_name AND kc.column_name = c.column_name) THEN 1 ELSE 0 END
    FROM all_tab_columns c LEFT JOIN all_col_comments m ON m.owner = c.owner AND m.table_name = c.table_name
        AND m.column_name = c.column_name
    WHERE c.owner = coalesce(:schema, sys_context('USERENV', 'CURRENT_SCHEMA')) AND c.table_name = :table ORDER BY c.column_id"""
ALL_TABLES = """
    SELECT o.owner || '.' || o.object_name, m.comments, t.num_rows
    FROM all_objects o LEFT JOIN all_tables t ON t.owner = o.owner AND t.table_name = o.object_name
    LEFT JOIN all_tab_comments m ON m.owner = o.owner AND m.table_name = o.object_name
    WHERE o.object_type IN ('TABLE', 'VIEW') AND o.owner = coalesce(:schema, sys_context('USERENV', 'CURRENT_SCHEMA')) ORDER BY 1"""
_MEANT: dict[str, str] = {
    "ORA-00904": "source.column_missing",
    "ORA-00942": "source.table_gone",
    "ORA-01017": "source.wrong_password",
    "ORA-01031": "source.forbidden",
    "ORA-01041": refusals.AWAY,
    "ORA-01045": "source.forbidden",
    "ORA-03113": refusals.AWAY,
    "ORA-12154": refusals.AWAY,
    "ORA-12505": "source.database_gone",
    "ORA-12514": "source.database_gone",
    "ORA-12541": refusals.AWAY,
    "DPY-4024": refusals.TIMEOUT,
    "DPY-4011": refusals.AWAY,
    "DPY-6001": "source.database_gone",
    "DPY-6005": refusals.AWAY,
}
_CODE = re.compile(r"(?:ORA|DPY)-\d{4,5}")


class Oracle(SqlConnector):
    """Oracle by service name. A read-only transaction is one snapshot there."""

    title = "Oracle"
    scheme = "oracle+oracledb"
    module = "oracledb"
    extra = "oracle"
    port = 1521
    session: ClassVar[tuple[str, ...]] = ("SET TRANSACTION READ ONLY",)
    columns_query = ALL_COLUMNS
    tables_query = ALL_TABLES

    def database_of(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Oracle names a service."""
        return {"query": {"service_name": str(settings["database"])}}

    def arguments(self) -> dict[str, Any]:
        """Bound the login."""
        return {"tcp_connect_timeout": CONNECT_SECONDS}

    def explain(self, original: Any) -> DomainError:
        """Go by the first code that is known."""
        return refusals.by_code(_CODE.findall(str(original)), _MEANT)
