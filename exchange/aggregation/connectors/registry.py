"""Every kind of source by its name (接入方式登记)."""

from __future__ import annotations

from exchange.aggregation.connectors.csv_files import CsvContents
from exchange.aggregation.connectors.dm import Dm
from exchange.aggregation.connectors.drop_connector import DropConnector
from exchange.aggregation.connectors.drops import PATTERNS
from exchange.aggregation.connectors.excel_files import ExcelContents
from exchange.aggregation.connectors.geo_files import GeoContents
from exchange.aggregation.connectors.http_pages import HttpPages
from exchange.aggregation.connectors.json_files import JsonContents
from exchange.aggregation.connectors.mysql import Mysql
from exchange.aggregation.connectors.oracle import Oracle
from exchange.aggregation.connectors.postgresql import Postgresql
from exchange.aggregation.connectors.sql_server import SqlServer
from exchange.aggregation.connectors.terms import Connector
from exchange.models import ConnectorKind

CONNECTORS: dict[str, Connector] = {
    ConnectorKind.POSTGRESQL: Postgresql(),
    ConnectorKind.MYSQL: Mysql(),
    ConnectorKind.SQL_SERVER: SqlServer(),
    ConnectorKind.ORACLE: Oracle(),
    ConnectorKind.DM: Dm(),
    ConnectorKind.CSV_DROP: DropConnector(CsvContents, PATTERNS[ConnectorKind.CSV_DROP]),
    ConnectorKind.EXCEL_DROP: DropConnector(ExcelContents, PATTERNS[ConnectorKind.EXCEL_DROP]),
    ConnectorKind.JSON_DROP: DropConnector(JsonContents, PATTERNS[ConnectorKind.JSON_DROP]),
    ConnectorKind.GEO_DROP: DropConnector(GeoContents, PATTERNS[ConnectorKind.GEO_DROP]),
    ConnectorKind.HTTP_PAGES: HttpPages(),
}
DATABASES = frozenset(kind for kind, connector in CONNECTORS.items() if hasattr(connector, "scheme"))
DROPS = frozenset(kind for kind, connector in CONNECTORS.items() if isinstance(connector, DropConnector))
