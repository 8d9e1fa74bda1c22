"""Questions about many subjects in one call (批量查询与批量比对): up to a thousand keys, each with a status of its own.

What is wrong with one of them is told in its place of the answer and fails no other; what is wrong with the call - an item
that is not granted, a list too long - refuses it whole. Answers stand in the order of the questions, duplicates included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from basedb.lookup import Selection
from exchange.calls.parts import granted, read_attributes, read_compared, read_subject
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Batch

AT_MOST: Final = 1_000
NAMES: Final[Mapping[str, str]] = {"QUERY": "keys", "VERIFY": "checks"}  # what makes a call of this mode one about many
CHECK: Final = {"key", "attributes"}


def read_keys(value: Any, selection: Selection) -> Batch:
    """Return the subjects of a query, invalid ones with what is wrong with them."""
    keys: list[bytes] = []
    invalid: list[str] = []
    for entry in _entries(value, "keys"):
        key, wrong = _tried(read_subject, entry, selection)
        keys.append(key or b"")
        invalid.append(wrong)
    return Batch(tuple(keys), tuple(invalid))


def read_checks(value: Any, selection: Selection) -> tuple[Selection, Batch]:
    """Return the items any of the checks compares, in the grant's order, and the checks with one column of values an item."""
    checks = [_tried(_read_check, entry, selection) for entry in _entries(value, "checks")]
    asked = {item for check, _ in checks if check for item in check[1]}
    items = [item for item in selection.items if item in asked] or list(selection.items[:1])
    columns = tuple(tuple(check[1].get(item, "") if check else "" for check, _ in checks) for item in items)
    keys = tuple(check[0] if check else b"" for check, _ in checks)
    return selection.only(items), Batch(keys, tuple(wrong for _, wrong in checks), columns)


def _entries(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= AT_MOST:
        raise Refusal("call.invalid_parameter", {name: f"must_be_a_list_of_1_to_{AT_MOST}"})
    return value


def _tried(read: Callable[[Any, Selection], Any], entry: Any, selection: Selection) -> tuple[Any, str]:
    """Return what was read and "", or None and the answer that tells what is wrong with this one."""
    try:
        return read(entry, selection), ""
    except Refusal as refusal:
        if refusal.code != "call.invalid_parameter":
            raise
        return None, json.dumps({"status": "invalid", "details": refusal.details})


def _read_check(entry: Any, selection: Selection) -> tuple[bytes, dict[str, str]]:
    if not isinstance(entry, dict) or entry.keys() != CHECK:
        raise Refusal("call.invalid_parameter", {"check": "must_be_an_object_with_key_and_attributes"})
    asked = read_attributes(entry["attributes"])
    granted(selection, list(asked))
    key = read_subject(entry["key"], selection)
    return key, {item: read_compared(selection, item, given) for item, given in asked.items()}
