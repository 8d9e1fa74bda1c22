"""Questions about many subjects in one call (批量查询与批量比对): up to a thousand keys, each with a status of its own.

What is wrong with one of them is told in its place of the answer and fails no other; what is wrong with the call - an item
that is not granted, a list too long - refuses it whole. Answers stand in the order of the questions, duplicates included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from basedb.dictionary import Field
from basedb.lookup import Selection, fields_of
from exchange.calls.parts import granted, read_attributes, read_compared, read_subject
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Batch

AT_MOST: Final = 1_000
NAMES: Final[Mapping[str, str]] = {"QUERY": "keys", "VERIFY": "checks"}  # what makes a call of this mode one about many
CHECK: Final = {"key", "attributes"}
NO_CHECK: Final[tuple[bytes, dict[str, str]]] = (b"", {})

Read = TypeVar("Read")


def read_keys(value: Any, selection: Selection) -> Batch:
    """Return the subjects of a query, invalid ones with what is wrong with them."""
    read = [_tried(lambda entry: read_subject(entry, selection), entry) for entry in _entries(value, "keys")]
    return Batch(tuple([key or b"" for key, _ in read]), tuple([wrong for _, wrong in read]))


def read_checks(value: Any, selection: Selection) -> tuple[Selection, Batch]:
    """Return the items any of the checks compares, in the grant's order, and the checks with one column of values an item."""
    fields = fields_of(selection)
    read = [_tried(lambda entry: _read_check(entry, selection, fields), entry) for entry in _entries(value, "checks")]
    checks = [check or NO_CHECK for check, _ in read]
    asked = set().union(*[values for _, values in checks])
    items = [item for item in selection.items if item in asked] or list(selection.items[:1])
    columns = tuple([tuple([values.get(item, "") for _, values in checks]) for item in items])
    return selection.only(items), Batch(tuple([key for key, _ in checks]), tuple([wrong for _, wrong in read]), columns)


def _entries(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= AT_MOST:
        raise Refusal("call.invalid_parameter", {name: f"must_be_a_list_of_1_to_{AT_MOST}"})
    return value


def _tried(read: Callable[[Any], Read], entry: Any) -> tuple[Read | None, str]:
    """Return what was read and "", or None and the answer that tells what is wrong with this one."""
    try:
        return read(entry), ""
    except Refusal as refusal:
        if refusal.code != "call.invalid_parameter":
            raise
        return None, json.dumps({"status": "invalid", "details": refusal.details})


def _read_check(entry: Any, selection: Selection, fields: Mapping[str, Field]) -> tuple[bytes, dict[str, str]]:
    if not isinstance(entry, dict) or entry.keys() != CHECK:
        raise Refusal("call.invalid_parameter", {"check": "must_be_an_object_with_key_and_attributes"})
    asked = read_attributes(entry["attributes"])
    if not asked.keys() <= fields.keys():
        granted(selection, list(asked))
    return read_subject(entry["key"], selection), {item: read_compared(fields[item], item, raw) for item, raw in asked.items()}
