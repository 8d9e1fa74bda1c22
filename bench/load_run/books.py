"""What a client wrote down about each call, as lines of JSON: written when the last byte of the answer was there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

SINGLE = frozenset({"query", "verify", "query of many", "verify of many", "small quota", "sent again", "probe"})
OPERATIONS = frozenset({"feed", "job ordered", "job shown"})
BROKEN = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One call: when its last byte came, how long it took in ms; status 0 means that no whole answer came."""

    at: float
    took: float
    kind: str
    status: int
    code: str
    call_id: str
    digest: str
    is_cut: bool = False


def write(book: TextIO, entry: Entry) -> None:
    """Append one entry."""
    book.write(json.dumps(asdict(entry)) + "\n")


def read(file: Path) -> Iterator[Entry]:
    """Return the entries of a book."""
    for line in file.read_text().splitlines():
        yield Entry(**json.loads(line))
