"""The mark of the receiver (领取标记): a keyed code in every row of a part that names grant, job and part, and nothing to others.

It traces a copy that turns up somewhere, whole or in pieces. Whoever takes the column out takes the mark out.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

from exchange.systems import key_ring

FORM: Final = re.compile(rb"(?<![0-9a-z])rm[0-9a-f]{24}(?![0-9a-z])")
BLOCK: Final = 1_048_576
OVERLAP: Final = 32


def mark_of(grant_uid: UUID, job_uid: UUID, number: int) -> str:
    """Return the mark of a part."""
    return "rm" + key_ring().code("receiver-mark", f"{grant_uid}|{job_uid}|{number}".encode())[:12].hex()


def marks_in(path: Path) -> list[str]:
    """Return the marks found in a file, in order of appearance; an Excel file is looked into."""
    found: dict[str, None] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    found |= dict.fromkeys(_scan(iter(lambda file=file: file.read(BLOCK), b"")))  # type: ignore[misc]
    else:
        with path.open("rb") as plain:
            found |= dict.fromkeys(_scan(iter(lambda: plain.read(BLOCK), b"")))
    return list(found)


def _scan(blocks: Iterator[bytes]) -> Iterator[str]:
    kept = b""
    for block in blocks:
        text = kept + block
        for hit in FORM.finditer(text):
            yield hit[0].decode()
        kept = text[-OVERLAP:]
