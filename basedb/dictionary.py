"""The field contract of the base databases (数据字典): which fields a dataset has and what each of them must be.

Catalogue drafts, staging tables, validation, masks and grants all read this contract; the models of this room have
columns of the same names. Code sets are in `code_sets`, rules in `rules`, cleaning in `cleaning`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.identifiers import CALENDAR_DAY, CITIZEN_ID_PATTERN, DIVISION_PATTERN, USCC_PATTERN
from basedb.masking import Mask

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

AMOUNT_PATTERN = "[0-9]{1,12}(?:[.][0-9]{1,6})?"
PHONE_PATTERN = "[0-9+-]+"


class DataType(StrEnum):
    """Data types of items, as the catalogue guide writes them (发改高技〔2017〕1272号)."""

    TEXT = "C"
    NUMBER = "N"
    DATE = "D"


class Grade(StrEnum):
    """Grades of sensitivity inside general data (数据分级)."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class Subject(StrEnum):
    """Whom a row is about."""

    PERSON = "PERSON"
    LEGAL_ENTITY = "LEGAL_ENTITY"


class Source(StrEnum):
    """The kind of department that is lead collector of a field (数源部门)."""

    PUBLIC_SECURITY = "PUBLIC_SECURITY"
    CIVIL_AFFAIRS = "CIVIL_AFFAIRS"
    MARKET_REGULATION = "MARKET_REGULATION"


class Writing(StrEnum):
    """How raw text is brought into standard writing before it is checked."""

    TEXT = "TEXT"
    CODE = "CODE"
    CITIZEN_ID = "CITIZEN_ID"
    DATE = "DATE"
    NUMBER = "NUMBER"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: its Chinese title, standard, form and sensitivity. `pattern` must match the whole cleaned text."""

    name: str
    title: "_StrPromise"
    source: Source
    length: int
    data_type: DataType = DataType.TEXT
    writing: Writing = Writing.TEXT
    required: bool = False
    standard: str = ""
    grade: Grade = Grade.L2
    mask: Mask = Mask.NONE
    code_set: str = ""
    pattern: str = ""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One table of a base database as the platform knows it."""

    code: str
    title: "_StrPromise"
    base_database: str
    subject: Subject
    key_field: str
    region_field: str
    table: str
    fields: tuple[Field, ...]

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names in the order of the contract."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> Field:
        """Return one field; KeyError when the contract has none of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


def _coded(
    name: str,
    title: "_StrPromise",
    source: Source,
    *,
    standard: str = "",
    required: bool = False,
    grade: Grade = Grade.L2,
    length: int = 2,
) -> Field:
    return Field(
        name=name, title=title, source=source, length=length, writing=Writing.CODE, required=required,
        standard=standard, grade=grade, code_set=name,
    )  # fmt: skip


def _day(
    name: str,
    title: "_StrPromise",
    source: Source,
    *,
    required: bool = False,
    grade: Grade = Grade.L1,
    mask: Mask = Mask.NONE,
) -> Field:
    return Field(
        name=name, title=title, source=source, length=8, data_type=DataType.DATE, writing=Writing.DATE,
        required=required, standard="GB/T 7408", grade=grade, mask=mask, pattern=CALENDAR_DAY,
    )  # fmt: skip


_POLICE = Source.PUBLIC_SECURITY
_MARKET = Source.MARKET_REGULATION

PERSON = Dataset(
    code="population.person",
    title=_("人口基本信息"),
    base_database="population",
    subject=Subject.PERSON,
    key_field="citizen_id",
    region_field="region_code",
    table="basedb_person",
    fields=(
        Field(
            name="citizen_id",
            title=_("公民身份号码"),
            source=_POLICE,
            length=18,
            writing=Writing.CITIZEN_ID,
            required=True,
            standard="GB 11643",
            grade=Grade.L3,
            mask=Mask.CITIZEN_ID,
            pattern=CITIZEN_ID_PATTERN,
        ),
        Field(name="name", title=_("姓名"), source=_POLICE, length=50, required=True, mask=Mask.NAME),
        Field(name="former_name", title=_("曾用名"), source=_POLICE, length=50, grade=Grade.L3, mask=Mask.NAME),
        _coded("sex", _("性别"), _POLICE, standard="GB/T 2261.1", required=True, length=1),
        _coded("ethnicity", _("民族"), _POLICE, standard="GB/T 3304", grade=Grade.L3),
        _day("birth_on", _("出生日期"), _POLICE, required=True, grade=Grade.L3, mask=Mask.BIRTH_YEAR),
        _coded("person_status", _("人员状态"), _POLICE, required=True, length=1),
        Field(
            name="region_code",
            title=_("户籍区划"),
            source=_POLICE,
            length=12,
            writing=Writing.CODE,
            required=True,
            standard="GB/T 2260",
            mask=Mask.COUNTY,
            pattern=DIVISION_PATTERN,
        ),
        Field(name="address", title=_("住址"), source=_POLICE, length=200, grade=Grade.L3, mask=Mask.ADDRESS),
        Field(name="household_head", title=_("户主姓名"), source=_POLICE, length=50, grade=Grade.L3, mask=Mask.NAME),
        Field(
            name="household_relation",
            title=_("与户主关系"),
            source=_POLICE,
            length=2,
            writing=Writing.CODE,
            standard="GB/T 4761",
            grade=Grade.L3,
            code_set="household_relation",
            pattern="[0-9]{2}",
        ),
        _coded("marital_status", _("婚姻状况"), Source.CIVIL_AFFAIRS, grade=Grade.L3),
        _day("died_on", _("死亡日期"), _POLICE, grade=Grade.L3),
        Field(
            name="phone",
            title=_("联系电话"),
            source=_POLICE,
            length=20,
            grade=Grade.L3,
            mask=Mask.PHONE,
            pattern=PHONE_PATTERN,
        ),
    ),
)

ENTERPRISE = Dataset(
    code="legal_entity.enterprise",
    title=_("法人单位基本信息"),
    base_database="legal_entity",
    subject=Subject.LEGAL_ENTITY,
    key_field="uscc",
    region_field="region_code",
    table="basedb_legalentity",
    fields=(
        Field(
            name="uscc",
            title=_("统一社会信用代码"),
            source=_MARKET,
            length=18,
            writing=Writing.CODE,
            required=True,
            standard="GB 32100",
            grade=Grade.L1,
            pattern=USCC_PATTERN,
        ),
        Field(name="name", title=_("名称"), source=_MARKET, length=200, required=True, grade=Grade.L1),
        _coded("entity_kind", _("机构类型"), _MARKET, standard="GB 32100", required=True, grade=Grade.L1),
        Field(name="legal_representative", title=_("法定代表人"), source=_MARKET, length=50, grade=Grade.L1),
        Field(
            name="legal_representative_id",
            title=_("法定代表人证件号"),
            source=_MARKET,
            length=18,
            writing=Writing.CITIZEN_ID,
            grade=Grade.L3,
            mask=Mask.CITIZEN_ID,
        ),
        Field(
            name="region_code",
            title=_("住所区划"),
            source=_MARKET,
            length=12,
            writing=Writing.CODE,
            required=True,
            standard="GB/T 2260",
            grade=Grade.L1,
            pattern=DIVISION_PATTERN,
        ),
        Field(name="address", title=_("住所"), source=_MARKET, length=300, grade=Grade.L1),
        Field(
            name="industry",
            title=_("行业"),
            source=_MARKET,
            length=5,
            writing=Writing.CODE,
            standard="GB/T 4754",
            grade=Grade.L1,
            code_set="industry",
            pattern="[A-T](?:[0-9]{2,4})?",
        ),
        Field(
            name="registered_capital",
            title=_("注册资本(万元)"),
            source=_MARKET,
            length=20,
            data_type=DataType.NUMBER,
            writing=Writing.NUMBER,
            grade=Grade.L1,
            pattern=AMOUNT_PATTERN,
        ),
        _coded("currency", _("币种"), _MARKET, standard="GB/T 12406", grade=Grade.L1, length=3),
        _day("established_on", _("成立日期"), _MARKET, required=True),
        _day("term_from", _("经营期限自"), _MARKET),
        _day("term_to", _("经营期限至"), _MARKET),
        Field(name="business_scope", title=_("经营范围"), source=_MARKET, length=4000, grade=Grade.L1),
        Field(name="authority", title=_("登记机关"), source=_MARKET, length=100, grade=Grade.L1),
        _coded("registration_state", _("登记状态"), _MARKET, required=True, grade=Grade.L1, length=1),
        _day("cancelled_on", _("注销日期"), _MARKET),
    ),
)

DATASETS: Mapping[str, Dataset] = MappingProxyType({dataset.code: dataset for dataset in (PERSON, ENTERPRISE)})
