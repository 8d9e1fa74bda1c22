"""Departments' databases (部门数据库接入): what all kinds share — logging in, looking around, counting, a few rows.

One module a kind says how its catalogue is asked and what its errors mean. Names go into SQL only through SQLAlchemy's quoting,
values are parameters. Reading a table from its checkpoint on is in `sql_reading`.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from django.utils.translation import gettext as _
from sqlalchemy import exc
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ColumnElement

from core.errors import DomainError, Invalid
from exchange.aggregation.connector import Reading
from exchange.aggregation.connectors.refusals import driver_missing, told
from exchange.aggregation.connectors.sql_names import as_text, named, split, table_of
from exchange.aggregation.connectors.sql_reading import SqlReading
from exchange.aggregation.connectors.terms import Column, Place, Source, Table, is_number
from exchange.models import AggregationPlan, AggregationRun
from exchange.sources.hosts import check_host

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 300
MOST_TABLES = 500
NEEDED = ("host", "database", "user", "table")


class SqlConnector(ABC):
    """A kind of database. Subclasses say what differs."""

    title: ClassVar[str | _StrPromise]
    scheme: ClassVar[str]  # dialect and driver, as SQLAlchemy names them
    module: ClassVar[str]
    extra: ClassVar[str] = ""
    port: ClassVar[int]
    columns_query: ClassVar[str]  # :schema, :table -> name, type, comment, is key
    tables_query: ClassVar[str]  # :schema -> name, comment, rows
    session: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> dict[str, Any]:
        """Return what the driver is told when it connects: above all its limits of time."""
        return {}

    @abstractmethod
    def explain(self, original: Any) -> DomainError:
        """Return what an error of the driver means."""

    def database_of(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of the address that names the database."""
        return {"database": str(settings["database"])}

    def port_of(self, settings: Mapping[str, Any]) -> int:
        """Return the port that is asked: the usual one unless another is said."""
        return int(settings.get("port") or self.port)

    def shown(self, column: Column) -> ColumnElement[Any]:
        """Return what is selected of a mapped column; `as_text` writes what comes."""
        return named(column.name)

    def joined(self, texts: Sequence[ColumnElement[Any]]) -> ColumnElement[str] | None:
        """Return one text of all of them with `staging.BETWEEN` between, null as nothing; None where the server cannot."""
        return None

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise Invalid for parameters that are missing, and for a host that is not allowed."""
        missing = {name: _("必填") for name in NEEDED if not str(settings.get(name) or "").strip()}
        if missing:
            raise Invalid("plan.settings_invalid", _("数据库接入参数不完整。"), missing)
        if not is_number(settings.get("port"), 1, 65_535):
            fault = _("请填写 1 到 65535 之间的端口。")
            raise Invalid("plan.settings_invalid", fault, {"port": fault})
        check_host(str(settings["host"]), "host", self.port_of(settings))

    def connect(self, place: Place) -> sa.Connection:
        """Open a connection that only reads; the driver, the host and the login are judged here."""
        self.check_settings(place.settings)
        try:
            importlib.import_module(self.module)
            engine = self._engine(place)
        except (ImportError, exc.NoSuchModuleError):
            raise driver_missing(str(self.title), self.extra) from None
        with self.explained():
            connection = self._logged_in(engine)
            for statement in self.session:
                connection.exec_driver_sql(statement)
            return connection

    def _logged_in(self, engine: sa.Engine) -> sa.Connection:
        try:
            return engine.connect()
        except UnicodeDecodeError as error:  # what a server says before it knows our encoding is in its own
            raise self.explain(Exception(error.object.decode("gb18030", errors="replace"))) from None

    def _engine(self, place: Place) -> sa.Engine:
        settings = place.settings
        url = sa.URL.create(
            self.scheme,
            str(settings["user"]),
            place.password,
            host=str(settings["host"]),
            port=self.port_of(settings),
            **self.database_of(settings),
        )
        return sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=self.arguments())

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the driver raises into the sentence a clerk can act on; never quotes the connection's parameters."""
        try:
            yield
        except exc.DBAPIError as error:
            raise self.explain(error.orig) from None
        except UnicodeDecodeError:
            raise told("source.encoding") from None

    def columns(self, connection: sa.Connection, name: str) -> tuple[Column, ...]:
        """Return the columns of a table; one that is not there raises Invalid."""
        schema, table = split(name)
        with self.explained():
            rows = connection.execute(sa.text(self.columns_query), {"schema": schema, "table": table}).all()
        if not rows:
            raise told("source.table_gone")
        return tuple(Column(str(row[0]), str(row[1]), str(row[2] or ""), bool(row[3])) for row in rows)

    def tables(self, place: Place) -> list[Table]:
        """Return the tables and views the account sees, with the comments and row estimates of the database."""
        with _closing(self.connect(place)) as connection, self.explained():
            schema, _table = split(str(place.settings.get("table", "")))
            rows = connection.execute(sa.text(self.tables_query), {"schema": schema}).fetchmany(MOST_TABLES)
        return [Table(str(row[0]), str(row[1] or ""), None if row[2] is None or row[2] < 0 else int(row[2])) for row in rows]

    @contextmanager
    def look(self, place: Place) -> Iterator[Source]:
        """Open the table of a place."""
        with _closing(self.connect(place)) as connection:
            yield SqlSource(self, connection, str(place.settings["table"]))

    def open(self, plan: AggregationPlan, run: AggregationRun) -> Reading:
        """Return the reading of one run."""
        return SqlReading(self, plan, run)


class SqlSource:
    """An open table; see `terms.Source`."""

    def __init__(self, connector: SqlConnector, connection: sa.Connection, table: str) -> None:
        self._connector, self._connection, self._table = connector, connection, table
        self.columns = connector.columns(connection, table)

    def count(self) -> int | None:
        """Count the rows."""
        with self._connector.explained():
            return int(self._connection.execute(sa.select(sa.func.count()).select_from(table_of(self._table))).scalar_one())

    def sample(self, size: int) -> list[dict[str, str | None]]:
        """Return some rows as texts."""
        wanted = [self._connector.shown(column) for column in self.columns]
        with self._connector.explained():
            rows = self._connection.execute(sa.select(*wanted).select_from(table_of(self._table)).limit(size)).all()
        names = [column.name for column in self.columns]
        return [dict(zip(names, map(as_text, row), strict=True)) for row in rows]


@contextmanager
def _closing(connection: sa.Connection) -> Iterator[sa.Connection]:
    try:
        yield connection
    finally:
        connection.close()
