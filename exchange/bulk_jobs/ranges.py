"""Ranges of a part (断点续传): the bytes a receiver still lacks (RFC 9110 section 14). Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

ONE_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


class Span(NamedTuple):
    """Bytes from `first`, `length` of them; `is_part` when they were asked for by range."""

    first: int
    length: int
    is_part: bool


def read_range(wanted: str, if_range: str, etag: str, size: int) -> Span | None:
    """Return the bytes to send, None when the range lies outside.

    A range of another state of the file (`If-Range`), of another unit or more than one is answered with the whole, as the
    standard allows.
    """
    whole = Span(0, size, False)
    matched = ONE_RANGE.fullmatch(wanted.strip())
    if matched is None or matched[0] == "bytes=-" or (if_range and if_range.strip() != etag):
        return whole
    first, last = matched[1], matched[2]
    if not first:
        length = min(int(last), size)
        return Span(size - length, length, True) if length else None
    if last and int(last) < int(first):
        return whole
    if int(first) >= size:
        return None
    end = min(int(last), size - 1) if last else size - 1
    return Span(int(first), end - int(first) + 1, True)
