"""The reading door of the base databases (查询与比对): the only way the rooms above get at people and legal entities.

A selection - items, columns, masks of one dataset - is compiled to SQL in which nothing else can be read: the columns,
the masks and the rows are limited by the database, not afterwards in Python. Who may read what is decided above; the
expressions here are built from the field contract alone, values are always parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from basedb.cleaning import clean, shown_sql, typed_sql
from basedb.dictionary import DATASETS, Dataset, DataType, Field, Subject
from basedb.identifiers import (
    citizen_id_valid,
    normalize_citizen_id,
    normalize_uscc,
    upgrade_citizen_id,
    uscc_valid,
)
from basedb.masking import Mask, mask_sql
from basedb.sql_text import quote

ITEM_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
ROW: Final = "found"


@dataclass(frozen=True, slots=True)
class Column:
    """One item as the caller names it, the field it is read from, and the mask put over it."""

    item: str
    field: str
    mask: Mask


@dataclass(frozen=True, slots=True)
class Selection:
    """What may be read of one dataset. Equal selections compile to the same SQL: this is the key of a prepared statement."""

    dataset: str
    columns: tuple[Column, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """The names callers use, in the order they are answered."""
        return tuple(column.item for column in self.columns)

    def only(self, items: Sequence[str]) -> Selection:
        """Return the selection narrowed to some of its items, in their own order; KeyError for any other name."""
        by_item = {column.item: column for column in self.columns}
        return Selection(self.dataset, tuple(by_item[item] for item in items))


def select(*, dataset: str, items: Sequence[str], columns: Mapping[str, str], masks: Mapping[str, str]) -> Selection:
    """Compile items, their columns (item -> field) and masks (item -> kind); ValueError when the contract has no such thing."""
    known = DATASETS.get(dataset)
    if known is None:
        raise ValueError(f"no dataset {dataset}")
    return Selection(dataset, tuple(_column(known, item, columns.get(item), masks.get(item, Mask.NONE)) for item in items))


def _column(dataset: Dataset, item: str, field: str | None, mask: str) -> Column:
    if field not in dataset.field_names or not ITEM_NAME.fullmatch(item):
        raise ValueError(f"{dataset.code} has nothing to serve {item} from")
    return Column(item, field, Mask(mask))


def read_key(dataset: str, raw: str) -> str:
    """Return the standard writing of an identifier of this dataset's subjects; ValueError when it cannot be one."""
    if DATASETS[dataset].subject is Subject.PERSON:
        identifier = upgrade_citizen_id(normalize_citizen_id(raw))
        valid = citizen_id_valid(identifier)
    else:
        identifier = normalize_uscc(raw)
        valid = uscc_valid(identifier)
    if not valid:
        raise ValueError("not a valid identifier")
    return identifier


def read_value(selection: Selection, item: str, raw: str) -> str:
    """Return the standard writing of a value to be compared with an item; ValueError when it cannot be one."""
    field = _field(selection, item)
    value = clean(field, raw)
    if value is None or len(value) > field.length:
        raise ValueError("empty or too long")
    if field.data_type is not DataType.TEXT and not re.fullmatch(field.pattern, value):
        raise ValueError("not a value of this type")
    return value


def _field(selection: Selection, item: str) -> Field:
    column = next(column for column in selection.columns if column.item == item)
    return DATASETS[selection.dataset].field(column.field)


def row_sql(selection: Selection, *, subject_key: str, region_prefix: str) -> str:
    """The row of one subject within a division, for use after a LEFT JOIN; an empty prefix is the whole country."""
    dataset = DATASETS[selection.dataset]
    return (
        f"{dataset.table} {ROW} ON {ROW}.subject_key = {subject_key} AND starts_with({ROW}.{dataset.region_field}, {region_prefix})"
    )


def found_sql() -> str:
    """Whether that join found the subject."""
    return f"({ROW}.subject_key IS NOT NULL)"


def data_sql(selection: Selection) -> str:
    """A JSON object of the selected items of the row, each masked; all values are text or null."""
    pairs = ", ".join(f"{quote(column.item)}, {_shown(selection, column)}" for column in selection.columns)
    return f"json_build_object({pairs})"


def comparison_sql(selection: Selection, values: Sequence[str]) -> str:
    """A JSON object item -> yes / no / not_available; `values` are SQL expressions of cleaned text, one a selected item."""
    pairs = ", ".join(
        f"{quote(column.item)}, {_compared(selection, column, value)}"
        for column, value in zip(selection.columns, values, strict=True)
    )
    return f"json_build_object({pairs})"


def copy_sql(selection: Selection, *, region_prefix: str) -> str:
    """A COPY of all rows of a division as CSV with a header line; the masks are in it, so that nothing else ever leaves."""
    dataset = DATASETS[selection.dataset]
    shown = ", ".join(f'{_shown(selection, column)} AS "{column.item}"' for column in selection.columns)
    if not re.fullmatch("[0-9]{0,12}", region_prefix):
        raise ValueError("a division code has digits only")
    rows = f" WHERE {ROW}.{dataset.region_field} LIKE {quote(region_prefix + '%')}" if region_prefix else ""
    return f"COPY (SELECT {shown} FROM {dataset.table} {ROW}{rows}) TO STDOUT WITH (FORMAT csv, HEADER, ENCODING 'UTF8')"


def _shown(selection: Selection, column: Column) -> str:
    field = DATASETS[selection.dataset].field(column.field)
    return mask_sql(column.mask, shown_sql(field, f"{ROW}.{field.name}"))


def _compared(selection: Selection, column: Column, value: str) -> str:
    field = DATASETS[selection.dataset].field(column.field)
    stored = f"{ROW}.{field.name}"
    return f"CASE WHEN {stored} IS NULL THEN 'not_available' WHEN {stored} = {typed_sql(field, value)} THEN 'yes' ELSE 'no' END"
