"""The database connection of the hot path (调用连接): one a thread, kept open, each statement a transaction of its own.

A statement is sent at most once unless the server itself said that it did not run: after an unknown outcome the caller is
refused and the connection dropped. Prepared statements live here, too, because they die with their connection.
"""

from __future__ import annotations

import logging
import re
import select
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import psycopg2
from django.conf import settings
from psycopg2 import errors
from psycopg2.extensions import BYTES, register_type
from psycopg2.extensions import connection as Connection  # noqa: N812

from exchange.calls.refusals import Refusal

logger = logging.getLogger(__name__)

PREPARED_AT_MOST: Final = 64
APPLICATION: Final = "exchange-calls"
OPTIONS: Final = "-c timezone=Asia/Shanghai -c plan_cache_mode=force_generic_plan -c jit=off"
STATEMENT_TIMEOUT_MS: Final = 5_000
BULK_TIMEOUT_MS: Final = 3_600_000

MARK: Final = re.compile("<<([a-z0-9_]+)>>")

Row = tuple[Any, ...]
Parameters = tuple[tuple[str, str], ...]  # names and types


class Rejected(Refusal):
    """The server could not take a value of the statement: nothing was written, and the connection is good."""


def connect(timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Connection:
    """Return a new autocommitting connection in the role of this process."""
    database: Mapping[str, Any] = settings.DATABASES["default"]
    made = psycopg2.connect(
        host=database["HOST"],
        port=database["PORT"],
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
        options=f"{OPTIONS} -c statement_timeout={timeout_ms}",
        application_name=APPLICATION,
        connect_timeout=3,
        keepalives_idle=30,
        tcp_user_timeout=10_000,
    )
    made.autocommit = True
    return made


def _marked(template: str, marks: Mapping[str, str]) -> str:
    return MARK.sub(lambda mark: marks[mark[1]], template)


class Session:
    """A connection with its prepared statements, least recently used first."""

    def __init__(self) -> None:
        self.connection = connect()
        self.cursor = self.connection.cursor()
        self.bytes_cursor = self.connection.cursor()
        register_type(BYTES, self.bytes_cursor)  # texts as they lie on the wire, UTF-8
        self.prepared: OrderedDict[str, tuple[str, str]] = OrderedDict()  # template -> its name, how it is executed
        self._number = 0
        self._poll = select.poll()
        self._poll.register(self.connection.fileno(), select.POLLIN)

    def is_stale(self) -> bool:
        """Whether the server spoke while nobody asked: it is closing, or already gone."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Drop the connection, whatever state it is in."""
        self.connection.close()

    def execute(self, sql: str, values: Mapping[str, Any], *, as_bytes: bool) -> list[Row]:
        """Run one statement and return its rows, if it returns any."""
        cursor = self.bytes_cursor if as_bytes else self.cursor
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []

    def execute_prepared(self, template: str, parameters: Parameters, values: Mapping[str, Any], *, as_bytes: bool) -> list[Row]:
        """Run a statement by its name on this connection, preparing it first when it is new."""
        _, execution = self.prepared.get(template) or self._prepare(template, parameters)
        self.prepared.move_to_end(template)
        return self.execute(execution, values, as_bytes=as_bytes)

    def _prepare(self, template: str, parameters: Parameters) -> tuple[str, str]:
        while len(self.prepared) >= PREPARED_AT_MOST:
            _, (oldest, _) = self.prepared.popitem(last=False)
            self.cursor.execute(f"DEALLOCATE {oldest}")
        self._number += 1
        name = f"call_{self._number}"
        types = ", ".join(kind for _, kind in parameters)
        marks = {parameter: f"${position}" for position, (parameter, _) in enumerate(parameters, start=1)}
        self.cursor.execute(f"PREPARE {name} ({types}) AS {_marked(template, marks)}")
        execution = f"EXECUTE {name}({','.join(f'%({parameter})s' for parameter, _ in parameters)})"
        self.prepared[template] = name, execution
        return name, execution

    def forget(self) -> None:
        """Drop every prepared statement of this connection."""
        self.prepared.clear()
        self.cursor.execute("DEALLOCATE ALL")


_held = threading.local()


def _session() -> Session:
    """Return this thread's session, replaced when the server went away before anything was sent."""
    session: Session | None = getattr(_held, "session", None)
    if session is None or session.connection.closed or session.is_stale():
        close()
        session = _held.session = Session()
    return session


def close() -> None:
    """Drop this thread's connection."""
    session: Session | None = getattr(_held, "session", None)
    _held.session = None
    if session is not None:
        session.close()


def run(template: str, parameters: Parameters, values: Mapping[str, Any]) -> Row | None:
    """Run a statement as `rows` does and return its first row, if any."""
    return next(iter(rows(template, parameters, values)), None)


def rows(template: str, parameters: Parameters, values: Mapping[str, Any], *, as_bytes: bool = False) -> list[Row]:
    """Run a statement whose `<<name>>` marks are typed parameters; `platform.unavailable` when its outcome is unknown.

    Texts come as str, or as the bytes of their UTF-8, which a large body need not be decoded from and encoded to again.
    Errors the server reports about the statement itself (a unique or check violation) pass through: nothing was written.
    """
    try:
        session = _session()
        if not settings.CALL_PREPARED_STATEMENTS:
            marks = {name: f"%({name})s::{kind}" for name, kind in parameters}
            return session.execute(_marked(template, marks), values, as_bytes=as_bytes)
        try:
            return session.execute_prepared(template, parameters, values, as_bytes=as_bytes)
        except (errors.InvalidSqlStatementName, errors.FeatureNotSupported):  # the server says: not run, prepare it again
            session.forget()
            return session.execute_prepared(template, parameters, values, as_bytes=as_bytes)
    except psycopg2.IntegrityError:
        raise
    except psycopg2.DataError as error:
        logger.error("database could not take a value: %s", error.pgcode)
        raise Rejected("platform.unavailable") from None
    except psycopg2.Error as error:
        # The text of a database error may quote values: the state alone is logged.
        logger.error("database away or refusing: %s %s", type(error).__name__, error.pgcode)
        close()
        raise Refusal("platform.unavailable") from None
