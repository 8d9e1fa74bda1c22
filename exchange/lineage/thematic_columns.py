"""Which fields a column of a thematic database is made of (主题库字段来源): out of its definition. Pure.

Which rows are kept at all depends on further fields; those are not counted as what a column is made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from basedb.dictionary import DATASETS, Dataset

Origins = Mapping[str, frozenset[tuple[str, str]]]


def origins(base: Dataset, spec: Mapping[str, Any]) -> Origins:
    """Return column -> (dataset, field) of all it is made of; what a derived column names counts as its own."""
    sources = {str(source["alias"]): source for source in spec.get("sources", ())}
    found: dict[str, frozenset[tuple[str, str]]] = {}
    for column in spec["columns"]:
        if "field" in column:
            made = frozenset({(base.code, str(column["field"]))})
        elif "aggregate" in column:
            made = frozenset(_summed(column, sources.get(str(column.get("source")), {})))
        else:
            named = _named(column.get("derive"), "column")
            made = frozenset().union(*(found.get(name, frozenset()) for name in named))
        found[str(column["name"])] = made
    return found


def _summed(column: Mapping[str, Any], source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields a sum takes: its own, what orders it, what chooses its rows; a count of all rows takes their key."""
    dataset = DATASETS.get(str(source.get("dataset")))
    if dataset is None:
        return
    names = {str(column[part]) for part in ("of", "by") if column.get(part)} | set(_named(source.get("where"), "field"))
    for name in sorted(names or {dataset.key_field}):
        yield dataset.code, name


def _named(node: Any, what: str) -> Iterator[str]:
    """Yield the names that stand under `what` anywhere below a node."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == what and isinstance(value, str):
                yield value
            else:
                yield from _named(value, what)
    elif isinstance(node, list):
        for one in node:
            yield from _named(one, what)
