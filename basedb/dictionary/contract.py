"""What the field contract is written in (数据字典): data types, grades, kinds of departments, fields and datasets."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from basedb.identifiers import CALENDAR_DAY, DIVISION_PATTERN
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
    GEOMETRY = "G"  # CGCS2000 (EPSG:4490); not one of the guide's letters
    OBJECT = "O"  # JSON, such as the face of a license; not one of the guide's letters
    SUBJECT = "K"  # the key of another person or legal entity, sealed from its identifier; not one of the guide's letters


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
    EITHER = "EITHER"  # a person or a legal entity, as the row's own field says
    PLACE = "PLACE"  # a parcel, an address, a division: nobody


class Kind(StrEnum):
    """How rows of a dataset come to stand in its table."""

    MASTER = "MASTER"  # one row a subject, fused from all records of it
    FACT = "FACT"  # one row an event or document of a subject, known by `row_fields`


class Source(StrEnum):
    """The kind of department that is lead collector of a field (数源部门)."""

    PUBLIC_SECURITY = "PUBLIC_SECURITY"
    CIVIL_AFFAIRS = "CIVIL_AFFAIRS"
    MARKET_REGULATION = "MARKET_REGULATION"
    HEALTH = "HEALTH"
    SOCIAL_SECURITY = "SOCIAL_SECURITY"
    MEDICAL_INSURANCE = "MEDICAL_INSURANCE"
    EDUCATION = "EDUCATION"
    DISABLED_FEDERATION = "DISABLED_FEDERATION"
    STAFFING = "STAFFING"
    TAX = "TAX"
    CREDIT = "CREDIT"
    NATURAL_RESOURCES = "NATURAL_RESOURCES"
    HOUSING = "HOUSING"
    TRANSPORT = "TRANSPORT"
    ENVIRONMENT = "ENVIRONMENT"
    AGRICULTURE = "AGRICULTURE"
    POWER = "POWER"
    GOVERNMENT_SERVICES = "GOVERNMENT_SERVICES"
    OTHER = "OTHER"


class Writing(StrEnum):
    """How raw text is brought into standard writing before it is checked."""

    TEXT = "TEXT"
    CODE = "CODE"
    CITIZEN_ID = "CITIZEN_ID"
    DATE = "DATE"
    NUMBER = "NUMBER"
    GEOMETRY = "GEOMETRY"
    OBJECT = "OBJECT"
    SUBJECT = "SUBJECT"


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
    may_lie_ahead: bool = False  # a day that need not be past
    link: Subject | None = None  # whose identifier is delivered; only its key is kept (`links`)
    aliases: tuple[str, ...] = ()  # names departments' tables give it, such as those of a national field list

    @property
    def is_division(self) -> bool:
        """Whether the value is the code of a division."""
        return self.pattern == DIVISION_PATTERN


@dataclass(frozen=True, slots=True)
class Issued:
    """Which fields of a FACT say who issued the document, by code or by name, and in which states it has let go of it."""

    code_field: str
    name_field: str
    state_field: str
    let_go: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One table of a base database as the platform knows it.

    `key_field` names the subject (or the place itself); `row_fields` together name one row of a FACT and are not needed
    for a MASTER, which has one row a subject. Of a FACT that is `issued` what its issuer delivers goes before what others say.
    """

    code: str
    title: "_StrPromise"
    base_database: str
    subject: Subject
    key_field: str
    region_field: str
    table: str
    fields: tuple[Field, ...]
    kind: Kind = Kind.MASTER
    row_fields: tuple[str, ...] = ()
    issued: Issued | None = None

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names in the order of the contract."""
        return tuple(field.name for field in self.fields)

    @property
    def row_key(self) -> str:
        """The column that tells its rows apart: the subject of a MASTER, the digest of `row_fields` of a FACT."""
        return "row_key" if self.kind is Kind.FACT else "subject_key"

    @property
    def is_named_by_subject(self) -> bool:
        """Whether the key of a row tells its subject: all records of one row are then records of one subject.

        Of the others an index of the records knows the last of `row_fields`.
        """
        return self.kind is Kind.MASTER or self.key_field in self.row_fields

    @property
    def day_field(self) -> str:
        """The day that dates a row: its first one that is no end of a validity; empty when it has none."""
        days = (field.name for field in self.fields if field.data_type is DataType.DATE and not field.may_lie_ahead)
        return next(days, "")

    def field(self, name: str) -> Field:
        """Return one field; KeyError when the contract has none of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


def coded(
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


def day(
    name: str,
    title: "_StrPromise",
    source: Source,
    *,
    required: bool = False,
    grade: Grade = Grade.L1,
    mask: Mask = Mask.NONE,
    may_lie_ahead: bool = False,
) -> Field:
    return Field(
        name=name, title=title, source=source, length=8, data_type=DataType.DATE, writing=Writing.DATE,
        required=required, standard="GB/T 7408", grade=grade, mask=mask, pattern=CALENDAR_DAY,
        may_lie_ahead=may_lie_ahead,
    )  # fmt: skip


SUBJECT_KEY_PATTERN = "[0-9a-f]{32}"


def subject_link(name: str, title: "_StrPromise", source: Source, link: Subject, *, required: bool = False) -> Field:
    """Another person or legal entity, delivered by its identifier and kept by its key alone."""
    return Field(
        name=name, title=title, source=source, length=32, data_type=DataType.SUBJECT, writing=Writing.SUBJECT, required=required,
        standard="GB 11643" if link is Subject.PERSON else "GB 32100", grade=Grade.L3, mask=Mask.HIDDEN,
        pattern=SUBJECT_KEY_PATTERN, link=link,
    )  # fmt: skip


def words(
    name: str,
    title: "_StrPromise",
    source: Source,
    length: int,
    *,
    required: bool = False,
    grade: Grade = Grade.L1,
    mask: Mask = Mask.NONE,
    pattern: str = "",
    standard: str = "",
) -> Field:
    """A text, of a pattern if one is given."""
    return Field(
        name=name, title=title, source=source, length=length, required=required, grade=grade, mask=mask, pattern=pattern,
        standard=standard, writing=Writing.CODE if pattern else Writing.TEXT,
    )  # fmt: skip


def amount(name: str, title: "_StrPromise", source: Source, *, grade: Grade = Grade.L1, pattern: str = AMOUNT_PATTERN) -> Field:
    """A number that is not negative."""
    return Field(
        name=name, title=title, source=source, length=20, data_type=DataType.NUMBER, writing=Writing.NUMBER, grade=grade,
        pattern=pattern,
    )  # fmt: skip


def region(title: "_StrPromise", source: Source, *, required: bool = True, mask: Mask = Mask.NONE) -> Field:
    """The division a row belongs to."""
    return Field(
        name="region_code", title=title, source=source, length=12, writing=Writing.CODE, required=required,
        standard="GB/T 2260", grade=Grade.L1, mask=mask, pattern=DIVISION_PATTERN,
    )  # fmt: skip
