"""Files dropped into the exchange node folder (前置机文件): one run takes one file, in the order of names.

The whole file is looked through before anything is loaded, on a private copy, so that nobody can change it meanwhile: a
refused file leaves no row. A file is known by name, size and digest and never taken twice; a refused one is tried again
only when a person starts the run and nothing new waits. Departments write into the folder: only regular files are opened, and no
link is followed.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatch
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.cleaning import clean
from basedb.ingest import DUPLICATE
from basedb.staging import RawRow
from core.errors import DomainError, Invalid, Unavailable
from exchange.aggregation import csv_reading
from exchange.aggregation.connector import dataset_of, fields_of, is_over_limit
from exchange.aggregation.csv_reading import Record, refused
from exchange.models import AggregationPlan, AggregationRun, DropFile, FileState

MOST_DUPLICATES = 50_000
MOST_NAMED = 10
_UNFINISHED = (".part", ".tmp", ".filepart")


class Found(NamedTuple):
    """A file in the folder."""

    path: Path
    size: int
    modified_ns: int


def folder_of(plan: AggregationPlan) -> Path:
    """Return the plan's folder, which lies in the exchange node's; anything else is Invalid."""
    root = Path(settings.DROP_DIR).resolve()
    folder = (root / str(plan.settings.get("folder", ""))).resolve()
    if folder == root or not folder.is_relative_to(root):
        raise Invalid("plan.folder_invalid", _("前置机目录配置不正确。"))
    return folder


def waiting_files(plan: AggregationPlan, *, again: bool) -> Iterator[Found]:
    """Hand out the files not dealt with, by name; `again` adds, at the end, those that were refused."""
    settled = DropFile.objects.filter(plan=plan).order_by("state")  # a file both refused and taken counts as taken
    known = {(file.name, file.size, file.modified_ns): file.state for file in settled}
    refused_ones = []
    for found in _files(plan):
        state = known.get((found.path.name, found.size, found.modified_ns)) or _state_of_same(settled, found)
        if state is None:
            yield found
        elif state == FileState.REFUSED:
            refused_ones.append(found)
    if again:
        yield from refused_ones


def _state_of_same(settled: QuerySet[DropFile], found: Found) -> str | None:
    """Return what became of a file of the same contents under another time stamp, and remember the new one."""
    candidates = settled.filter(name=found.path.name, size=found.size)
    if not candidates.exists():
        return None
    try:
        digest = _digest(found.path)
    except (DomainError, OSError):
        return None  # the run will say what is wrong
    same = candidates.filter(digest=digest).last()
    if same is not None:
        candidates.filter(pk=same.pk).update(modified_ns=found.modified_ns)
    return same.state if same is not None else None


def _files(plan: AggregationPlan) -> list[Found]:
    folder = folder_of(plan)
    pattern = str(plan.settings.get("pattern") or "*.csv")
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable("source.away", _("前置机目录无法读取。")) from error
    files = []
    for path in entries:
        try:
            state = path.lstat()
        except OSError:
            continue  # taken away meanwhile
        wanted = fnmatch(path.name, pattern) and not path.name.startswith(".") and path.suffix not in _UNFINISHED
        if wanted and stat.S_ISREG(state.st_mode):
            files.append(Found(path, state.st_size, state.st_mtime_ns))
    return files


def _opened(path: Path) -> BufferedReader:
    """Open a regular file, whatever it was when the folder was listed: no link, no pipe that never ends."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_regular() from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular()
    return os.fdopen(descriptor, "rb")


def _not_regular() -> Invalid:
    return refused("not_regular", _("不是普通文件（可能是链接或管道），不能归集。"))


def _digest(path: Path) -> bytes:
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").digest()


class CsvReading:
    """One file on its way in; see `connector.Reading`. Without a waiting file it is exhausted from the start."""

    def __init__(self, plan: AggregationPlan, run: AggregationRun) -> None:
        self.plan, self.state, self._run_uid = plan, dict(run.checkpoint), run.uid
        self.fields, self.dataset = fields_of(plan), dataset_of(plan)
        self.expected: int | None = 0
        self.is_exhausted = True
        self._file: IO[bytes] | None = None
        self._found = self._choose(again=run.started_by_id is not None)
        self._twins: dict[int, int] = {}
        self._sealed = b""
        self._spool = Path(settings.UPLOAD_DIR) / "aggregation" / f"{run.uid}-{run.lease_token}.csv"
        self._keys_table = f"keys_{run.pk}"

    def _choose(self, *, again: bool) -> Found | None:
        name = self.state.get("file")
        if name:
            for found in _files(self.plan):
                if found.path.name == name:
                    return found
            raise refused("gone", _("文件「%(name)s」已不在前置机目录中，未归集完。") % {"name": name})
        return next(waiting_files(self.plan, again=again), None)

    def begin(self) -> None:
        """Copy the file and look through it; a file that cannot be taken is refused here, before anything is loaded."""
        if self._found is None:
            return
        name = self._found.path.name
        try:
            self._file = file = self._spooled()
            self._sealed = self._copy(self._found.path, file)
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
            self._look_through(file)
        except DomainError as error:
            raise _about(name, error) from None
        self.is_exhausted = False
        self._records = csv_reading.records(
            file, self._encoding, len(self._places), start=self.state.get("offset", 0), line=self.state.get("line", 1)
        )

    def _spooled(self) -> IO[bytes]:
        """Open an empty private copy of this worker's own; what a killed worker of the run left is removed."""
        folder = self._spool.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob(f"{self._run_uid}-*.csv"):
            left.unlink(missing_ok=True)
        return os.fdopen(os.open(self._spool, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w+b")

    @staticmethod
    def _copy(path: Path, copy: IO[bytes]) -> bytes:
        digest = hashlib.sha256()
        with _opened(path) as source:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
        copy.flush()
        return digest.digest()

    def _look_through(self, file: IO[bytes]) -> None:
        """Check encoding, header and emptiness, count the rows and find keys that stand twice."""
        self._encoding = csv_reading.detect_encoding(file)
        columns = [self.plan.columns[field] for field in self.fields]
        self._places = csv_reading.read_header(file, self._encoding, columns)
        field, place = self.dataset.field(self.dataset.key_field), self._places[self.fields.index(self.dataset.key_field)]
        records = csv_reading.records(file, self._encoding, len(self._places))
        feed, table = _KeyFeed(records, lambda record: clean(field, record.values[place])), self._keys_table
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE UNLOGGED TABLE staging.{table} (line bigint, key text)")
            cursor.copy_expert(f"COPY staging.{table} FROM STDIN (FORMAT csv)", feed)
            cursor.execute(
                f"SELECT line, first FROM (SELECT line, min(line) OVER (PARTITION BY key) AS first"
                f" FROM staging.{table} WHERE key IS NOT NULL) k WHERE line > first LIMIT {MOST_DUPLICATES + 1}"
            )
            self._twins = dict(cursor.fetchall())
            cursor.execute(f"DROP TABLE staging.{table}")
        self.expected = feed.count
        if not feed.count:
            raise refused("empty", _("文件只有表头，没有数据行。"))
        if len(self._twins) > MOST_DUPLICATES:
            raise refused("duplicates", _("重复的主键过多（超过 %(count)s 行）。") % {"count": MOST_DUPLICATES})
        self._refuse_too_many_faults(feed)

    def _refuse_too_many_faults(self, feed: _KeyFeed) -> None:
        """What is known to be wrong before anything is loaded may already be over the limit: then nothing is loaded."""
        faults = feed.fault_count + len(self._twins)
        if is_over_limit(self.plan, faults, feed.count):
            lines = sorted([*feed.fault_lines, *sorted(self._twins)[:MOST_NAMED]])[:MOST_NAMED]
            said = _(
                "%(read)s 行中有 %(faults)s 行无法解析或主键重复（第 %(lines)s 行等），超过拒收上限 %(limit)s%%，整个文件未归集。"
            )
            limit = self.plan.reject_limit_percent
            named = "、".join(map(str, lines))
            raise refused("too_many_faults", said % {"read": feed.count, "faults": faults, "lines": named, "limit": limit})

    def batch(self, size: int) -> Iterator[RawRow]:
        """Hand out the next rows; a key that stood on an earlier line makes the later row a reject that names both."""
        key_place = self._key_place()
        for number in range(1, size + 1):
            record = next(self._records, None) if not self.is_exhausted else None
            if record is None:
                self.is_exhausted = True
                return
            self.state = {**self._known, "line": self._last_line(record), "offset": record.end}
            if record.fault:
                yield RawRow(number, (), record.line, "", record.fault, damaged=record.text)
                continue
            first = self._twins.get(record.line)
            fault = f"{self.dataset.key_field}.{DUPLICATE}" if first else ""
            values = [record.values[place] for place in self._places]
            source_key = record.values[key_place] if key_place is not None else str(record.line)
            yield RawRow(number, values, record.line, source_key, fault, first)

    def _key_place(self) -> int | None:
        for field, place in zip(self.fields, self._places if self._found else (), strict=bool(self._found)):
            if self.plan.columns[field] == self.plan.key_column:
                return place
        return None

    @staticmethod
    def _last_line(record: Record) -> int:
        return record.line + sum(value.count("\n") for value in record.values)

    def plan_checkpoint(self) -> dict[str, Any]:
        """Files are remembered one by one, so a plan of files has no place to start from."""
        return {}

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """Remember the file as taken or refused."""
        if self._found is None:
            return _("前置机目录中没有新文件。")
        settle_file(run, self._found, self._sealed, done=done, now=now)
        return _("文件「%(name)s」") % {"name": self._found.path.name}

    def close(self) -> None:
        """Close and remove the private copy."""
        if self._file:
            self._file.close()
        with suppress(OSError):  # the next worker of the run removes it
            self._spool.unlink()


def settle_file(run: AggregationRun, found: Found, digest: bytes, *, done: bool, now: datetime) -> None:
    """Remember what became of a file, in the caller's transaction."""
    state = FileState.TAKEN if done else FileState.REFUSED
    DropFile.objects.update_or_create(
        plan_id=run.plan_id,
        name=found.path.name,
        size=found.size,
        digest=digest,
        defaults={"run": run, "modified_ns": found.modified_ns, "state": state, "settled_at": now},
    )


class _KeyFeed:
    """What COPY reads keys from."""

    def __init__(self, records: Iterator[Record], key: Callable[[Record], str | None]) -> None:
        self.records, self.key = records, key
        self.count = self.fault_count = 0
        self.fault_lines: list[int] = []  # the first of them

    def read(self, size: int = 8192) -> bytes:
        """Return the next lines, empty at the end."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        for record in self.records:
            writer.writerow((record.line, None if record.fault else self.key(record)))
            self.count += 1
            if record.fault:
                self.fault_count += 1
                if len(self.fault_lines) < MOST_NAMED:
                    self.fault_lines.append(record.line)
            if text.tell() >= size:
                break
        return text.getvalue().encode()


def _about(name: str, error: DomainError) -> DomainError:
    error.message = _("文件「%(name)s」：%(what)s") % {"name": name, "what": error.message}
    return error
