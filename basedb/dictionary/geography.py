"""Natural resources and geospatial base (自然资源和空间地理库) as the contract has it: places, parcels, units and who owns them.

Geometry is stored in CGCS2000 (EPSG:4490). `datum` says in which system a source measured; how such input is judged is in
`basedb.rules.geography`. Outlines the operator loads after approval are not datasets: `basedb.geography.boundaries`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.contract import AMOUNT_PATTERN, Dataset, DataType, Field, Grade, Kind, Source, Subject, Writing, coded, day
from basedb.identifiers import DIVISION_PATTERN
from basedb.masking import Mask
from basedb.sql_text import quote

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_LAND = Source.NATURAL_RESOURCES
_POLICE = Source.PUBLIC_SECURITY
_CIVIL = Source.CIVIL_AFFAIRS
_HOUSING = Source.HOUSING

# Division, cadastral district and sub-district, two letters of kind, sequence (GB/T 37346, verify): nineteen characters.
PARCEL_PATTERN = "[1-9][0-9]{11}[GJZ][A-Z][0-9]{5}"
# Nine more for the fixture: forest, building, others or none, then its number.
UNIT_PATTERN = f"{PARCEL_PATTERN}[FLQW][0-9]{{8}}"
PLACE_CODE_PATTERN = "[0-9A-Z]{6,30}"
LARGEST_GEOMETRY = 2_000_000
SHIFTED = ("GCJ02", "BD09")  # of consumer maps: hundreds of metres off, and nobody can turn them back exactly
SHIFTED_SQL = f"({', '.join(map(quote, SHIFTED))})"


def _text(name: str, title: _StrPromise, source: Source, length: int = 100, **values: Any) -> Field:
    return Field(name=name, title=title, source=source, length=length, **values)


def _code(name: str, title: _StrPromise, source: Source, pattern: str, **values: Any) -> Field:
    given: dict[str, Any] = {"length": 30, "grade": Grade.L1} | values
    return Field(name=name, title=title, source=source, writing=Writing.CODE, pattern=pattern, **given)


def _region(source: Source, title: _StrPromise | None = None) -> Field:
    return _code(
        "region_code", title or _("所属区划"), source, DIVISION_PATTERN, length=12, required=True, standard="GB/T 2260、GB/T 10114"
    )  # fmt: skip


def _number(name: str, title: _StrPromise, source: Source, pattern: str = AMOUNT_PATTERN, **values: Any) -> Field:
    given: dict[str, Any] = {"length": 19, "grade": Grade.L1} | values
    return Field(
        name=name, title=title, source=source, data_type=DataType.NUMBER, writing=Writing.NUMBER, pattern=pattern, **given
    )  # fmt: skip


def _geometry(name: str, title: _StrPromise, source: Source, *, required: bool = False, grade: Grade = Grade.L2) -> Field:
    return Field(
        name=name, title=title, source=source, length=LARGEST_GEOMETRY, data_type=DataType.GEOMETRY, writing=Writing.GEOMETRY,
        required=required, standard="GB/T 17798、CGCS2000", grade=grade, mask=Mask.NONE,
    )  # fmt: skip


def _datum(source: Source) -> Field:
    return coded("datum", _("测量坐标系"), source, standard="GB 22021", length=10, grade=Grade.L1)


_COUNT_PATTERN = "[0-9]{1,3}"
_CODE_LIST = "[1-9][0-9]{5,11}(?:[,，、][1-9][0-9]{5,11})*"

DIVISION = Dataset(
    code="geo.division",
    title=_("行政区划沿革"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="division_code",
    region_field="division_code",
    table="basedb_division",
    kind=Kind.FACT,
    row_fields=("division_code", "valid_from"),
    fields=(
        _code("division_code", _("区划代码"), _CIVIL, DIVISION_PATTERN, length=12, required=True, standard="GB/T 2260、GB/T 10114"),
        coded("division_level", _("区划级别"), _CIVIL, standard="GB/T 2260", required=True, length=10, grade=Grade.L1),
        day("valid_from", _("启用日期"), _CIVIL, required=True),
        day("valid_to", _("停用日期"), _CIVIL, may_lie_ahead=True),
        _text("predecessors", _("前身区划代码"), _CIVIL, 200, grade=Grade.L1, pattern=_CODE_LIST),
        _text("successors", _("后继区划代码"), _CIVIL, 200, grade=Grade.L1, pattern=_CODE_LIST),
        _text("basis", _("批准文号"), _CIVIL, 100, grade=Grade.L1),
        _number("area_km2", _("面积（平方千米）"), _CIVIL),
        _datum(_LAND),
        _geometry("outline", _("界线范围"), _LAND),
    ),
)  # fmt: skip

ADDRESS = Dataset(
    code="geo.address",
    title=_("标准地址"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="address_code",
    region_field="region_code",
    table="basedb_address",
    fields=(
        _code("address_code", _("地址编码"), _POLICE, PLACE_CODE_PATTERN, required=True, standard="DB63/T 1964（参照）"),
        _region(_POLICE),
        _text("full_address", _("地址全称"), _POLICE, 200, required=True, mask=Mask.ADDRESS),
        _text("province", _("省级"), _POLICE, 30, grade=Grade.L1),
        _text("city", _("地级"), _POLICE, 30, grade=Grade.L1),
        _text("county", _("县级"), _POLICE, 30, grade=Grade.L1),
        _text("town", _("乡级"), _POLICE, 30, grade=Grade.L1),
        _text("community", _("社区（村）"), _POLICE, 50, grade=Grade.L1),
        _text("road", _("路街巷"), _POLICE, 50, grade=Grade.L1),
        _text("door", _("门牌号"), _POLICE, 30),
        _text("estate", _("小区（院落）"), _POLICE, 50),
        _text("building", _("楼栋"), _POLICE, 30),
        _text("unit", _("单元"), _POLICE, 20),
        _text("room", _("户室"), _POLICE, 20, grade=Grade.L3, mask=Mask.HIDDEN),
        coded("address_state", _("地址状态"), _POLICE, required=True, length=1, grade=Grade.L1),
        _datum(_LAND),
        _geometry("location", _("位置点"), _LAND),
    ),
)

PARCEL = Dataset(
    code="geo.parcel",
    title=_("宗地"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="parcel_code",
    region_field="region_code",
    table="basedb_parcel",
    fields=(
        _code("parcel_code", _("宗地代码"), _LAND, PARCEL_PATTERN, length=19, required=True, standard="GB/T 37346"),
        _region(_LAND),
        _text("seat", _("坐落"), _LAND, 200, mask=Mask.ADDRESS),
        coded("land_right", _("土地权利类型"), _LAND, standard="TD/T 1001", grade=Grade.L1),
        coded("right_nature", _("权利性质"), _LAND, standard="TD/T 1001", length=3, grade=Grade.L1),
        _code("land_use", _("土地用途"), _LAND, "[0-9]{2,4}", length=4, standard="GB/T 21010"),
        _number("area", _("宗地面积（平方米）"), _LAND, required=True),
        day("registered_on", _("登记日期"), _LAND),
        coded("parcel_state", _("宗地状态"), _LAND, required=True, length=1, grade=Grade.L1),
        _datum(_LAND),
        _geometry("outline", _("宗地界址"), _LAND, required=True, grade=Grade.L3),
    ),
)

REAL_ESTATE_UNIT = Dataset(
    code="geo.real_estate_unit",
    title=_("不动产单元"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="unit_code",
    region_field="region_code",
    table="basedb_realestateunit",
    fields=(
        _code("unit_code", _("不动产单元代码"), _LAND, UNIT_PATTERN, length=28, required=True, standard="GB/T 37346"),
        _code("parcel_code", _("所在宗地代码"), _LAND, PARCEL_PATTERN, length=19, required=True, standard="GB/T 37346"),
        _region(_LAND),
        coded("fixture_kind", _("定着物种类"), _LAND, standard="GB/T 37346", length=1, grade=Grade.L1),
        _text("seat", _("坐落"), _LAND, 200, mask=Mask.ADDRESS),
        _code("building_code", _("所在建筑编码"), _HOUSING, PLACE_CODE_PATTERN),
        _number("floor_area", _("建筑面积（平方米）"), _LAND, grade=Grade.L2),
        _code("unit_use", _("用途"), _LAND, "[0-9]{2,4}", length=4, standard="GB/T 21010"),
        day("registered_on", _("登记日期"), _LAND),
        coded("unit_state", _("单元状态"), _LAND, required=True, length=1, grade=Grade.L1),
        _datum(_LAND),
        _geometry("outline", _("定着物范围"), _LAND, grade=Grade.L3),
    ),
)

BUILDING = Dataset(
    code="geo.building",
    title=_("建筑物"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="building_code",
    region_field="region_code",
    table="basedb_building",
    fields=(
        _code("building_code", _("建筑编码"), _HOUSING, PLACE_CODE_PATTERN, required=True, standard="JGJ/T 246"),
        _region(_HOUSING),
        _text("name", _("建筑名称"), _HOUSING, 100, grade=Grade.L1),
        _code("address_code", _("地址编码"), _POLICE, PLACE_CODE_PATTERN),
        _code("parcel_code", _("所在宗地代码"), _LAND, PARCEL_PATTERN, length=19, standard="GB/T 37346"),
        coded("structure", _("建筑结构"), _HOUSING, length=1, grade=Grade.L1),
        _number("floors_above", _("地上层数"), _HOUSING, _COUNT_PATTERN, length=3),
        _number("floors_below", _("地下层数"), _HOUSING, _COUNT_PATTERN, length=3),
        _number("height", _("建筑高度（米）"), _HOUSING),
        _number("floor_area", _("建筑面积（平方米）"), _HOUSING),
        day("completed_on", _("竣工日期"), _HOUSING),
        _datum(_LAND),
        _geometry("outline", _("建筑轮廓"), _LAND, required=True),
    ),
)

PLANNING_ZONE = Dataset(
    code="geo.planning_zone",
    title=_("规划管控区"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="zone_code",
    region_field="region_code",
    table="basedb_planningzone",
    fields=(
        _code("zone_code", _("管控区编码"), _LAND, PLACE_CODE_PATTERN, required=True),
        _region(_LAND),
        coded("zone_kind", _("管控区类别"), _LAND, standard="三区三线划定成果（核对）", required=True, grade=Grade.L1),
        _text("name", _("管控区名称"), _LAND, 100, required=True, grade=Grade.L1),
        _number("area", _("面积（平方米）"), _LAND),
        _text("approval", _("批准文号"), _LAND, 100, grade=Grade.L1),
        day("valid_from", _("生效日期"), _LAND, required=True),
        day("valid_to", _("失效日期"), _LAND, may_lie_ahead=True),
        _datum(_LAND),
        _geometry("outline", _("管控范围"), _LAND, required=True, grade=Grade.L3),
    ),
)  # fmt: skip

PLACE = Dataset(
    code="geo.place",
    title=_("地名"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="place_code",
    region_field="region_code",
    table="basedb_place",
    fields=(
        _code("place_code", _("地名代码"), _CIVIL, PLACE_CODE_PATTERN, required=True),
        _region(_CIVIL),
        _text("name", _("标准地名"), _CIVIL, 100, required=True, grade=Grade.L1),
        _text("former_name", _("曾用名"), _CIVIL, 100, grade=Grade.L1),
        coded("place_kind", _("地名类别"), _CIVIL, standard="GB/T 18521", required=True, grade=Grade.L1),
        _code("address_code", _("地址编码"), _POLICE, PLACE_CODE_PATTERN),
        day("named_on", _("命名日期"), _CIVIL),
        _datum(_LAND),
        _geometry("location", _("位置点"), _CIVIL, required=True, grade=Grade.L1),
    ),
)

GRID = Dataset(
    code="geo.grid",
    title=_("治理网格"),
    base_database="geospatial",
    subject=Subject.PLACE,
    key_field="grid_code",
    region_field="region_code",
    table="basedb_grid",
    fields=(
        _code("grid_code", _("网格编码"), _CIVIL, PLACE_CODE_PATTERN, required=True, standard="GB/T 31000"),
        _region(_CIVIL),
        _text("name", _("网格名称"), _CIVIL, 100, required=True, grade=Grade.L1),
        coded("grid_kind", _("网格类别"), _CIVIL, required=True, length=1, grade=Grade.L1),
        _number("households", _("户数"), _CIVIL, "[0-9]{1,7}", length=7),
        day("valid_from", _("启用日期"), _CIVIL),
        _datum(_LAND),
        _geometry("outline", _("网格范围"), _CIVIL, required=True),
    ),
)

OWNERSHIP = Dataset(
    code="geo.ownership",
    title=_("不动产权利"),
    base_database="geospatial",
    subject=Subject.EITHER,
    key_field="holder_id",
    region_field="region_code",
    table="basedb_ownership",
    kind=Kind.FACT,
    row_fields=("certificate_number", "unit_code", "holder_id"),
    fields=(
        _code("holder_id", _("权利人证件号"), _LAND, "[0-9A-Z]{15,18}", length=18, required=True, standard="GB 11643、GB 32100",
              grade=Grade.L3, mask=Mask.CITIZEN_ID),
        coded("holder_kind", _("权利人类型"), _LAND, required=True, length=1),
        _text("holder_name", _("权利人名称"), _LAND, 200, required=True, grade=Grade.L3, mask=Mask.NAME),
        _text("certificate_number", _("不动产权证号"), _LAND, 60, required=True, standard="TD/T 1066",
              grade=Grade.L3, mask=Mask.HIDDEN),
        _code("unit_code", _("不动产单元代码"), _LAND, UNIT_PATTERN, length=28, required=True, standard="GB/T 37346"),
        _region(_LAND),
        coded("estate_right", _("权利类型"), _LAND, required=True),
        coded("share_kind", _("共有方式"), _LAND, required=True, length=1),
        _number("share_percent", _("所占份额（百分比）"), _LAND, "[0-9]{1,3}(?:[.][0-9]{1,4})?", length=8, grade=Grade.L3),
        day("registered_on", _("登簿日期"), _LAND, required=True, grade=Grade.L2),
        day("term_from", _("权利起始日期"), _LAND, grade=Grade.L2, may_lie_ahead=True),
        day("term_to", _("权利终止日期"), _LAND, grade=Grade.L2, may_lie_ahead=True),
        day("ended_on", _("注销日期"), _LAND, grade=Grade.L2),
        coded("right_state", _("权属状态"), _LAND, required=True, length=1),
    ),
)  # fmt: skip

DATASETS = (DIVISION, ADDRESS, PARCEL, REAL_ESTATE_UNIT, BUILDING, PLANNING_ZONE, PLACE, GRID, OWNERSHIP)
