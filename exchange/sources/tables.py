"""A department's table or view as a source (部门数据表): one row by its key, through SQLAlchemy, in PostgreSQL or MySQL.

The account is read-only and so is the transaction; columns, rows and masks are limited in the SQL; the statement has a time
limit on the server, and a watch here closes the connection of a server that keeps neither.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.sql.elements import ColumnElement

from basedb.lookup import Column
from basedb.masking import ADDRESS_HEAD, HIDDEN_TEXT, Mask
from exchange.calls.refusals import Refusal
from exchange.sources.guard import Failed
from exchange.sources.hosts import is_allowed
from exchange.sources.terms import Asked, Table

CONNECT_SECONDS: Final = 3
GRACE_SECONDS: Final = 1.0
ENGINES_AT_MOST: Final = 64
DRIVERS: Final = {"POSTGRESQL": "postgresql+psycopg2", "MYSQL": "mysql+pymysql"}
PG_CANCELED: Final = "57014"
MYSQL_TIMED_OUT: Final = frozenset({1317, 1969, 3024})  # interrupted, MariaDB's and MySQL's limit on a statement
MYSQL_AWAY: Final = frozenset({2002, 2003, 2005, 2006, 2013, 2055, 1040, 1053})
KEPT: Final = {Mask.NAME: (1, 0), Mask.CITIZEN_ID: (6, 4), Mask.PHONE: (3, 4), Mask.USCC: (8, 1)}
STARTS: Final = {Mask.BIRTH_YEAR: 4, Mask.COUNTY: 6}

Expression = ColumnElement[Any]


class DepartmentTable:
    """See `terms.Source`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, asked: Asked) -> dict[str, str | None] | None:
        """Return the granted items of one row."""
        shown = [_shown(self._table, column.field, column.mask).label(column.item) for column in asked.selection.columns]
        row = self._one(row_query(self._table, shown, asked))
        return None if row is None else dict(zip(asked.selection.items, row, strict=True))

    def verify(self, asked: Asked) -> tuple[bool, dict[str, str]]:
        """Return how one row compares; the database compares, no value comes here."""
        compared = [_compared(column, value) for column, value in zip(asked.selection.columns, asked.values, strict=True)]
        row = self._one(row_query(self._table, compared, asked))
        if row is None:
            return False, dict.fromkeys(asked.selection.items, "not_available")
        return True, dict(zip(asked.selection.items, row, strict=True))

    def columns(self) -> list[str]:
        """Return the names of the columns that are there, for those who register the table."""
        with _explained(), _connected(self._table) as connection:
            inspector = sa.inspect(connection)
            found = inspector.get_columns(self._table.name, schema=self._table.schema or None)
        return [str(column["name"]) for column in found]

    def _one(self, query: sa.Select[Any]) -> tuple[Any, ...] | None:
        with _explained(), _connected(self._table) as connection:
            rows = connection.execute(query).all()
        if len(rows) > 1:
            raise Refusal("provider.refused", {"key": "not_unique_in_the_source"})
        return tuple(rows[0]) if rows else None


def row_query(table: Table, expressions: list[Any], asked: Asked) -> sa.Select[Any]:
    """Return the query of one row: two are fetched at most, to notice a key that is none."""
    source = sa.table(table.name, schema=table.schema or None)
    key: Expression = sa.column(table.key_column)
    query = sa.select(*expressions).select_from(source).where(key.in_(sorted({asked.key, asked.key.lower()})))
    if table.kind == "MYSQL":  # there a number equals every text that begins with it
        query = query.where(sa.func.lower(_text(table.key_column)) == asked.key.lower())
    if asked.region_prefix:
        query = query.where(_text(table.region_column).startswith(asked.region_prefix, autoescape=True))
    for column, allowed in zip(asked.selection.rows.listed, asked.lists, strict=True):
        query = query.where(_text(column).in_(allowed))
    return query.limit(2)


def _text(column: str) -> Expression:
    """SQLAlchemy quotes the name; the type is text whatever it is there."""
    return sa.cast(sa.column(column), sa.String)


def _shown(table: Table, column: str, mask: Mask) -> Expression:
    return masked(_text(column), mask, table.kind)


def masked(text: Expression, mask: Mask, kind: str) -> Expression:
    """Return `basedb.masking.mask_sql` in the dialect of the source; null stays null."""
    if mask is Mask.NONE:
        return text
    if mask in KEPT:
        head, tail = KEPT[mask]
        length = sa.func.char_length(text)
        kept = sa.func.left(text, head, type_=sa.String()) + sa.func.repeat("*", length - (head + tail), type_=sa.String())
        kept = kept + sa.func.right(text, tail, type_=sa.String()) if tail else kept
        return sa.case((length <= head + tail, sa.func.repeat("*", length, type_=sa.String())), else_=kept)
    if mask in STARTS:
        return sa.func.left(text, STARTS[mask], type_=sa.String())
    hidden: Expression = sa.literal(HIDDEN_TEXT)
    if mask is Mask.ADDRESS:
        cut = sa.func.substring if kind == "POSTGRESQL" else sa.func.regexp_substr
        hidden = sa.func.coalesce(cut(text, ADDRESS_HEAD, type_=sa.String()), "") + hidden
    return sa.case((text.is_not(None), hidden))


def _compared(column: Column, value: str) -> Expression:
    """One word. Of what a mask hides entirely a comparison must not tell, either."""
    if column.mask is Mask.HIDDEN:
        return sa.literal("not_available")
    text = _text(column.field)
    return sa.case((text.is_(None), "not_available"), (text == value, "yes"), else_="no")


def _failed(code: str, detail: str) -> Failed:
    return Failed(Refusal(code, {"source": detail}))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn what the drivers raise into the side and kind of a failure; their texts may quote values and are dropped."""
    try:
        yield
    except exc.TimeoutError:
        raise Refusal("provider.busy", {"source": "no_free_connection"}) from None
    except exc.NoSuchTableError:
        raise Refusal("provider.refused", {"source": "no_such_table"}) from None
    except exc.DBAPIError as error:
        raise _failure(error) from None


def _failure(error: exc.DBAPIError) -> Exception:
    original = error.orig
    code = getattr(original, "pgcode", None)
    number = original.args[0] if original is not None and original.args and isinstance(original.args[0], int) else 0
    if code == PG_CANCELED or number in MYSQL_TIMED_OUT or "timed out" in str(original):
        return _failed("provider.timeout", "took_too_long")
    if number in MYSQL_AWAY or (isinstance(error, exc.OperationalError | exc.InterfaceError) and not number and code is None):
        if "authentication failed" in str(original):
            return Refusal("provider.refused", {"source": "account_not_accepted"})
        return _failed("provider.unavailable", "connection_failed")
    return Refusal("provider.refused", {"source": f"error_{code or number or 'unknown'}"})


@contextlib.contextmanager
def _connected(table: Table) -> Iterator[sa.Connection]:
    if not is_allowed(table.host, table.port):
        raise Refusal("provider.refused", {"source": "host_not_allowed"})
    with engine_of(table).connect() as connection, _watched(connection, table.timeout_ms / 1000 + GRACE_SECONDS):
        yield connection


@contextlib.contextmanager
def _watched(connection: sa.Connection, seconds: float) -> Iterator[None]:
    """Close the socket of a server that neither answers nor keeps its own time limit."""
    driver: Any = connection.connection.driver_connection
    late = threading.Event()

    def close() -> None:
        late.set()
        own = driver._sock.fileno() if hasattr(driver, "_sock") else driver.fileno()
        with contextlib.suppress(OSError, ValueError), socket.socket(fileno=socket.dup(own)) as line:
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, close)
    timer.daemon = True
    timer.start()
    try:
        yield
    except exc.DBAPIError:
        if late.is_set():
            raise _failed("provider.timeout", "took_too_long") from None
        raise
    finally:
        timer.cancel()


def engine_of(table: Table) -> sa.Engine:
    """Return the engine of a table at its revision: a small pool that never grows."""
    return _engine(replace(table, columns=()))


@lru_cache(maxsize=ENGINES_AT_MOST)
def _engine(table: Table) -> sa.Engine:
    url = sa.URL.create(
        DRIVERS[table.kind], table.username, table.password, host=table.host, port=table.port, database=table.database
    )
    engine = sa.create_engine(
        url,
        pool_size=table.at_once,
        max_overflow=0,
        pool_timeout=1,
        pool_recycle=300,
        pool_pre_ping=table.kind == "MYSQL",  # its driver keeps a time limit
        hide_parameters=True,
        connect_args=_arguments(table),
    )
    if table.kind == "POSTGRESQL":
        sa.event.listen(engine, "checkout", _refuse_stale)
        return engine.execution_options(postgresql_readonly=True)
    sa.event.listen(engine, "connect", lambda connection, _record: _limit_mysql(connection, table.timeout_ms))
    return engine


def _arguments(table: Table) -> dict[str, Any]:
    if table.kind == "MYSQL":
        limit = table.timeout_ms / 1000 + GRACE_SECONDS
        return {"connect_timeout": CONNECT_SECONDS, "read_timeout": limit, "write_timeout": limit, "charset": "utf8mb4"}
    limits = f"-c statement_timeout={table.timeout_ms} -c idle_in_transaction_session_timeout=30s"
    return {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "exchange-source",
        "options": f"{limits} -c default_transaction_read_only=on -c datestyle=ISO -c client_encoding=UTF8",
        "tcp_user_timeout": 10_000,
    }


def _refuse_stale(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have a connection replaced that the server closed while it was idle; asking it would wait for a server that hangs."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise exc.DisconnectionError


def _limit_mysql(connection: Any, timeout_ms: int) -> None:
    """Make a session read-only with a limit on its statements; MySQL counts it in ms, MariaDB in seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute("SELECT version()")
        is_mariadb = "MariaDB" in str(cursor.fetchone()[0])
        limit = f"max_statement_time = {timeout_ms / 1000}" if is_mariadb else f"max_execution_time = {timeout_ms}"
        cursor.execute(f"SET SESSION {limit}")
