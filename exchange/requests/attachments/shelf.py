"""Where attachments lie (存放): below UPLOAD_DIR, outside the web root, under random names in folders of two letters.

What a piece of work put on the shelf is taken off again when the work fails, so a rolled-back transaction leaves nothing; what
a killed process leaves is swept at night.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from django.conf import settings

PLACE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}")


def root() -> Path:
    """Return the folder of all attachments."""
    return Path(settings.UPLOAD_DIR) / "attachments"


class Shelf:
    """The files one piece of work puts down. Use it around the whole transaction: an error takes them off again."""

    def __init__(self) -> None:
        self._places: list[str] = []

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            for place in self._places:
                take_off(place)

    def put(self, content: bytes) -> str:
        """Write the content down durably and return its place."""
        name = secrets.token_hex(20)
        place = f"{name[:2]}/{name}"
        path = root() / place
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._places.append(place)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return place


def content_at(place: str) -> bytes:
    """Return what lies at a place; OSError when it is gone."""
    return (root() / place).read_bytes()


def take_off(place: str) -> None:
    """Remove what lies at a place; nothing there is well too."""
    with suppress(FileNotFoundError):
        (root() / place).unlink()


def places_before(moment: datetime) -> Iterator[str]:
    """Yield the places written to before a moment."""
    for path in sorted(root().glob("*/*")):
        place = f"{path.parent.name}/{path.name}"
        if PLACE.fullmatch(place) and path.stat().st_mtime < moment.timestamp():
            yield place


def sweep(places: Collection[str]) -> int:
    """Remove these places; return how many."""
    for place in places:
        take_off(place)
    return len(places)
