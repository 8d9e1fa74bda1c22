"""Files of bulk jobs (批量文件): one folder a job, closed to others, digested while they are written.

A part is written under another name and renamed when it is whole and on disk: what a killed worker left half is written anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings

BUFFER: Final = 1_048_576
JOB: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WHOLE: Final = re.compile(r"[0-9]{6}\.(?:csv|jsonl|xlsx)")


def folder_of(job_uid: UUID) -> Path:
    """Return where a job's files stand."""
    return Path(settings.BULK_DIR) / str(job_uid)


def path_of(job_uid: UUID, number: int, form: str) -> Path:
    """Return the file of a part."""
    return folder_of(job_uid) / f"{number:06d}.{form}"


def make_folder(job_uid: UUID) -> Path:
    """Make a job's folder, for its owner only."""
    folder = folder_of(job_uid)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def sweep(job_uid: UUID) -> None:
    """Remove what a killed worker left half written."""
    for path in make_folder(job_uid).iterdir():
        if not WHOLE.fullmatch(path.name):
            path.unlink(missing_ok=True)


def kept() -> list[UUID]:
    """Return the jobs whose folders stand on disk."""
    folder = Path(settings.BULK_DIR)
    return [UUID(path.name) for path in folder.iterdir() if JOB.fullmatch(path.name)] if folder.is_dir() else []


def remove_folder(job_uid: UUID) -> None:
    """Remove a job's files; one that has none is left as it is."""
    shutil.rmtree(folder_of(job_uid), ignore_errors=True)


def is_room_left() -> bool:
    """Whether the disk has more room left than what must stay free for the rest of the platform."""
    Path(settings.BULK_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
    return shutil.disk_usage(settings.BULK_DIR).free > settings.BULK_FREE_BYTES


class Digested(io.RawIOBase):
    """A new file that counts and digests what is written to it; `tick` is called with every block."""

    def __init__(self, path: Path, tick: Callable[[], None]) -> None:
        self.byte_count = 0
        self.sha256 = hashlib.sha256()
        self.sm3 = hashlib.new("sm3")
        self._tick = tick
        path.unlink(missing_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, block: Any) -> int:
        """Write a block."""
        self._tick()
        written = os.write(self._file, block)
        done = memoryview(block)[:written]
        self.sha256.update(done)
        self.sm3.update(done)
        self.byte_count += written
        return written

    def close(self) -> None:
        """Bring it to disk."""
        if not self.closed:
            os.fsync(self._file)
            os.close(self._file)
        super().close()


def settle(partial: Path, path: Path) -> None:
    """Give a whole part its name, for good."""
    partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
