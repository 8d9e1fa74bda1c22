"""Fields all bases of public credit share (社会信用): whom a record is about, the decision behind it, how long it is shown.

Names of the national field lists (发改办财金〔2018〕424号) stand beside each field as aliases: `XK_` permits, `CF_` penalties.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.contract import AMOUNT_PATTERN, DataType, Field, Grade, Source, Writing
from basedb.identifiers import CALENDAR_DAY, DIVISION_PATTERN, USCC_PATTERN
from basedb.masking import Mask

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STANDARD = "发改办财金〔2018〕424号"
NATURAL_PERSON = "自然人"

_CREDIT, _MARKET = Source.CREDIT, Source.MARKET_REGULATION


def text(
    name: str,
    title: "_StrPromise",
    length: int,
    *aliases: str,
    required: bool = False,
    grade: Grade = Grade.L1,
    mask: Mask = Mask.NONE,
    source: Source = _CREDIT,
) -> Field:
    """A free text."""
    return Field(
        name=name, title=title, source=source, length=length, required=required, grade=grade, mask=mask,
        standard=STANDARD if aliases else "", aliases=aliases,
    )  # fmt: skip


def code(name: str, title: "_StrPromise", code_set: str, length: int, *aliases: str, required: bool = False) -> Field:
    """A value out of a code set."""
    return Field(
        name=name, title=title, source=_CREDIT, length=length, writing=Writing.CODE, required=required, grade=Grade.L1,
        code_set=code_set, standard=STANDARD if aliases else "", aliases=aliases,
    )  # fmt: skip


def date_of(name: str, title: "_StrPromise", *aliases: str, required: bool = False, may_lie_ahead: bool = False) -> Field:
    """A day."""
    return Field(
        name=name, title=title, source=_CREDIT, length=8, data_type=DataType.DATE, writing=Writing.DATE, required=required,
        standard="GB/T 7408", grade=Grade.L1, pattern=CALENDAR_DAY, may_lie_ahead=may_lie_ahead, aliases=aliases,
    )  # fmt: skip


def amount(name: str, title: "_StrPromise", *aliases: str) -> Field:
    """An amount in 10,000 yuan with at most six decimals, so that it is exact to one fen and below."""
    return Field(
        name=name, title=title, source=_CREDIT, length=19, data_type=DataType.NUMBER, writing=Writing.NUMBER,
        grade=Grade.L1, standard=STANDARD, pattern=AMOUNT_PATTERN, aliases=aliases,
    )  # fmt: skip


def subject_fields(prefix: str = "") -> tuple[Field, ...]:
    """Whom the record is about; `prefix` is `XK_` or `CF_` where a national list exists."""

    def of(*names: str) -> tuple[str, ...]:
        return tuple(prefix + name for name in names) if prefix else ()

    return (
        text("subject_name", _("行政相对人名称"), 200, *of("XDR_MC"), required=True, grade=Grade.L2, mask=Mask.NAME),
        code("subject_category", _("行政相对人类别"), "credit_subject", 10, *of("XDR_LB"), required=True),
        Field(
            name="subject_code",
            title=_("行政相对人代码"),
            source=_MARKET,
            length=18,
            writing=Writing.CODE,
            required=True,
            standard="GB 32100 / GB 11643",
            grade=Grade.L3,
            mask=Mask.CITIZEN_ID,
            pattern="[0-9A-Z]+",
            aliases=of("XDR_SHXYM", "XDR_ZJHM"),
        ),
    )


def legacy_fields(prefix: str) -> tuple[Field, ...]:
    """Numbers from before the unified code, and the legal representative."""
    return (
        text("business_number", _("工商注册号"), 50, prefix + "XDR_GSZC", source=_MARKET),
        text("organization_code", _("组织机构代码"), 9, prefix + "XDR_ZZJG", source=_MARKET),
        text("tax_number", _("税务登记号"), 20, prefix + "XDR_SWDJ", source=Source.TAX),
        text("institution_number", _("事业单位证书号"), 20, prefix + "XDR_SYDW", source=Source.STAFFING),
        text("society_number", _("社会组织登记证号"), 50, prefix + "XDR_SHZZ", source=Source.CIVIL_AFFAIRS),
        text("legal_representative", _("法定代表人"), 50, prefix + "FRDB", mask=Mask.NAME, source=_MARKET),
        text("representative_id_type", _("法定代表人证件类型"), 64, prefix + "FR_ZJLX", source=_MARKET),
        Field(
            name="representative_id",
            title=_("法定代表人证件号码"),
            source=_MARKET,
            length=64,
            writing=Writing.CITIZEN_ID,
            standard=STANDARD,
            grade=Grade.L3,
            mask=Mask.CITIZEN_ID,
            aliases=(prefix + "FR_ZJHM", prefix + "FR_SFZH"),
        ),
        text("subject_id_type", _("自然人证件类型"), 64, prefix + "XDR_ZJLX"),
    )


def decision_fields(
    *,
    number: "_StrPromise",
    decided: "_StrPromise",
    number_aliases: tuple[str, ...] = (),
    decided_aliases: tuple[str, ...] = (),
    authority_aliases: tuple[str, ...] = (),
    code_aliases: tuple[str, ...] = (),
) -> tuple[Field, ...]:
    """The decision: its document, its item in the catalogue of public credit information, who decided when."""
    return (
        text("document_number", number, 128, *number_aliases, required=True),
        Field(
            name="item_code",
            title=_("公共信用信息目录条目"),
            source=_CREDIT,
            length=20,
            writing=Writing.CODE,
            required=True,
            standard="全国公共信用信息基础目录",
            grade=Grade.L1,
            pattern="[A-Z0-9.]+",
        ),
        date_of("decided_on", decided, *decided_aliases, required=True),
        text("authority", _("认定机关"), 200, *authority_aliases, required=True),
        Field(
            name="authority_code",
            title=_("认定机关代码"),
            source=_CREDIT,
            length=18,
            writing=Writing.CODE,
            required=True,
            standard="GB 32100",
            grade=Grade.L1,
            pattern=USCC_PATTERN,
            aliases=code_aliases,
        ),
    )


def showing_fields(*publish_until: str, prefix: str = "") -> tuple[Field, ...]:
    """Where it holds and how long it is shown to the public."""

    def of(name: str) -> tuple[str, ...]:
        return (prefix + name,) if prefix else ()

    return (
        date_of("published_on", _("公示日期")),
        date_of("publish_until", _("公示截止期"), *publish_until, may_lie_ahead=True),
        code("record_state", _("记录状态"), "credit_record_state", 1, *of("ZT")),
        Field(
            name="region_code",
            title=_("所属区划"),
            source=_CREDIT,
            length=12,
            writing=Writing.CODE,
            required=True,
            standard="GB/T 2260",
            grade=Grade.L1,
            pattern=DIVISION_PATTERN,
        ),
        text("remark", _("备注"), 512, *of("BZ")),
    )


def adverse_fields() -> tuple[Field, ...]:
    """What only records against a subject have: the tier of repair, the notice of it, the day it was lifted."""
    return (
        code("severity", _("失信程度"), "credit_severity", 1),
        date_of("repair_notice_on", _("信用修复告知书送达日期")),
        date_of("lifted_on", _("移出(解除)日期")),
        text("lifting_document", _("移出(解除)决定文书号"), 128),
    )
