"""A table on its way in (库表读取), from whichever database: in the order of cursor and key, streamed, from a checkpoint on.

A run starts at the last cursor reached, that value included, less the look-back window: what was committed late is read again,
and rows read twice change nothing. Without a cursor column the whole table is read in the order of the key. The checkpoint
never passes the source's own clock, so that a row dated ahead does not hide those that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from django.utils import timezone
from django.utils.translation import gettext as _
from sqlalchemy.sql.elements import ColumnElement

from basedb.intake.contract import NUL_BYTE
from basedb.staging import BETWEEN, JoinedRow, RawRow
from core.errors import Invalid
from exchange.aggregation import schema_drift
from exchange.aggregation.connector import fields_of
from exchange.aggregation.connectors.sql_names import as_text, named, table_of
from exchange.aggregation.connectors.terms import Column, Family, place_of
from exchange.models import AggregationPlan, AggregationRun

if TYPE_CHECKING:
    from exchange.aggregation.connectors.sql import SqlConnector

FETCH = 5_000
BACKWARDS = timedelta(minutes=1)
FINER = timedelta(seconds=1)  # some databases keep more digits of a second than their drivers hand out


class SqlReading:
    """See `connector.Reading`. Dates and numbers of the checkpoint are kept as text and bound as what the column is."""

    def __init__(self, connector: SqlConnector, plan: AggregationPlan, run: AggregationRun) -> None:
        self._connector, self.plan, self.run = connector, plan, run
        self.state = dict(run.checkpoint)
        self.expected: int | None = None
        self.highest: str | None = None
        self.is_exhausted = False
        self.table = str(plan.settings.get("table", ""))
        self._connection: sa.Connection | None = None
        self._rows: sa.CursorResult[Any] | None = None
        self._last: tuple[Any, ...] | None = None
        self._columns: dict[str, Column] = {}
        self._clock: datetime | None = None
        self._share: tuple[str | None, str | None, str | None] | None = None

    def limit_to(self, after: str | None, upto: str | None, until: str | None) -> None:
        """Read only keys after the first, up to and including the second, of rows the whole knew of; called before `begin`."""
        self._share = (after, upto, until)

    def begin(self) -> None:
        """Connect, compare the table with the mapping and its schema, count what lies ahead and how far its cursor reaches."""
        self._connection = connection = self._connector.connect(place_of(self.plan))
        columns = self._connector.columns(connection, self.table)
        self._columns = {column.name: column for column in columns}
        schema_drift.compare(self.plan, columns, now=timezone.now())
        self._check_cursor()
        with self._connector.explained():
            if self.plan.cursor_column:
                self._refuse_missing_cursors(connection)
                self._refuse_clock_going_backwards(connection)
            if "key" in self.state:
                self._refuse_twins_of_the_checkpoint(connection)
            told = [sa.func.count(), *(sa.func.max(named(name)) for name in (self.plan.cursor_column,) if name)]
            count, *highest = connection.execute(sa.select(*told).select_from(table_of(self.table)).where(self._ahead())).one()
            self.expected = self.run.read_count + count
            self.highest = _written(highest[0]) if highest else None

    def _check_cursor(self) -> None:
        name = self.plan.cursor_column
        if name and self._columns[name].family is not Family.TIME:  # no look-back: what commits late would be lost for good
            text = _("增量字段「%(name)s」不是日期或时间类型，无法回看迟到的记录，请改用时间字段或不设增量字段。")
            raise Invalid("source.cursor_not_time", text % {"name": name})

    def _refuse_missing_cursors(self, connection: sa.Connection) -> None:
        cursor = named(self.plan.cursor_column)
        count = connection.execute(
            sa.select(sa.func.count()).select_from(table_of(self.table)).where(cursor.is_(None))
        ).scalar_one()
        if count:
            text = _("数源表的增量字段「%(name)s」有 %(count)s 行为空，无法按增量归集。")
            raise Invalid("source.cursor_null", text % {"name": self.plan.cursor_column, "count": count})

    def _refuse_clock_going_backwards(self, connection: sa.Connection) -> None:
        """A source whose newest row is older than what was read from it was restored, or its clock was set back."""
        self._clock = _moment(connection.execute(sa.select(sa.func.current_timestamp())).scalar_one())
        since = self._since()
        newest = connection.execute(
            sa.select(sa.func.max(named(self.plan.cursor_column))).select_from(table_of(self.table))
        ).scalar()
        if since is None or newest is None:
            return
        if _comparable(_moment(newest)) < _comparable(since) - timedelta(seconds=self.plan.lag_seconds) - BACKWARDS:
            said = _(
                "数源最新记录的时间早于上次读到的位置，可能是数源时钟回拨或数据库已从备份恢复。请与数源部门核实，确认后选择「从头归集」。"
            )
            raise Invalid("source.clock_backwards", said)

    def _refuse_twins_of_the_checkpoint(self, connection: sa.Connection) -> None:
        """Rows that share cursor and key with the last one read would be passed over."""
        same = sa.and_(*(named(name) == self._bound(kind) for kind, name in self._order()))
        if connection.execute(sa.select(sa.func.count()).select_from(table_of(self.table)).where(same)).scalar_one() > 1:
            raise self._key_is_none()

    def _key_is_none(self) -> Invalid:
        said = _("源主键「%(name)s」为空或重复，中断后续传会漏读记录，请改用唯一的字段。")
        return Invalid("source.key_not_unique", said % {"name": self.plan.key_column})

    def _order(self) -> list[tuple[str, str]]:
        order = [("cursor", self.plan.cursor_column), ("key", self.plan.key_column)]
        return [(kind, name) for kind, name in order if name]

    def _bound(self, kind: str) -> Any:
        """Return a value of the checkpoint as what its column is."""
        name = self.plan.cursor_column if kind == "cursor" else self.plan.key_column
        return _typed(self._columns[name], str(self.state[kind]))

    def _since(self) -> datetime | None:
        text = self.plan.checkpoint.get("cursor")
        return datetime.fromisoformat(text) if text else None

    def boundaries(self, parts: int) -> list[str]:
        """Return the last keys of all shares but the last, for shares of about equal size; needs an open reading."""
        key = named(self.plan.key_column)
        shares = sa.select(key.label("k"), sa.func.ntile(parts).over(order_by=key).label("share"))
        shared = shares.select_from(table_of(self.table)).where(self._ahead()).subquery()
        nulls = sa.func.count() - sa.func.count(shared.c.k)
        ends = sa.select(sa.func.max(shared.c.k), nulls).group_by(shared.c.share).order_by(shared.c.share)
        with self._connector.explained():
            rows = self._opened().execute(ends).all()
        if any(missing for _end, missing in rows):  # they lie in no share
            raise self._key_is_none()
        return [str(_written(end)) for end, _missing in rows][:-1]

    def keys(self) -> Iterator[str]:
        """Hand out all keys that are at the source now, for a comparison of the whole."""
        if self._share is not None:  # another share may have read what came after this one's snapshot
            self.close()
            self._connection = self._connector.connect(place_of(self.plan))
        query = sa.select(named(self.plan.key_column)).select_from(table_of(self.table))
        with self._connector.explained():
            rows = self._opened().execution_options(stream_results=True, max_row_buffer=FETCH).execute(query)
            for row in rows:
                yield _written(row[0]) or ""

    def _opened(self) -> sa.Connection:
        if self._connection is None:
            raise RuntimeError("the reading has not begun")
        return self._connection

    def _ahead(self) -> ColumnElement[bool]:
        """The rows this run has still to read, of its share of keys; what changed since the whole was cut is for the next run."""
        after, upto, until = self._share or (None, None, None)
        column = self._columns[self.plan.key_column]
        bounds = [self._unread()]
        if after is not None:
            bounds.append(named(column.name) > _typed(column, after))
        if upto is not None:
            bounds.append(named(column.name) <= _typed(column, upto))
        if until is not None:
            end = (datetime.fromisoformat(until) + FINER).isoformat()
            bounds.append(named(self.plan.cursor_column) <= _typed(self._columns[self.plan.cursor_column], end))
        return sa.and_(*bounds)

    def _unread(self) -> ColumnElement[bool]:
        """The rows after the run's own checkpoint, or from where the plan stands."""
        key = named(self.plan.key_column)
        if "key" in self.state and not self.plan.cursor_column:
            after: ColumnElement[bool] = key > self._bound("key")
            return after
        if "key" in self.state:
            cursor, reached = named(self.plan.cursor_column), self._bound("cursor")
            return sa.and_(cursor >= reached, sa.or_(cursor > reached, key > self._bound("key")))
        since = self._since()
        if not self.plan.cursor_column or since is None:
            return sa.true()
        start = since - timedelta(seconds=self.plan.lag_seconds)
        column = self._columns[self.plan.cursor_column]
        from_start: ColumnElement[bool] = named(column.name) >= _typed(column, start.isoformat())
        return from_start

    def query(self) -> sa.Select[Any]:
        """Return the statement that reads what lies ahead."""
        places = [named(name).label(f"place_{kind}") for kind, name in self._order()]
        joined = self._joined()
        wanted = self._apart() if joined is None else [joined.label("joined")]
        order = [named(name) for _kind, name in self._order()]
        return sa.select(*places, *wanted).select_from(table_of(self.table)).where(self._ahead()).order_by(*order)

    def _apart(self) -> list[ColumnElement[Any]]:
        """Every mapped column, then since when a row holds and whether it has ended, if the source says so."""
        extra = [name for name in (self.plan.valid_from_column, self.plan.tombstone_column) if name]
        names = [*(self.plan.columns[field] for field in fields_of(self.plan)), *extra]
        return [self._connector.shown(self._columns[name]).label(f"field_{number}") for number, name in enumerate(names)]

    def _joined(self) -> ColumnElement[str] | None:
        """What a `JoinedRow` has as its text, None where the server cannot join."""
        plan, shown = self.plan, self._connector.shown
        nothing: ColumnElement[Any] = sa.literal_column("''")
        texts = [shown(self._columns[plan.columns[field]]) for field in fields_of(plan)]
        texts.append(shown(self._columns[plan.valid_from_column]) if plan.valid_from_column else nothing)
        ended: ColumnElement[Any] = nothing
        if plan.tombstone_column:
            is_gone = shown(self._columns[plan.tombstone_column]) == plan.tombstone_value
            ended = sa.case((is_gone, sa.literal_column("'gone'")), else_=nothing)
        return self._connector.joined([*texts, ended])

    def batch(self, size: int) -> Iterator[RawRow | JoinedRow]:
        """Hand out the next rows in order; `state` follows when the batch is through."""
        kinds = [kind for kind, _name in self._order()]
        skip, is_joined = len(kinds), self._joined() is not None
        marks = len(fields_of(self.plan)) + 1
        last: tuple[Any, ...] | None = None
        try:
            for number, row in enumerate(self._fetched(size), start=1):
                place = tuple(row[:skip])
                key = _written(place[-1])
                if key is None or place == self._last:
                    raise self._key_is_none()
                self._last = last = place
                if not is_joined:
                    yield self._row(number, key, [as_text(value) for value in row[skip:]])
                elif row[skip].count(BETWEEN) == marks:
                    yield JoinedRow(number, row[skip], key)
                else:  # a value has the mark itself
                    yield self._row(number, key, self._read_apart(place))
        finally:
            if last is not None:
                self.state = dict(zip(kinds, map(_written, last), strict=True))

    def _read_apart(self, place: tuple[Any, ...]) -> list[str | None]:
        """Return the values of the row at a place of the order, in the same snapshot."""
        same = [named(name) == value for (_kind, name), value in zip(self._order(), place, strict=True)]
        with self._connector.explained():
            return list(self._opened().execute(sa.select(*self._apart()).select_from(table_of(self.table)).where(*same)).one())

    def _fetched(self, size: int) -> Iterator[Any]:
        """Hand out at most `size` rows as they stream in."""
        stream = self._streamed()
        while size > 0:
            with self._connector.explained():
                rows = stream.fetchmany(min(FETCH, size))
            if not rows:
                self.is_exhausted = True
                return
            size -= len(rows)
            yield from rows

    def _streamed(self) -> sa.CursorResult[Any]:
        """Open the stream with the first row: some drivers do nothing else beside one."""
        if self._rows is None:
            streaming = self._opened().execution_options(stream_results=True, max_row_buffer=FETCH)
            with self._connector.explained():
                self._rows = streaming.execute(self.query())
        return self._rows

    def _row(self, number: int, key: str, texts: list[str | None]) -> RawRow:
        """Return a row; what a text column cannot hold here makes it a reject, not a crash."""
        gone = texts.pop() == self.plan.tombstone_value if self.plan.tombstone_column else False
        since = texts.pop() if self.plan.valid_from_column else None
        fault = ""
        if any("\x00" in text for text in texts if text):
            fault, texts = NUL_BYTE, [text and text.replace("\x00", "\ufffd") for text in texts]
            key = key.replace("\x00", "\ufffd")
        return RawRow(number, texts, None, key, fault, valid_from=since, gone=gone)

    def plan_checkpoint(self) -> dict[str, Any]:
        """The next run starts at the last cursor reached, or at the source's clock; a table without cursor from its start."""
        return self._checkpoint_at(self.state.get("cursor"))

    def checkpoint_of_whole(self) -> dict[str, Any]:
        """The same once all that lies ahead has been read, in shares."""
        return self._checkpoint_at(self.highest)

    def _checkpoint_at(self, reached: str | None) -> dict[str, Any]:
        if reached is None or not self.plan.cursor_column:
            return dict(self.plan.checkpoint)
        if self._clock is not None and _comparable(datetime.fromisoformat(reached)) > _comparable(self._clock):
            reached = _like(self._clock, datetime.fromisoformat(reached)).isoformat()
        return {"cursor": reached}

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """A table needs no note beyond the checkpoint."""
        return ""

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


def _written(value: Any) -> str | None:
    """Return a value of the order as the checkpoint keeps it."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)


def _typed(column: Column, text: str) -> Any:
    """Return a text of the checkpoint as what the column is, so that no database guesses."""
    match column.family:
        case Family.TIME:
            moment = datetime.fromisoformat(text)
            return moment.date() if column.base_type == "date" else moment
        case Family.NUMBER:
            number = Decimal(text)
            return int(number) if number == number.to_integral_value() else number
        case _:
            return text


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time.min)
    return datetime.fromisoformat(str(value))


def _comparable(moment: datetime) -> datetime:
    """A time without zone is taken as it stands on the wall here; both sides are read the same way."""
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _like(moment: datetime, other: datetime) -> datetime:
    """Return a moment with a zone, or as it stands on the wall here, as the other one is."""
    if other.tzinfo:
        return _comparable(moment)
    return timezone.make_naive(moment) if moment.tzinfo else moment
