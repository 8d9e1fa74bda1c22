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
from basedb.credit.display import given_out_sql
from basedb.dictionary import BY_SUBJECT, DATASETS, Dataset, DataType, Field, Kind, Subject
from basedb.identifiers import (
    citizen_id_valid,
    normalize_citizen_id,
    normalize_uscc,
    upgrade_citizen_id,
    uscc_valid,
)
from basedb.masking import OF_GEOMETRY, Mask, mask_sql
from basedb.precision import reduced_sql
from basedb.sql_text import quote

ITEM_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
ROW: Final = "found"
LISTED: Final = "listed"
SOURCE: Final = "source"


@dataclass(frozen=True, slots=True)
class Column:
    """One item as the caller names it, the field it is read from, and the mask put over it."""

    item: str
    field: str
    mask: Mask


@dataclass(frozen=True, slots=True)
class Rows:
    """The form of a row filter: fields whose value must stand in a list, and whether the subject must be a listed member.

    Credit records of natural persons are read only by who says so.
    """

    listed: tuple[str, ...] = ()
    is_members_only: bool = False
    has_natural_persons: bool = False


ALL_ROWS: Final = Rows()


@dataclass(frozen=True, slots=True)
class Selection:
    """What may be read of one dataset. Equal selections compile to the same SQL: this is the key of a prepared statement."""

    dataset: str
    columns: tuple[Column, ...]
    rows: Rows = ALL_ROWS

    @property
    def items(self) -> tuple[str, ...]:
        """The names callers use, in the order they are answered."""
        return tuple(column.item for column in self.columns)

    def only(self, items: Sequence[str]) -> Selection:
        """Return the selection narrowed to some of its items, in their own order; KeyError for any other name."""
        by_item = {column.item: column for column in self.columns}
        return Selection(self.dataset, tuple(by_item[item] for item in items), self.rows)


def select(
    *,
    dataset: str,
    items: Sequence[str],
    columns: Mapping[str, str],
    masks: Mapping[str, str],
    listed: Sequence[str] = (),
    is_members_only: bool = False,
    has_natural_persons: bool = False,
) -> Selection:
    """Compile items, their columns (item -> field), masks (item -> kind) and the form of the row filter.

    `listed` are the items whose value must stand in a list. ValueError when the contract has no such thing.
    """
    known = DATASETS.get(dataset)
    if known is None:
        raise ValueError(f"no dataset {dataset}")
    shown = tuple(_column(known, item, columns.get(item), masks.get(item, Mask.NONE)) for item in items)
    fields = tuple(_column(known, item, columns.get(item), Mask.NONE).field for item in listed)
    if any(known.field(field).data_type is not DataType.TEXT for field in fields):
        raise ValueError("only texts and codes are filtered by a list")
    return Selection(dataset, shown, Rows(fields, is_members_only, has_natural_persons and _is_credit(dataset)))


def _is_credit(dataset: str) -> bool:
    return DATASETS[dataset].base_database == "credit"


def is_fact(selection: Selection) -> bool:
    """Whether a subject may have many rows."""
    return DATASETS[selection.dataset].kind is Kind.FACT


def _column(dataset: Dataset, item: str, field: str | None, mask: str) -> Column:
    if field not in dataset.field_names or not ITEM_NAME.fullmatch(item):
        raise ValueError(f"{dataset.code} has nothing to serve {item} from")
    if dataset.field(field).data_type is DataType.SUBJECT:  # keys of other subjects are the platform's own
        raise ValueError(f"{item} is not served")
    is_geometry = dataset.field(field).data_type is DataType.GEOMETRY
    if Mask(mask) not in (Mask.NONE, Mask.HIDDEN) and is_geometry is not (Mask(mask) in OF_GEOMETRY):
        raise ValueError(f"{mask} is no mask of {item}")
    return Column(item, field, Mask(mask))


def read_key(dataset: str, raw: str) -> str:
    """Return the standard writing of an identifier of this dataset's subjects; ValueError when it cannot be one."""
    subject = DATASETS[dataset].subject
    if subject in (Subject.PERSON, Subject.EITHER):
        citizen_id = upgrade_citizen_id(normalize_citizen_id(raw))
        if citizen_id_valid(citizen_id):
            return citizen_id
    if subject is not Subject.PERSON:
        uscc = normalize_uscc(raw)
        if uscc_valid(uscc):
            return uscc
    raise ValueError("not a valid identifier")


def fields_of(selection: Selection) -> dict[str, Field]:
    """Return the field behind each item."""
    dataset = DATASETS[selection.dataset]
    return {column.item: dataset.field(column.field) for column in selection.columns}


def read_value(field: Field, raw: str) -> str:
    """Return the standard writing of a value to be compared with a field; ValueError when it cannot be one."""
    value = clean(field, raw)
    if value is None or len(value) > field.length:
        raise ValueError("empty or too long")
    if field.data_type is not DataType.TEXT and not re.fullmatch(field.pattern, value):
        raise ValueError("not a value of this type")
    return value


def row_sql(selection: Selection, *, subject_key: str, region_prefix: str, lists: Sequence[str] = (), members: str = "") -> str:
    """The row of one subject within a division, for use after a LEFT JOIN; an empty prefix is the whole country.

    A selection with a row filter needs its values: one SQL array of texts for each listed field, and a query of the
    members' subject keys; ValueError without them.
    """
    reached = reach_sql(selection, region_prefix=region_prefix, lists=lists, members=members)
    return f"{DATASETS[selection.dataset].table} {ROW} ON {ROW}.subject_key = {subject_key} AND {reached}"


def reach_sql(selection: Selection, *, region_prefix: str, lists: Sequence[str] = (), members: str = "") -> str:
    """Whether a row lies within a division and the row filter, whose values are SQL expressions as `row_sql` takes them."""
    dataset = DATASETS[selection.dataset]
    if dataset.region_field:
        inside = f"starts_with({ROW}.{dataset.region_field}, {region_prefix})"
    else:
        inside = f"({region_prefix} = '' OR {_home_sql(dataset, region_prefix)})"
    return " AND ".join([inside, *_limits(selection, lists, members)])


def _home_sql(dataset: Dataset, region_prefix: str) -> str:
    """Whether the subject itself belongs to a division: of facts that name none."""
    home = next((base for base in BY_SUBJECT.values() if base.subject is dataset.subject), None)
    if home is None:
        raise ValueError(f"{dataset.code} has no divisions")
    return (
        f"EXISTS (SELECT FROM {home.table} home WHERE home.subject_key = {ROW}.subject_key AND home.withdrawn_at IS NULL "
        f"AND starts_with(home.{home.region_field}, {region_prefix}))"
    )


def _limits(selection: Selection, lists: Sequence[str], members: str) -> list[str]:
    limits = [f"{ROW}.withdrawn_at IS NULL"]  # what no source vouches for any more is not there
    limits += [f"{ROW}.{field} = ANY ({values})" for field, values in zip(selection.rows.listed, lists, strict=True)]
    if selection.rows.is_members_only:
        if not members:
            raise ValueError("the members of a row filter are missing")
        limits.append(f"{ROW}.subject_key IN ({members})")
    if _is_credit(selection.dataset):
        limits.append(given_out_sql(selection.dataset, ROW, with_natural_persons=selection.rows.has_natural_persons))
    return limits


def list_sql(
    selection: Selection, *, subject_key: str, row_limit: str, region_prefix: str, lists: Sequence[str] = (), members: str = ""
) -> str:
    """The rows of a FACT of one subject, newest first, at most `row_limit`, for use after a LEFT JOIN: items, row_count, more."""
    dataset = DATASETS[selection.dataset]
    day = f"{ROW}.{dataset.day_field} DESC NULLS LAST, " if dataset.day_field else ""
    reached = reach_sql(selection, region_prefix=region_prefix, lists=lists, members=members)
    newest = (
        f"SELECT {data_sql(selection)} AS data, row_number() OVER (ORDER BY {day}{ROW}.id DESC) AS place "
        f"FROM {dataset.table} {ROW} WHERE {ROW}.subject_key = {subject_key} AND {reached} ORDER BY place LIMIT {row_limit} + 1"
    )
    return (
        f"LATERAL (SELECT coalesce(json_agg(data ORDER BY place) FILTER (WHERE place <= {row_limit}), '[]') AS items, "
        f"least(count(*), {row_limit}) AS row_count, count(*) > {row_limit} AS more FROM ({newest}) AS newest) AS {LISTED} ON true"
    )


def any_row_sql(
    selection: Selection,
    values: Sequence[str],
    *,
    subject_key: str,
    region_prefix: str,
    lists: Sequence[str] = (),
    members: str = "",
) -> str:
    """What the rows of a FACT of one subject say of compared values, for use after a LEFT JOIN: known and same, an item each."""
    dataset = DATASETS[selection.dataset]
    reached = reach_sql(selection, region_prefix=region_prefix, lists=lists, members=members)
    told = ["count(*) AS row_count"]
    for column, value in zip(selection.columns, values, strict=True):
        if column.mask is not Mask.HIDDEN:
            stored, asked = f"{ROW}.{column.field}", typed_sql(dataset.field(column.field), value)
            told += [
                f'bool_or({stored} IS NOT NULL) AS "known_{column.item}"',
                f'bool_or({stored} = {asked}) AS "same_{column.item}"',
            ]
    return (
        f"LATERAL (SELECT {', '.join(told)} FROM {dataset.table} {ROW} WHERE {ROW}.subject_key = {subject_key} AND {reached}) "
        f"AS {LISTED} ON true"
    )


def found_sql(selection: Selection) -> str:
    """Whether the join of `row_sql`, `list_sql` or `any_row_sql` found the subject."""
    return f"({LISTED}.row_count > 0)" if is_fact(selection) else f"({ROW}.subject_key IS NOT NULL)"


def data_sql(selection: Selection) -> str:
    """A JSON object of the selected items of the row, each masked; all values are text or null."""
    pairs = ", ".join(f"{quote(column.item)}, {_shown(selection, column)}" for column in selection.columns)
    return f"json_build_object({pairs})"


def comparison_sql(selection: Selection, values: Sequence[str], *, is_detailed: bool = False) -> str:
    """A JSON object, as text, item -> yes / no / not_available, or in detail with source and day of the value.

    `values` are SQL expressions of cleaned text, one a selected item; an item whose value is null was not asked for. Details
    need the row of `source_sql`.
    """
    told = [
        _told(selection, column, value, is_detailed=is_detailed) for column, value in zip(selection.columns, values, strict=True)
    ]
    return f"'{{' || concat_ws(',', {', '.join(told)}) || '}}'"


def score_sql(selection: Selection, values: Sequence[str]) -> str:
    """The share of the compared values that agree, as text with two digits; null when none could be compared."""
    words = ", ".join(_compared(selection, *pair) for pair in zip(selection.columns, values, strict=True))
    compared = "count(*) FILTER (WHERE word = 'yes')::numeric / nullif(count(*) FILTER (WHERE word IN ('yes', 'no')), 0)"
    return f"(SELECT round({compared}, 2)::text FROM unnest(ARRAY[{words}]) AS word)"


def source_sql() -> str:
    """The department a found row comes from, for use after the LEFT JOIN of `row_sql`."""
    return f"core_department {SOURCE} ON {SOURCE}.id = {ROW}.source_department_id"


def copy_sql(selection: Selection, *, region_prefix: str, lists: Sequence[Sequence[str]] = (), members: str = "") -> str:
    """A COPY of all rows of a division as CSV with a header line; the masks are in it, so that nothing else ever leaves."""
    inside = inside_sql(selection, region_prefix=region_prefix, lists=lists, members=members)
    rows = f"{DATASETS[selection.dataset].table} {ROW} WHERE {inside}"
    return f"COPY (SELECT {shown_columns_sql(selection)} FROM {rows}) TO STDOUT WITH (FORMAT csv, HEADER, ENCODING 'UTF8')"


def shown_columns_sql(selection: Selection) -> str:
    """The selected items of a row, each masked and under its name."""
    return ", ".join(f'{_shown(selection, column)} AS "{column.item}"' for column in selection.columns)


def inside_sql(selection: Selection, *, region_prefix: str, lists: Sequence[Sequence[str]] = (), members: str = "") -> str:
    """Whether a row lies within a division and the row filter: the condition all answers with many rows share.

    A COPY takes no parameters: the values are written into it as literals.
    """
    if not re.fullmatch("[0-9]{0,12}", region_prefix):
        raise ValueError("a division code has digits only")
    dataset = DATASETS[selection.dataset]
    limits = []
    if region_prefix:
        in_row = f"{ROW}.{dataset.region_field} LIKE {quote(region_prefix + '%')}"
        limits.append(in_row if dataset.region_field else _home_sql(dataset, quote(region_prefix)))
    limits += _limits(selection, [f"ARRAY[{', '.join(quote(value) for value in values)}]::text[]" for values in lists], members)
    return " AND ".join(limits) or "true"


def _shown(selection: Selection, column: Column) -> str:
    field = DATASETS[selection.dataset].field(column.field)
    if column.mask in OF_GEOMETRY:
        return shown_sql(field, reduced_sql(column.mask, f"{ROW}.{field.name}"))
    return mask_sql(column.mask, shown_sql(field, f"{ROW}.{field.name}"))


def _told(selection: Selection, column: Column, value: str, *, is_detailed: bool) -> str:
    word = _compared(selection, column, value)
    if not is_detailed:
        return f"'\"{column.item}\":\"' || ({word}) || '\"'"
    known = "false" if column.mask is Mask.HIDDEN else f"{ROW}.{column.field} IS NOT NULL"
    source = f"CASE WHEN {known} THEN json_build_object('code', {SOURCE}.code, 'name', {SOURCE}.name) END"
    day = f"CASE WHEN {known} THEN {ROW}.changed_at END"
    detail = f"json_build_object('result', {word}, 'source', {source}, 'as_of', {day})"
    return f"CASE WHEN {value} IS NOT NULL THEN '\"{column.item}\":' || {detail}::text END"


def _compared(selection: Selection, column: Column, value: str) -> str:
    """One word, null when nothing was asked. Of what a mask hides entirely a comparison must not tell, either."""
    if column.mask is Mask.HIDDEN:
        return f"CASE WHEN {value} IS NOT NULL THEN 'not_available' END"
    field = DATASETS[selection.dataset].field(column.field)
    stored = f"{ROW}.{field.name}"
    unknown, same = f"{stored} IS NULL", f"{stored} = {typed_sql(field, value)}"
    if is_fact(selection):  # any of the subject's rows may say so
        unknown, same = f'{LISTED}."known_{column.item}" IS NOT TRUE', f'{LISTED}."same_{column.item}"'
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {unknown} THEN 'not_available' WHEN {same} THEN 'yes' ELSE 'no' END"
