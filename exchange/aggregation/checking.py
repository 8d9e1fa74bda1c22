"""Looking at a source before it is used (接入检查): reach it, log in, see the table, its columns, a count and a few rows.

What is found is shown and not kept; sample rows carry masks wherever a field of the dataset has one or a value looks like an
identifier, since whoever lays a plan down need not see people for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from basedb.masking import Mask, mask_value
from core.errors import DomainError
from core.texts import listed
from exchange.aggregation.column_hints import cautious_mask, suggested_mask
from exchange.aggregation.connectors.registry import CONNECTORS
from exchange.aggregation.connectors.terms import SAMPLE_ROWS, Column, Place, Table

LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Step:
    """One question and its answer; `code` names what is wrong."""

    title: str
    is_good: bool
    said: str = ""
    code: str = ""


@dataclass(slots=True)
class Report:
    """What a check found, step by step; after a step that failed there are no more."""

    steps: list[Step] = field(default_factory=list)
    columns: tuple[Column, ...] = ()
    count: int | None = None
    sample: list[list[str]] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether a run could begin."""
        return bool(self.steps) and all(step.is_good for step in self.steps)


def check(place: Place) -> Report:
    """Look at a source as a run would; what is wrong is a step of the report, never raised."""
    report = Report()
    try:
        with CONNECTORS[place.connector].look(place) as source:
            report.columns = source.columns
            said = _("可以连接、登录，找到 %(count)s 个字段。") % {"count": len(source.columns)}
            report.steps.append(Step(_("连接与登录"), True, said))
            report.steps.append(_mapped(place, source.columns))
            report.count = source.count()
            counted = _("由读取时得知") if report.count is None else _("%(count)s 行") % {"count": report.count}
            report.steps.append(Step(_("记录数"), True, counted))
            report.sample = _masked(place, source.columns, source.sample(SAMPLE_ROWS))
    except DomainError as error:
        title = _("读取样例") if report.steps else _("连接与登录")
        report.steps.append(Step(title, False, str(error.message), error.code))
    return report


def discover(place: Place) -> list[Table]:
    """Return the tables or files at a place, with comments and row estimates."""
    return CONNECTORS[place.connector].tables(place)


def columns_at(place: Place) -> tuple[Column, ...]:
    """Return the columns of the place's table; raises what is wrong with the source."""
    with CONNECTORS[place.connector].look(place) as source:
        return source.columns


def _mapped(place: Place, columns: tuple[Column, ...]) -> Step:
    there = {column.name for column in columns}
    missing = [name for name in place.wanted if name not in there]
    if missing:
        return Step(_("字段对应"), False, _("数源缺少字段：%(names)s。") % {"names": listed(missing)}, "source.column_missing")
    mapped = len(place.columns)
    return Step(_("字段对应"), True, _("已对应 %(count)s 个信息项。") % {"count": mapped} if mapped else _("尚未对应字段。"))


def _masked(place: Place, columns: tuple[Column, ...], rows: list[dict[str, str | None]]) -> list[list[str]]:
    masks = _masks_of(place)
    return [[_shown(row.get(column.name), masks.get(column.name), column) for column in columns] for row in rows]


def _masks_of(place: Place) -> dict[str, Mask]:
    """Return the masks of mapped columns, as the contract says them."""
    if place.dataset not in DATASETS:
        return {}
    dataset = DATASETS[place.dataset]
    return {column: dataset.field(name).mask for name, column in place.columns.items() if name in dataset.field_names}


def _shown(value: str | None, mask: Mask | None, column: Column) -> str:
    """Return a value under its mask, or under the one its form or the name of its column suggests."""
    if value is None:
        return "—"
    if mask is None:
        mask = cautious_mask(column, value)
    elif mask is Mask.NONE:
        mask = suggested_mask(column, value)
    shown = mask_value(mask, value) or ""
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
