"""Electronic licenses (电子证照) as departments deliver them in bulk: fields of GB/T 36903 to 36906, one row a license and holder.

Issuing, sealing and presenting are not here. The catalogue of types is a table of its own (`models.license`).
"""

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.contract import Dataset, DataType, Field, Grade, Issued, Kind, Source, Subject, Writing
from basedb.identifiers import CALENDAR_DAY, DIVISION_PATTERN
from basedb.masking import Mask

_ISSUER = Source.GOVERNMENT_SERVICES
_ELEMENTS, _SHARING = "GB/T 36903", "GB/T 36906"
LIVE = "01"
CANCELLED_OR_GONE = ("04", "05", "06")  # cancelled, lapsed, moved away: another office may issue it anew


def _text(
    name: str,
    title: object,
    length: int,
    *aliases: str,
    required: bool = False,
    grade: Grade = Grade.L1,
    mask: Mask = Mask.NONE,
    writing: Writing = Writing.TEXT,
    pattern: str = "",
    code_set: str = "",
    standard: str = _ELEMENTS,
) -> Field:
    return Field(
        name=name, title=title, source=_ISSUER, length=length, required=required, standard=standard,  # type: ignore[arg-type]
        grade=grade, mask=mask, writing=writing, pattern=pattern, code_set=code_set, aliases=aliases,
    )  # fmt: skip


def _day(name: str, title: object, *aliases: str, required: bool = False, may_lie_ahead: bool = False) -> Field:
    return Field(
        name=name, title=title, source=_ISSUER, length=8, data_type=DataType.DATE, writing=Writing.DATE,  # type: ignore[arg-type]
        required=required, standard="GB/T 7408", grade=Grade.L1, pattern=CALENDAR_DAY, may_lie_ahead=may_lie_ahead,
        aliases=aliases,
    )  # fmt: skip


LICENSE = Dataset(
    code="license.license",
    title=_("电子证照信息"),
    base_database="license",
    subject=Subject.EITHER,
    key_field="holder_code",
    region_field="region_code",
    table="basedb_license",
    kind=Kind.FACT,
    row_fields=("type_code", "number", "holder_code"),
    issued=Issued("issuer_code", "issuer", "license_state", CANCELLED_OR_GONE),
    fields=(
        _text(
            "type_code",
            _("证照类型代码"),
            21,
            "certificate_type_code",
            required=True,
            writing=Writing.CODE,
            pattern="[0-9A-Z]+",
            standard="GB/T 36902",
        ),
        _text("identifier", _("电子证照标识"), 128, "certificate_identifier", standard="GB/T 36904"),
        _text("title", _("证照名称"), 200, "certificate_name", required=True),
        _text("number", _("证照编号"), 100, "certificate_number", required=True, grade=Grade.L2),
        _text("holder_name", _("持证主体"), 200, "holder", required=True, grade=Grade.L2, mask=Mask.NAME),
        _text(
            "holder_code",
            _("持证主体代码"),
            18,
            required=True,
            grade=Grade.L3,
            mask=Mask.CITIZEN_ID,
            writing=Writing.CODE,
            pattern="[0-9A-Z]+",
        ),
        _text(
            "holder_code_type",
            _("持证主体代码类型"),
            3,
            "holder_type_code",
            required=True,
            writing=Writing.CODE,
            code_set="holder_code_type",
        ),
        _text("issuer", _("证照颁发机构"), 200, "issue_dept", required=True),
        _text("issuer_code", _("证照颁发机构代码"), 18, "issue_dept_code", writing=Writing.CODE, pattern="[0-9A-Z]+"),
        _day("issued_on", _("证照颁发日期"), "issue_date", required=True),
        _day("valid_from", _("有效期起始日期"), may_lie_ahead=True),
        _day("valid_to", _("有效期截止日期"), may_lie_ahead=True),
        _text(
            "region_code",
            _("管辖属地"),
            12,
            "area_code",
            required=True,
            writing=Writing.CODE,
            pattern=DIVISION_PATTERN,
            standard="GB/T 2260",
        ),
        _text(
            "license_state",
            _("证照状态"),
            2,
            "status",
            required=True,
            writing=Writing.CODE,
            code_set="license_state",
            standard=_SHARING,
        ),
        _text("license_version", _("证照版本号"), 3, "version", writing=Writing.CODE, pattern="[0-9]+", standard="GB/T 36904"),
        Field(
            name="face",
            title=_("照面数据"),
            source=_ISSUER,
            length=8000,
            data_type=DataType.OBJECT,
            writing=Writing.OBJECT,
            standard=_ELEMENTS,
            grade=Grade.L3,
            mask=Mask.HIDDEN,
        ),
    ),
)

DATASETS = (LICENSE,)
