"""Files dropped into the exchange node folder (前置机文件): one run takes one file, in the order of names.

The whole file is looked through before anything is loaded, on a private copy, so that nobody can change it meanwhile: a
refused file leaves no row. A file is known by name, size and digest and never taken twice; a refused one is tried again
only when a person starts the run.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from basedb.cleaning import clean
from basedb.ingest import DUPLICATE
from basedb.staging import RawRow
from core.errors import DomainError, Invalid, Unavailable
from exchange.aggregation import csv_reading
from exchange.aggregation.connector import dataset_of, fields_of
from exchange.aggregation.csv_reading import Record, refused
from exchange.models import AggregationPlan, AggregationRun, DropFile, FileState

MOST_DUPLICATES = 50_000
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
    """Hand out the files not dealt with, by name; `again` adds those that were refused."""
    settled = DropFile.objects.filter(plan=plan)
    if again:
        settled = settled.filter(state=FileState.TAKEN)
    known = set(settled.values_list("name", "size", "modified_ns"))
    for found in _files(plan):
        if (found.path.name, found.size, found.modified_ns) in known:
            continue
        same = settled.filter(name=found.path.name, size=found.size)
        if same.exists() and same.filter(digest=_digest(found.path)).update(modified_ns=found.modified_ns):
            continue
        yield found


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
        state = path.lstat()
        wanted = fnmatch(path.name, pattern) and not path.name.startswith(".") and path.suffix not in _UNFINISHED
        if wanted and stat.S_ISREG(state.st_mode):
            files.append(Found(path, state.st_size, state.st_mtime_ns))
    return files


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class CsvReading:
    """One file on its way in; see `connector.Reading`. Without a waiting file it is exhausted from the start."""

    def __init__(self, plan: AggregationPlan, run: AggregationRun) -> None:
        self.plan, self.state = plan, dict(run.checkpoint)
        self.fields, self.dataset = fields_of(plan), dataset_of(plan)
        self.expected: int | None = 0
        self.is_exhausted = True
        self._file: IO[bytes] | None = None
        self._found = self._choose(again=run.started_by_id is not None)
        self._twins: dict[int, int] = {}
        self._spool = _spool_folder() / f"{run.uid}.csv"
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
        self._sealed = self._copy(self._found.path)
        if self.state.get("digest", self._sealed.hex()) != self._sealed.hex():
            self._found = None  # the new contents are another file, for another run
            raise refused("changed", _("文件「%(name)s」在归集途中被改动。") % {"name": name})
        self._known = {"file": name, "digest": self._sealed.hex()}
        self._file = file = self._spool.open("rb")
        try:
            self._look_through(file)
        except DomainError as error:
            error.message = _("文件「%(name)s」：%(what)s") % {"name": name, "what": error.message}
            raise
        self.is_exhausted = False
        self._records = csv_reading.records(
            file, self._encoding, len(self._places), start=self.state.get("offset", 0), line=self.state.get("line", 1)
        )

    def _copy(self, path: Path) -> bytes:
        digest = hashlib.sha256()
        with path.open("rb") as source, open(os.open(self._spool, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
        return digest.digest()

    def _look_through(self, file: IO[bytes]) -> None:
        """Check encoding, header and emptiness, count the rows and find keys that stand twice."""
        self._encoding = csv_reading.detect_encoding(file)
        columns = [self.plan.columns[field] for field in self.fields]
        self._places = csv_reading.read_header(file, self._encoding, columns)
        feed, table = _KeyFeed(self._keys(file)), self._keys_table
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
            raise refused("duplicates", _("重复的主键过多(超过 %(count)s 行)。") % {"count": MOST_DUPLICATES})

    def _keys(self, file: IO[bytes]) -> Iterator[tuple[int, str | None]]:
        field = self.dataset.field(self.dataset.key_field)
        place = self._places[self.fields.index(self.dataset.key_field)]
        for record in csv_reading.records(file, self._encoding, len(self._places)):
            yield record.line, None if record.fault else clean(field, record.values[place])

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
        with suppress(FileNotFoundError):
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

    def __init__(self, keys: Iterator[tuple[int, str | None]]) -> None:
        self.keys, self.count = keys, 0

    def read(self, size: int = 8192) -> bytes:
        """Return the next lines, empty at the end."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        for pair in self.keys:
            writer.writerow(pair)
            self.count += 1
            if text.tell() >= size:
                break
        return text.getvalue().encode()


def _spool_folder() -> Path:
    folder = Path(settings.UPLOAD_DIR) / "aggregation"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
