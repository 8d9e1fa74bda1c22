"""Whom the lines of a list are about (列表中的主体), masked whoever looks: enough to tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

from basedb.fusion.naming import named


def masked_names(about: Iterable[tuple[str, bytes | memoryview | None]]) -> dict[bytes, str]:
    """Return what the entities of these datasets and keys are called; one query a dataset."""
    keys: dict[str, set[bytes]] = {}
    for dataset, key in about:
        if key:
            keys.setdefault(dataset, set()).add(bytes(key))
    found: dict[bytes, str] = {}
    for dataset, wanted in keys.items():
        found |= named(dataset, wanted, is_plain=False)
    return found
