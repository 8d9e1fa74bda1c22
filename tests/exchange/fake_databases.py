"""Drivers of databases nobody runs here, faked at the edge: a module that answers what SQLAlchemy and our catalogue queries ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import ModuleType
from typing import Any


class DriverError(Exception):
    """What the fake driver raises."""


class Table:
    """One table: columns as the catalogue tells them, rows, and what was asked."""

    def __init__(self, columns: Sequence[tuple[str, str, str, int]], rows: Sequence[tuple[Any, ...]]) -> None:
        self.columns, self.rows = list(columns), list(rows)
        self.asked: list[tuple[str, Any]] = []
        self.refusal: Exception | None = None
        self.refuses_login: Exception | None = None
        self.clock: Any = None
        self.fetches: list[int] = []


class _Cursor:
    arraysize = 100
    rowcount = -1
    lastrowid = None

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[tuple[Any, ...]] | None = None

    def execute(self, statement: str, parameters: Any = None) -> None:
        self._table.asked.append((statement, parameters))
        self._rows = self._answer(" ".join(statement.split()))
        width = len(self._rows[0]) if self._rows else 8
        self.description = [(f"c{n}", None, None, None, None, None, None) for n in range(width)]

    def _answer(self, text: str) -> list[tuple[Any, ...]]:
        lower, table = text.lower(), self._table
        if table.refusal is not None and ("place_" in lower or "count(" in lower):
            raise table.refusal
        newest = max((row[0] for row in table.rows), default=None) if "max(" in lower else None
        answers: list[tuple[bool, list[tuple[Any, ...]]]] = [
            ("column_id" in lower or "information_schema.columns" in lower, table.columns),
            (not lower.startswith("select"), []),
            ("@@version" in lower, [("Microsoft SQL Server 2019 - 15.0.2000.5",)]),
            ("version()" in lower, [("8.0.30",)]),
            ("1.1 from dual" in lower, [("1.1",)]),
            ("current_timestamp" in lower, [(table.clock,)]),
            ("count(" in lower and "max(" in lower, [(len(table.rows), newest)]),
            ("max(" in lower, [(newest,)]),
            ("count(" in lower and " and " in lower and ">" not in lower, [(1,)]),
            ("count(" in lower, [(0 if "is null" in lower else len(table.rows),)]),
            ("all_objects" in lower or "sys.objects" in lower or "information_schema.tables" in lower, [("PEOPLE", "人口", 7)]),
            ("rk_jbxx" in lower, table.rows),
        ]
        return list(next((rows for fits, rows in answers if fits), [("1",)]))

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        self._table.fetches.append(size)
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        pass

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *_args: object) -> None:
        self.close()

    def setinputsizes(self, *_args: Any, **_values: Any) -> None:
        pass


class _Connection:
    version = "19.3.0.0.0"
    server_version = "08.01.0000"
    autocommit_state = False
    stmtcachesize = 20
    max_identifier_length = 128

    def __init__(self, table: Table) -> None:
        self._table = table
        self.outputtypehandler = self.inputtypehandler = None

    def character_set_name(self) -> str:
        return "utf8mb4"

    def get_server_info(self) -> str:
        return "8.0.30"

    def cursor(self, *_args: Any, **_values: Any) -> _Cursor:
        return _Cursor(self._table)

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        pass


def _constant(name: str, wanted: str) -> str:
    """Types are names here; what begins small is no type."""
    if not wanted.isupper():
        raise AttributeError(f"{name} has no {wanted}")
    return wanted


def driver(name: str, table: Table) -> ModuleType:
    """Return a DBAPI module of this name over one table."""
    module: Any = ModuleType(name)
    module.paramstyle = "pyformat" if name in ("pymssql", "pymysql") else "named"
    module.apilevel, module.threadsafety = "2.0", 1
    module.__version__ = module.version = "26.1.0"
    for kind in ("Error", "Warning", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError"):
        setattr(module, kind, DriverError)
    for kind in ("InternalError", "ProgrammingError", "NotSupportedError"):
        setattr(module, kind, DriverError)
    for kind in re.findall(r"\w+", "STRING NUMBER DATETIME BINARY ROWID CLOB NCLOB BLOB LOB TIMESTAMP CURSOR FIXED_CHAR NCHAR"):
        setattr(module, kind, kind)
    for number, kind in enumerate(
        re.findall(r"\w+", "CLOB NCLOB BLOB BFILE LONG_STRING VARCHAR NVARCHAR CHAR NUMBER TIMESTAMP RAW")
    ):
        setattr(module, f"DB_TYPE_{kind}", number)
    module.LOB = type("LOB", (), {})
    module.makedsn = lambda *_args, **_values: "dsn"
    module.__getattr__ = lambda wanted: _constant(name, wanted)

    def connect(*_args: Any, **values: Any) -> _Connection:
        table.asked.append(("connect", values))
        if table.refuses_login is not None:
            raise table.refuses_login
        return _Connection(table)

    module.connect = connect
    return module  # type: ignore[no-any-return]
