"""A dropped file on its way in (文件读取), of whichever kind: private copy, look through, batches, checkpoint by record and digest.

The whole file is looked through before anything is loaded, on a private copy, so that nobody can change it meanwhile: a
refused file leaves no row. What a kind of file is like is said by its `Contents`.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

import psycopg2
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from basedb.cleaning import clean
from basedb.ingest import DUPLICATE
from basedb.intake.contract import key_fields_of
from basedb.staging import BETWEEN, RawRow, keyed
from core.errors import DomainError, Unavailable
from core.texts import listed
from exchange.aggregation import schema_drift
from exchange.aggregation.connector import dataset_of, fields_of, limit_passed
from exchange.aggregation.connectors.drops import Found, copied, files_of, refused, settle_file, waiting_files
from exchange.aggregation.connectors.terms import Column
from exchange.models import AggregationPlan, AggregationRun

MOST_DUPLICATES = 50_000
MOST_NAMED = 10
Texts = list[str | None]


class Record(NamedTuple):
    """One record: its line or number, where reading goes on after it, its values or the rule it breaks and its text."""

    line: int
    end: int
    values: Texts
    fault: str = ""
    text: str | None = None


class Contents(Protocol):
    """An open file of some kind. Values of a record stand in the order of `columns`."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the file holds, in its order."""
        ...

    def records(self, after: Mapping[str, Any]) -> Iterator[Record]:
        """Hand out the records after a checkpoint, all of them after an empty one."""
        ...

    def place(self, record: Record) -> dict[str, Any]:
        """Return the checkpoint after a record."""
        ...

    def close(self) -> None:
        """Let go of whatever is open."""
        ...


Opener = Callable[[IO[bytes], Path, Mapping[str, Any]], Contents]


class FileReading:
    """One file on its way in; see `connector.Reading`. Without a waiting file it is exhausted from the start."""

    def __init__(self, opener: Opener, plan: AggregationPlan, run: AggregationRun) -> None:
        self._opener = opener
        self.plan, self.state, self._run_uid = plan, dict(run.checkpoint), run.uid
        self.fields, self.dataset = fields_of(plan), dataset_of(plan)
        self.expected: int | None = 0
        self.is_exhausted = True
        self._file: IO[bytes] | None = None
        self._contents: Contents | None = None
        self._found = self._choose(again=run.started_by_id is not None)
        self._places: list[int] = []
        self._twins: dict[int, int] = {}
        self._sealed = b""
        suffix = self._found.path.suffix.lower() if self._found else ""
        self._spool = Path(settings.UPLOAD_DIR) / "aggregation" / f"{run.uid}-{run.lease_token}{suffix}"
        self._keys_table = f"keys_{run.pk}"

    def _choose(self, *, again: bool) -> Found | None:
        name = self.state.get("file")
        if name:
            for found in files_of(self.plan):
                if found.name == name:
                    return found
            raise refused("gone", _("文件「%(name)s」已不在前置机目录中，未归集完。") % {"name": name})
        return next(waiting_files(self.plan, again=again), None)

    def begin(self) -> None:
        """Copy the file and look through it; a file that cannot be taken is refused here, before anything is loaded."""
        if self._found is None:
            return
        name = self._found.name
        try:
            self._file = self._spooled()
            self._sealed = copied(self._found.path, self._file, self.plan.settings)
        except OSError as error:
            said = _("文件「%(name)s」无法读取或暂存（%(code)s），请核对权限和磁盘空间。")
            raise Unavailable(
                "file.unreadable", said % {"name": name, "code": errno.errorcode.get(error.errno or 0, "-")}
            ) from None
        except DomainError as error:
            raise _about(name, error) from None
        if self.state.get("digest", self._sealed.hex()) != self._sealed.hex():
            self._found = None  # the new contents are another file, for another run
            raise refused("changed", _("文件「%(name)s」在归集途中被改动。") % {"name": name})
        self._known = {"file": name, "digest": self._sealed.hex()}
        try:
            contents = self._look_through(self._file)
        except DomainError as error:
            raise _about(name, error) from None
        self.is_exhausted = False
        self._records = contents.records({} if "file" not in self.state else self.state)

    def _spooled(self) -> IO[bytes]:
        """Open an empty private copy of this worker's own; what a killed worker of the run left is removed."""
        folder = self._spool.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob(f"{self._run_uid}-*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        return os.fdopen(os.open(self._spool, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w+b")

    def _look_through(self, file: IO[bytes]) -> Contents:
        """Check form, columns and emptiness, count the records and find keys that stand twice."""
        wanted = [self.plan.columns[field] for field in self.fields]
        self._contents = contents = self._opener(file, self._spool, {**self.plan.settings, "wanted": wanted})
        schema_drift.compare(self.plan, contents.columns, now=timezone.now())
        names = [column.name for column in contents.columns]
        self._places = [names.index(name) for name in wanted]
        self._key_place = _index(names, self.plan.key_column)
        self._since_place = _index(names, self.plan.valid_from_column)
        self._gone_place = _index(names, self.plan.tombstone_column)
        feed = _KeyFeed(contents.records({}), self._subject_of)
        self._find_twins(feed)
        self.expected = feed.count
        if not feed.count:
            raise refused("empty", _("文件只有表头，没有数据行。"))
        if len(self._twins) > MOST_DUPLICATES:
            raise refused("duplicates", _("重复的主键过多（超过 %(count)s 行）。") % {"count": MOST_DUPLICATES})
        self._refuse_too_many_faults(feed)
        return contents

    def _subject_of(self, record: Record) -> str | None:
        """Return what a record says its subject is, None where the source may go without; and since when, if the source says so."""
        name = self.dataset.key_field
        if name not in self.fields:
            return None
        key = clean(self.dataset.field(name), record.values[self._places[self.fields.index(name)]])
        if key is None or self._since_place is None:
            return key
        return f"{key}{BETWEEN}{record.values[self._since_place] or ''}"

    def _find_twins(self, feed: _KeyFeed) -> None:
        """Find the lines whose key stood on an earlier one; only a master has one row a key, for each moment it tells."""
        table = self._keys_table
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE UNLOGGED TABLE staging.{table} (line bigint, key text)")
            try:
                cursor.copy_expert(f"COPY staging.{table} FROM STDIN (FORMAT csv)", feed)
            except psycopg2.Error:  # COPY would only say that reading failed
                if feed.error is not None:
                    raise feed.error from None
                raise
            cursor.execute(
                f"SELECT line, first FROM (SELECT line, min(line) OVER (PARTITION BY key) AS first"
                f" FROM staging.{table} WHERE key IS NOT NULL) k WHERE line > first LIMIT {MOST_DUPLICATES + 1}"
            )
            self._twins = dict(cursor.fetchall()) if self.dataset.kind == "MASTER" else {}
            cursor.execute(f"DROP TABLE staging.{table}")

    def _refuse_too_many_faults(self, feed: _KeyFeed) -> None:
        """What is known to be wrong before anything is loaded may already be over the limit: then nothing is loaded."""
        faults = feed.fault_count + len(self._twins)
        if limit := limit_passed(self.plan, faults, feed.count):
            lines = sorted([*feed.fault_lines, *sorted(self._twins)[:MOST_NAMED]])[:MOST_NAMED]
            said = _(
                "%(read)s 行中有 %(faults)s 行无法解析或主键重复（第 %(lines)s 行等），超过拒收上限 %(limit)s，整个文件未归集。"
            )
            named = listed(lines)
            raise refused("too_many_faults", said % {"read": feed.count, "faults": faults, "lines": named, "limit": limit})

    def batch(self, size: int) -> Iterator[RawRow]:
        """Hand out the next rows; a key that stood on an earlier line makes the later row a reject that names both.

        `state` follows when the batch is through.
        """
        last: Record | None = None
        try:
            for number in range(1, size + 1):
                record = next(self._records, None) if not self.is_exhausted else None
                if record is None:
                    self.is_exhausted = True
                    return
                last = record
                if record.fault and not record.values:
                    yield RawRow(number, (), record.line, "", record.fault, damaged=record.text)
                    continue
                first = self._twins.get(record.line)
                fault = record.fault or (f"{self.dataset.key_field}.{DUPLICATE}" if first else "")
                yield self._row(number, record, fault, first)
        finally:
            if last is not None and self._contents is not None:
                self.state = {**self._known, **self._contents.place(last)}

    def _row(self, number: int, record: Record, fault: str, first: int | None) -> RawRow:
        values = [record.values[place] for place in self._places]
        key = record.values[self._key_place] or "" if self._key_place is not None else ""
        since = record.values[self._since_place] if self._since_place is not None else None
        gone = self._gone_place is not None and record.values[self._gone_place] == self.plan.tombstone_value
        return RawRow(number, values, record.line, key, fault, first, valid_from=since, gone=gone)

    def keys(self) -> Iterator[str] | None:
        """Hand out the keys the file holds, for a plan whose files are always whole; a row without one has that of its fields.

        None without a file or a key column, and when a line could not be read: its key would pass for one that is gone.
        """
        if self._contents is None or self._key_place is None or self._found is None:
            return None
        records = self._contents.records({})
        if any(record.fault and not record.values for record in records):
            return None
        place, names = self._key_place, key_fields_of(self.dataset)
        return (
            record.values[place] or keyed(self._row(0, record, "", None), self.dataset, self.fields, names).source_key
            for record in self._contents.records({})
        )

    def plan_checkpoint(self) -> dict[str, Any]:
        """Files are remembered one by one, so a plan of files has no place to start from."""
        return {}

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """Remember the file as taken or refused."""
        if self._found is None:
            return _("前置机目录中没有新文件。")
        settle_file(run, self._found, self._sealed, done=done, now=now)
        return _("文件「%(name)s」") % {"name": self._found.name}

    def close(self) -> None:
        """Close and remove the private copy."""
        if self._contents is not None:
            self._contents.close()
        if self._file:
            self._file.close()
        with suppress(OSError):  # the next worker of the run removes it
            self._spool.unlink()


class _KeyFeed:
    """What COPY reads keys from."""

    def __init__(self, records: Iterator[Record], key: Callable[[Record], str | None]) -> None:
        self.records, self.key = records, key
        self.count = self.fault_count = 0
        self.fault_lines: list[int] = []  # the first of them
        self.error: Exception | None = None

    def read(self, size: int = 8192) -> bytes:
        """Return the next lines, empty at the end."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        try:
            for record in self.records:
                writer.writerow((record.line, None if record.fault else self.key(record)))
                self._count(record)
                if text.tell() >= size:
                    break
        except Exception as error:
            self.error = error
            raise
        return text.getvalue().encode()

    def _count(self, record: Record) -> None:
        self.count += 1
        if record.fault:
            self.fault_count += 1
            if len(self.fault_lines) < MOST_NAMED:
                self.fault_lines.append(record.line)


def _index(names: list[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _about(name: str, error: DomainError) -> DomainError:
    error.message = _("文件「%(name)s」：%(what)s") % {"name": name, "what": error.message}
    return error
