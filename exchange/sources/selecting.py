"""What a grant on a mounted source may read (授权范围): items, their columns and masks; nothing when a limit cannot be kept.

A source outside cannot keep every limit a base database keeps: a grant that needs more than it can do is not served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from basedb.lookup import ITEM_NAME, Column, Rows, Selection
from basedb.masking import Mask
from exchange.sources.terms import Interface, Remote

MODES: Final = frozenset({"QUERY", "VERIFY"})

Lists = tuple[tuple[str, ...], ...]


def selected(
    remote: Remote | None,
    *,
    dataset: str,
    mode: str,
    fields: Sequence[str],
    columns: Mapping[str, str],
    masks: Mapping[str, str],
    row_filter: Sequence[Mapping[str, Any]],
    region_prefix: str,
) -> tuple[Selection | None, Lists]:
    """Return the selection of a grant and the values of its row filter; no selection means that it cannot be served."""
    if remote is None or mode not in MODES or not _keeps(remote, row_filter, region_prefix):
        return None, ()
    try:
        shown = tuple(_column(remote, item, columns[item], masks.get(item, Mask.NONE)) for item in fields)
        listed = tuple(_column(remote, rule["item"], columns[rule["item"]], Mask.NONE).field for rule in row_filter)
        lists = tuple(tuple(str(value) for value in rule["values"]) for rule in row_filter)
    except (KeyError, ValueError, TypeError):
        return None, ()
    return Selection(dataset, shown, Rows(listed)), lists


def _keeps(remote: Remote, row_filter: Sequence[Mapping[str, Any]], region_prefix: str) -> bool:
    """Whether the source can limit rows as the grant says: an interface answers whole, a list of clients stays here."""
    if isinstance(remote.place, Interface):
        return not row_filter and not region_prefix
    if region_prefix and not remote.place.region_column:
        return False
    return all(rule.get("kind") == "list" for rule in row_filter)


def _column(remote: Remote, item: str, column: str, mask: str) -> Column:
    offered = remote.place.pointers if isinstance(remote.place, Interface) else remote.place.columns
    if column not in offered or not ITEM_NAME.fullmatch(item):
        raise ValueError("the source has no such column")
    return Column(item, column, Mask(mask))
