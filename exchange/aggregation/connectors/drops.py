"""Files dropped into the exchange node folder (前置机文件): which wait, which were dealt with, and a connector over them.

One run takes one file, in the order of names. A file is known by name, size and digest and not taken twice, unless another of its
name was dealt with since: then what it says is news again, whatever its time stamp. A refused one is tried again only when a person
starts the run and nothing new waits. Departments write into the folder: only regular files are opened, and no link is followed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatch
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError, Invalid, Unavailable
from exchange.models import AggregationPlan, AggregationRun, ConnectorKind, DropFile, FileState

MOST_MEGABYTES = 20_480
PATTERNS: dict[str, str] = {
    ConnectorKind.CSV_DROP: "*.csv",
    ConnectorKind.EXCEL_DROP: "*.xlsx",
    ConnectorKind.JSON_DROP: "*.jsonl *.ndjson",
    ConnectorKind.GEO_DROP: "*.geojson *.json *.gpkg *.zip",
}
_UNFINISHED = (".part", ".tmp", ".filepart")


class Found(NamedTuple):
    """A file in the folder."""

    path: Path
    size: int
    modified_ns: int

    @property
    def name(self) -> str:
        """Its name as a text: departments' systems write names in GB18030, too."""
        name = os.fsencode(self.path.name)
        try:
            return name.decode()
        except UnicodeDecodeError:
            return name.decode("gb18030", errors="replace")


def refused(code: str, message: str, *, line: int | None = None) -> Invalid:
    """Return the error for a file that cannot be taken at all."""
    return Invalid(f"file.{code}", message, {"line": line} if line else {})


def folder_of(place: Mapping[str, Any]) -> Path:
    """Return the folder of a plan's settings, which lies in the exchange node's; anything else is Invalid."""
    root = Path(settings.DROP_DIR).resolve()
    folder = (root / str(place.get("folder", ""))).resolve()
    if folder == root or not folder.is_relative_to(root):
        fault = _("前置机目录配置不正确。")
        raise Invalid("plan.folder_invalid", fault, {"folder": fault})
    return folder


def waiting_files(plan: AggregationPlan, *, again: bool) -> Iterator[Found]:
    """Hand out the files not dealt with, by name; `again` adds, at the end, those that were refused."""
    last_of = {file.name: file for file in DropFile.objects.filter(plan=plan).order_by("settled_at", "id")}
    refused_ones = []
    for found in files_of(plan):
        state = _state_of(last_of.get(found.name), found)
        if state is None:
            yield found
        elif state == FileState.REFUSED:
            refused_ones.append(found)
    if again:
        yield from refused_ones


def _state_of(last: DropFile | None, found: Found) -> str | None:
    """Return what became of a file's contents if they were the last under its name; None when they are news, or news again.

    Another time stamp of the same contents is remembered.
    """
    if last is None or last.size != found.size:
        return None
    if last.modified_ns != found.modified_ns:
        try:
            digest = _digest(found.path)
        except (DomainError, OSError):
            return None  # the run will say what is wrong
        if digest != bytes(last.digest):
            return None
        DropFile.objects.filter(pk=last.pk).update(modified_ns=found.modified_ns)
    return last.state


def files_of(plan: AggregationPlan) -> list[Found]:
    """Return the files in a plan's folder that fit its pattern."""
    return files_at({**plan.settings, "pattern": plan.settings.get("pattern") or PATTERNS[plan.connector]})


def files_at(place: Mapping[str, Any]) -> list[Found]:
    """Return the complete, regular files of a folder that fit the pattern, by name."""
    folder = folder_of(place)
    patterns = str(place.get("pattern") or "*.csv").lower().split()
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
        found = Found(path, state.st_size, state.st_mtime_ns)
        fits = any(fnmatch(found.name.lower(), pattern) for pattern in patterns)
        wanted = fits and not path.name.startswith(".") and path.suffix not in _UNFINISHED
        if wanted and stat.S_ISREG(state.st_mode):
            files.append(found)
    return files


def opened(path: Path) -> BufferedReader:
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
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").digest()


def copied(path: Path, copy: IO[bytes], place: Mapping[str, Any]) -> bytes:
    """Copy a file up to the plan's limit and return its digest."""
    most = int(place.get("most_megabytes") or MOST_MEGABYTES) << 20
    digest, size = hashlib.sha256(), 0
    with opened(path) as source:
        while chunk := source.read(1 << 20):
            size += len(chunk)
            if size > most:
                said = _("文件超过 %(most)s MB 的上限，请分成几个文件，或请数据中心调整上限。")
                raise refused("too_large", said % {"most": most >> 20})
            digest.update(chunk)
            copy.write(chunk)
    copy.flush()
    copy.seek(0)
    return digest.digest()


def settle_file(run: AggregationRun, found: Found, digest: bytes, *, done: bool, now: datetime) -> None:
    """Remember what became of a file, in the caller's transaction."""
    state = FileState.TAKEN if done else FileState.REFUSED
    DropFile.objects.update_or_create(
        plan_id=run.plan_id,
        name=found.name,
        size=found.size,
        digest=digest,
        defaults={"run": run, "modified_ns": found.modified_ns, "state": state, "settled_at": now},
    )
