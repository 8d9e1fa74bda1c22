"""DM (达梦数据库接入) through dmPython and its SQLAlchemy dialect, an optional extra. Tested against a fake driver, not a server.

Its catalogue views are Oracle's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy

from core.errors import DomainError
from exchange.aggregation.connectors import refusals
from exchange.aggregation.connectors.oracle import ALL_COLUMNS, ALL_TABLES
from exchange.aggregation.connectors.sql import SqlConnector

_MEANT: dict[str, str] = {
    "-2106": "source.table_gone",
    "-2207": "source.column_missing",
    "-2501": "source.wrong_password",
    "-5504": "source.forbidden",
    "-70019": refusals.TIMEOUT,
    "-70028": refusals.AWAY,
}
_CODE = re.compile(r"CODE:\s*(-\d+)")


class Dm(SqlConnector):
    """DM 8. A server is one database; `database` is the schema the account works in."""

    title = gettext_lazy("达梦")
    scheme = "dm+dmPython"
    module = "dmPython"
    extra = "dm"
    port = 5236
    session: ClassVar[tuple[str, ...]] = ("SET TRANSACTION READ ONLY",)
    columns_query = ALL_COLUMNS
    tables_query = ALL_TABLES

    def database_of(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The schema goes along as a parameter of the driver."""
        return {"query": {"schema": str(settings["database"])}}

    def explain(self, original: Any) -> DomainError:
        """Go by the number in the text."""
        return refusals.by_code(_CODE.findall(str(original)), _MEANT)
