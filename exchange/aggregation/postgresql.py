"""A department's own PostgreSQL database as a source (部门数据库接入), read through a read-only account.

Rows come in the order of the cursor column and the key, inside one snapshot, through a server-side cursor. A run starts at
the last cursor reached, that value included, less the look-back window: what was committed late is read again, and rows
read twice change nothing. Without a cursor column the whole table is read in the order of the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg2
from django.utils.translation import gettext as _
from psycopg2 import errors, sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from basedb.staging import RawRow
from core.errors import DomainError, Invalid, Unavailable
from exchange.aggregation.connector import fields_of
from exchange.models import AggregationPlan, AggregationRun
from exchange.sealed_passwords import password_of

STATEMENT_SECONDS = 300
_FETCH = 5_000
_TIMES = ("timestamp without time zone", "timestamp with time zone", "date")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the driver raises into the sentence a clerk can act on; never quotes the connection's parameters."""
    try:
        yield
    except errors.UndefinedTable:
        raise Invalid("source.table_gone", _("数源表不存在或已改名，请核对归集任务的表名。")) from None
    except errors.UndefinedColumn:
        raise Invalid("source.column_missing", _("数源表缺少已对应的字段，请核对字段对应。")) from None
    except errors.InsufficientPrivilege:
        raise Invalid("source.forbidden", _("只读账号没有读取数源表的权限。")) from None
    except errors.QueryCanceled:
        raise Unavailable("source.timeout", _("数源查询超时。")) from None
    except psycopg2.OperationalError as error:
        raise _refusal(str(error)) from None
    except psycopg2.Error as error:
        raise Invalid("source.refused", _("数源拒绝了查询(错误码 %(code)s)。") % {"code": error.pgcode or "-"}) from None


def _refusal(text: str) -> DomainError:
    if "authentication failed" in text or "no password" in text:
        return Invalid("source.wrong_password", _("数源拒绝登录：用户名或口令不正确。"))
    if "does not exist" in text:
        return Invalid("source.database_gone", _("数源数据库不存在，请核对归集任务的库名。"))
    return Unavailable("source.away", _("数源数据库连接不上。"))


def connect(plan: AggregationPlan) -> Any:
    """Open a read-only snapshot of the source."""
    place = plan.settings
    with explained():
        connection = psycopg2.connect(
            host=place.get("host"),
            port=place.get("port", 5432),
            dbname=place.get("database"),
            user=place.get("user"),
            password=password_of(plan),
            connect_timeout=5,
            application_name="aggregation",
            options=f"-c statement_timeout={STATEMENT_SECONDS * 1000} -c datestyle=ISO -c client_encoding=UTF8",
        )
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
    return connection


def discover(connection: Any, table: str) -> dict[str, str]:
    """Return the columns of the source table with their types; a table that is not there raises Invalid."""
    with explained(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [_table(table).as_string(connection)],
        )
        return dict(cursor.fetchall())


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))


class PostgresqlReading:
    """A table on its way in; see `connector.Reading`."""

    def __init__(self, plan: AggregationPlan, run: AggregationRun) -> None:
        self.plan, self.run = plan, run
        self.state = dict(run.checkpoint)
        self.expected: int | None = None
        self.is_exhausted = False
        self.table = str(plan.settings.get("table", ""))
        self._connection: Any = None
        self._rows: Any = None

    def begin(self) -> None:
        """Connect, compare the table with the mapping, count what lies ahead and open the cursor."""
        self._connection = connect(self.plan)
        self._check(discover(self._connection, self.table))
        with explained(), self._connection.cursor() as cursor:
            if self.plan.cursor_column:
                self._refuse_missing_cursors(cursor)
            if "key" in self.state:
                self._refuse_twins_of_the_checkpoint(cursor)
            cursor.execute(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(_table(self.table), self._ahead()))
            self.expected = self.run.read_count + cursor.fetchone()[0]
        self._rows = self._connection.cursor(name="aggregation")
        self._rows.itersize = _FETCH
        with explained():
            self._rows.execute(self._query())

    def _check(self, columns: dict[str, str]) -> None:
        wanted = [*self.plan.columns.values(), self.plan.key_column, self.plan.cursor_column]
        missing = [name for name in dict.fromkeys(wanted) if name and name not in columns]
        if missing:
            text = _("数源表缺少字段：%(names)s。") % {"names": "、".join(missing)}
            raise Invalid("source.column_missing", text, {"columns": missing})
        self._cursor_type = columns.get(self.plan.cursor_column, "")
        if self.plan.cursor_column and self._cursor_type not in _TIMES:  # no look-back: what commits late would be lost for good
            text = _("增量字段「%(name)s」不是日期或时间类型，无法回看迟到的记录，请改用时间字段或不设增量字段。")
            raise Invalid("source.cursor_not_time", text % {"name": self.plan.cursor_column})

    def _refuse_missing_cursors(self, cursor: Any) -> None:
        column = sql.Identifier(self.plan.cursor_column)
        cursor.execute(sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL").format(_table(self.table), column))
        count = cursor.fetchone()[0]
        if count:
            text = _("数源表的增量字段「%(name)s」有 %(count)s 行为空，无法按增量归集。")
            raise Invalid("source.cursor_null", text % {"name": self.plan.cursor_column, "count": count})

    def _refuse_twins_of_the_checkpoint(self, cursor: Any) -> None:
        """Rows that share cursor and key with the last one read would be passed over."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE ({}) = ({})")
        cursor.execute(query.format(_table(self.table), sql.SQL(", ").join(self._order()), self._reached()))
        if cursor.fetchone()[0] > 1:
            raise self._key_is_none()

    def _key_is_none(self) -> Invalid:
        said = _("源主键「%(name)s」为空或重复，中断后续传会漏读记录，请改用唯一的字段。")
        return Invalid("source.key_not_unique", said % {"name": self.plan.key_column})

    def _reached(self) -> sql.Composable:
        return sql.SQL(", ").join(sql.Literal(self.state[name]) for name in ("cursor", "key") if name in self.state)

    def _order(self) -> list[sql.Identifier]:
        return [sql.Identifier(name) for name in (self.plan.cursor_column, self.plan.key_column) if name]

    def _ahead(self) -> sql.Composable:
        """The rows this run has still to read: after its own checkpoint, or from where the plan stands."""
        order = sql.SQL(", ").join(self._order())
        if "key" in self.state:
            return sql.SQL("({}) > ({})").format(order, self._reached())
        since = self.plan.checkpoint.get("cursor")
        if not self.plan.cursor_column or since is None:
            return sql.SQL("true")
        window = sql.SQL("{}::{} - make_interval(secs => {})")
        start = window.format(sql.Literal(since), sql.SQL(self._cursor_type), sql.Literal(self.plan.lag_seconds))
        return sql.SQL("{} >= {}").format(sql.Identifier(self.plan.cursor_column), start)

    def _query(self) -> sql.Composable:
        fields = fields_of(self.plan)
        wanted = [*self._order(), *(sql.Identifier(self.plan.columns[field]) for field in fields)]
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(column) for column in wanted)
        # Qualified: a bare name would mean the text of the same name in the answer, where 10 comes before 9.
        order = sql.SQL(", ").join(sql.SQL("source.{}").format(column) for column in self._order())
        query = sql.SQL("SELECT {} FROM {} AS source WHERE {} ORDER BY {}")
        return query.format(texts, _table(self.table), self._ahead(), order)

    def batch(self, size: int) -> Iterator[RawRow]:
        """Hand out the next rows in order."""
        names = ["cursor", "key"] if self.plan.cursor_column else ["key"]
        skip = len(names)
        for number in range(1, size + 1):
            with explained():
                row = next(self._rows, None)
            if row is None:
                self.is_exhausted = True
                return
            place = dict(zip(names, row, strict=False))
            if place["key"] is None or place == self.state:
                raise self._key_is_none()
            self.state = place
            yield RawRow(number, row[skip:], None, row[skip - 1] or "")

    def plan_checkpoint(self) -> dict[str, Any]:
        """The next run starts at the last cursor reached; a table without one is read from its start."""
        since = self.state.get("cursor", self.plan.checkpoint.get("cursor"))
        return {"cursor": since} if since is not None else {}

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """A table needs no note beyond the checkpoint."""
        return ""

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
