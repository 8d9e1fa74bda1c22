"""Rules of rows with a place (空间地理库校验规则): is the geometry sound, measured in a system we know, and where it says it is.

The functions they call are the database's and give a word for a fault, so that a broken geometry rejects its row and never
stops a batch. Overlap inside one batch is found by `basedb.geography.batches`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.dictionary import Dataset, DataType
from basedb.dictionary.contract import AMOUNT_PATTERN
from basedb.dictionary.geography import (
    DATASETS,
    DIVISION,
    OWNERSHIP,
    PARCEL,
    PLANNING_ZONE,
    REAL_ESTATE_UNIT,
    SHIFTED_SQL,
)
from basedb.identifiers import calendar_day_sql, citizen_id_valid_sql, uscc_valid_sql
from basedb.rules.conditions import TODAY, Rule, column, later, ordered, present, rule_of
from basedb.sql_text import quote

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SHIFTED_KEPT = "basedb.shifted_kept"  # setting of a transaction whose source may keep shifted coordinates

# The words of basedb_geometry_fault.
_FAULTS: dict[str, _StrPromise] = {
    "unreadable": _("{field}不是可读的WKT、EWKB或GeoJSON"),
    "empty": _("{field}为空几何"),
    "type": _("{field}的几何类型不符：面图层应为面，点图层应为单点"),
    "unclosed": _("{field}的环没有闭合：首尾点须相同"),
    "too_few_points": _("{field}的环点数不足四个"),
    "old_datum": _("{field}为1954年北京坐标系或1980西安坐标系：请由测绘部门转换到2000国家大地坐标系后再报送"),
    "srid": _("{field}的坐标系不在受理范围（2000国家大地坐标系及其高斯投影、WGS84）"),
    "swapped": _("{field}经纬度颠倒：请按先经度后纬度填写"),
    "outside": _("{field}坐标超出全国范围（经度73.6至134.8，纬度16.7至53.6）"),
    "crossing": _("{field}自相交：边界线与自身交叉"),
    "hole": _("{field}的内环位置不正确"),
    "invalid": _("{field}几何无效"),
}

_UNSHIFTED = f"coalesce({column('datum')},'') NOT IN {SHIFTED_SQL}"


def _shape(name: str) -> str:
    return f"basedb_read_geometry({column(name)})"


def _is_number(name: str) -> str:
    """Whether a text may be cast: a condition must not fail, whatever the row says."""
    return f"({column(name)} ~ {quote(f'^(?:{AMOUNT_PATTERN})$')})"


def _geometry_rules(dataset: Dataset, name: str) -> Iterator[Rule]:
    kind = "POINT" if name == "location" else "AREA"
    s = column
    yield rule_of(
        dataset,
        "datum.old",
        _("{field}为旧坐标系：请由测绘部门转换到2000国家大地坐标系后再报送"),
        f"{s('datum')} IN ('BEIJING54','XIAN80') AND {present(name)}",
    )
    yield rule_of(
        dataset,
        "datum.shifted",
        _("{field}为偏移坐标（GCJ-02、BD-09）：请报送未偏移的坐标"),
        f"{s('datum')} IN {SHIFTED_SQL} AND {present(name)} AND coalesce(current_setting('{SHIFTED_KEPT}', true),'') <> 'on'",
    )
    fault = f"basedb_geometry_fault({s(name)}, '{kind}')"
    for word, message in _FAULTS.items():
        yield replace(rule_of(dataset, f"{name}.{word}", message, f"{fault} = '{word}'"), guard=f"{fault} IS NOT NULL")
    if dataset is not DIVISION:
        outside = f"basedb_outside_division({_shape(name)}, {s(dataset.region_field)})"
        yield rule_of(dataset, f"{name}.outside_division", _("{field}不在所属区划范围内"), f"{_UNSHIFTED} AND {outside}")


def _region_rules(dataset: Dataset) -> Iterator[Rule]:
    s = column(dataset.region_field)
    yield rule_of(
        dataset,
        f"{dataset.region_field}.unknown",
        _("{field}不是现行区划代码"),
        f"NOT basedb_division_stood({s}, to_date({TODAY},'YYYYMMDD'))",
    )


def _area_rule(dataset: Dataset) -> Iterator[Rule]:
    """A fiftieth is allowed: a recorded area is measured on a projected plane and to the surveyor's accuracy."""
    computed = f"ST_Area({_shape('outline')}::geography)"
    recorded = f"({column('area')})::numeric"
    yield rule_of(
        dataset,
        "area.mismatch",
        _("{field}与界址计算面积相差超过百分之二"),
        f"CASE WHEN {_is_number('area')} THEN abs({computed} - {recorded}) > greatest(1, 0.02 * {recorded}) END",
    )


def _division_rules() -> Iterator[Rule]:
    yield rule_of(
        DIVISION,
        "valid_to.before_start",
        _("{field}早于启用日期"),
        f"{present('valid_to')} AND NOT {later(column('valid_to'), column('valid_from'))}",
    )


def _parcel_rules() -> Iterator[Rule]:
    s = column
    said = f"coalesce({s('registered_on')}, {TODAY})"
    day = f"CASE WHEN {calendar_day_sql(said)} THEN to_date({said},'YYYYMMDD') END"
    yield rule_of(
        PARCEL,
        "parcel_code.division",
        _("{field}前六位在登记之日不是有效区划代码"),
        f"NOT basedb_division_stood(left({s('parcel_code')},6), {day})",
    )
    yield rule_of(
        PARCEL,
        "outline.overlap",
        _("{field}与同一图层的其他宗地重叠"),
        f"{s('parcel_state')} <> '2' AND {_UNSHIFTED} AND {_taken_sql()}",
    )


def _taken_sql() -> str:
    """Whether a standing parcel of the same layer lies there; one kept in shifted coordinates lies somewhere else."""
    code, shape = column("parcel_code"), f"(SELECT {_shape('outline')} AS outline OFFSET 0) given"
    return (
        f"EXISTS (SELECT FROM {shape} JOIN basedb_parcel p ON p.outline && given.outline"
        f" WHERE p.parcel_code <> {code} AND p.withdrawn_at IS NULL AND p.parcel_state <> '2' AND p.datum_note NOT IN {SHIFTED_SQL}"
        f" AND substr(p.parcel_code, 14, 1) = substr({code}, 14, 1) AND basedb_parcels_overlap(p.outline, given.outline))"
    )


def _unit_rules() -> Iterator[Rule]:
    s = column
    yield rule_of(
        REAL_ESTATE_UNIT,
        "parcel_code.mismatch",
        _("{field}与不动产单元代码前19位不一致"),
        f"left({s('unit_code')},19) <> {s('parcel_code')}",
    )
    yield rule_of(
        REAL_ESTATE_UNIT,
        "parcel_code.unknown",
        _("{field}在宗地表中不存在"),
        f"NOT EXISTS (SELECT FROM basedb_parcel p WHERE p.parcel_code = {s('parcel_code')})",
    )
    yield rule_of(
        REAL_ESTATE_UNIT,
        "fixture_kind.mismatch",
        _("{field}与不动产单元代码第20位不一致"),
        f"substr({s('unit_code')},20,1) <> {s('fixture_kind')}",
    )


def _ownership_rules() -> Iterator[Rule]:
    s = column
    valid = (
        f"CASE WHEN {s('holder_kind')} = '1' THEN {citizen_id_valid_sql(s('holder_id'))} ELSE {uscc_valid_sql(s('holder_id'))} END"
    )
    yield rule_of(OWNERSHIP, "holder_id.check_digit", _("{field}不是有效的公民身份号码或统一社会信用代码"), f"NOT ({valid})")
    yield rule_of(
        OWNERSHIP,
        "unit_code.unknown",
        _("{field}在不动产单元表中不存在"),
        f"NOT EXISTS (SELECT FROM basedb_realestateunit u WHERE u.unit_code = {s('unit_code')})",
    )
    yield rule_of(
        OWNERSHIP,
        "share_percent.required",
        _("按份共有时{field}不能为空"),
        f"{s('share_kind')} = '2' AND NOT {present('share_percent')}",
    )
    yield rule_of(
        OWNERSHIP,
        "share_percent.range",
        _("{field}应在0至100之间"),
        f"CASE WHEN {_is_number('share_percent')} THEN {s('share_percent')}::numeric > 100 END",
    )
    yield _ordered_days(OWNERSHIP, "term_from", "term_to")
    yield rule_of(
        OWNERSHIP,
        "ended_on.before_registration",
        _("{field}早于登簿日期"),
        f"{present('ended_on')} AND {later(s('registered_on'), s('ended_on'))}",
    )


def _zone_rules() -> Iterator[Rule]:
    yield _ordered_days(PLANNING_ZONE, "valid_from", "valid_to")


def _ordered_days(dataset: Dataset, first: str, last: str) -> Rule:
    broken = f"{present(first)} AND {present(last)} AND {later(column(first), column(last))}"
    return rule_of(dataset, f"{last}.before_start", _("{field}早于起始日期"), broken)


_OWN = {
    DIVISION.code: _division_rules,
    PARCEL.code: _parcel_rules,
    PLANNING_ZONE.code: _zone_rules,
    REAL_ESTATE_UNIT.code: _unit_rules,
    OWNERSHIP.code: _ownership_rules,
}


def _rules_of(dataset: Dataset) -> Iterator[Rule]:
    if dataset is not DIVISION:
        yield from _region_rules(dataset)
    for field in dataset.fields:
        if field.data_type is DataType.GEOMETRY:
            yield from _geometry_rules(dataset, field.name)
    if dataset in (PARCEL, PLANNING_ZONE):
        yield from _area_rule(dataset)
    if own := _OWN.get(dataset.code):
        yield from own()


RULES = {dataset.code: ordered(dataset, _rules_of(dataset)) for dataset in DATASETS}
