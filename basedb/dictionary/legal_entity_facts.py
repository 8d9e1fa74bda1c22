"""What is known of a legal entity beside its own row (法人扩展信息): changes, branches, people, reports, registrations.

People and other entities in a row are kept by their keys alone. An old number belongs to one unified code: rows of it are named by
kind and number.
"""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.contract import (
    Dataset,
    Field,
    Grade,
    Kind,
    Source,
    Subject,
    Writing,
    amount,
    coded,
    day,
    subject_link,
    words,
)
from basedb.identifiers import USCC_PATTERN

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_MARKET, _TAX, _SOCIAL = Source.MARKET_REGULATION, Source.TAX, Source.SOCIAL_SECURITY
_COUNT = "[0-9]{1,9}"
_SHARE = "(?:100(?:[.]0{1,4})?|[0-9]{1,2}(?:[.][0-9]{1,4})?)"


def _uscc(source: Source = _MARKET) -> Field:
    return Field(
        name="uscc", title=_("统一社会信用代码"), source=source, length=18, writing=Writing.CODE, required=True,
        standard="GB 32100", grade=Grade.L1, pattern=USCC_PATTERN,
    )  # fmt: skip


def _dataset(code: str, title: "_StrPromise", table: str, rows: tuple[str, ...], *fields: Field) -> Dataset:
    return Dataset(
        code=f"legal_entity.{code}", title=title, base_database="legal_entity", subject=Subject.LEGAL_ENTITY, key_field="uscc",
        region_field="", table=f"basedb_{table}", fields=fields, kind=Kind.FACT, row_fields=rows,
    )  # fmt: skip


CHANGE = _dataset(
    "change",
    _("法人变更信息"),
    "entitychange",
    ("uscc", "changed_item", "changed_on"),
    _uscc(),
    coded("changed_item", _("变更事项"), _MARKET, required=True, grade=Grade.L1),
    day("changed_on", _("变更日期"), _MARKET, required=True),
    words("before", _("变更前内容"), _MARKET, 2000, grade=Grade.L2),
    words("after", _("变更后内容"), _MARKET, 2000, grade=Grade.L2),
    words("authority", _("登记机关"), _MARKET, 100),
)
BRANCH = _dataset(
    "branch",
    _("法人分支机构信息"),
    "entitybranch",
    ("uscc", "parent_key"),
    _uscc(),
    subject_link("parent_key", _("上级法人"), _MARKET, Subject.LEGAL_ENTITY, required=True),
    coded("branch_kind", _("分支机构类别"), _MARKET, required=True, grade=Grade.L1, length=1),
    day("opened_on", _("设立日期"), _MARKET),
    day("closed_on", _("撤销日期"), _MARKET),
)
OFFICER = _dataset(
    "officer",
    _("法人主要人员信息"),
    "entityofficer",
    ("uscc", "person_key", "officer_role"),
    _uscc(),
    subject_link("person_key", _("人员"), _MARKET, Subject.PERSON, required=True),
    coded("officer_role", _("职务"), _MARKET, required=True, grade=Grade.L1),
    day("appointed_on", _("任职日期"), _MARKET),
    day("left_on", _("离职日期"), _MARKET),
)
SHAREHOLDER = _dataset(
    "shareholder",
    _("法人出资人信息"),
    "entityshareholder",
    ("uscc", "holder_key"),
    _uscc(),
    coded("shareholder_kind", _("出资人类别"), _MARKET, required=True, grade=Grade.L1, length=1),
    subject_link("holder_key", _("出资人"), _MARKET, Subject.EITHER, required=True),
    amount("share_ratio", _("出资比例(%)"), _MARKET, pattern=_SHARE),
    amount("subscribed", _("认缴出资额(万元)"), _MARKET),
    day("contributed_on", _("出资日期"), _MARKET, may_lie_ahead=True),
    day("left_on", _("退出日期"), _MARKET),
)
QUALIFICATION = _dataset(
    "qualification",
    _("法人资质信息"),
    "entityqualification",
    ("uscc", "qualification_number"),
    _uscc(Source.OTHER),
    words("qualification_name", _("资质名称"), Source.OTHER, 100, required=True, standard="DB37/T 4222.4"),
    words("qualification_number", _("资质证书编号"), Source.OTHER, 60, required=True),
    words("qualification_level", _("资质等级"), Source.OTHER, 40),
    words("authority", _("发证机关"), Source.OTHER, 100),
    day("valid_from", _("有效期自"), Source.OTHER),
    day("valid_to", _("有效期至"), Source.OTHER, may_lie_ahead=True),
    coded("qualification_state", _("资质状态"), Source.OTHER, required=True, grade=Grade.L1, length=1),
)
ANNUAL_REPORT = _dataset(
    "annual_report",
    _("法人年报信息"),
    "entityannualreport",
    ("uscc", "report_year"),
    _uscc(),
    Field(
        name="report_year",
        title=_("年报年度"),
        source=_MARKET,
        length=4,
        writing=Writing.CODE,
        required=True,
        grade=Grade.L1,
        pattern="(?:19|20)[0-9]{2}",
    ),
    coded("report_state", _("年报状态"), _MARKET, required=True, grade=Grade.L1, length=1),
    day("submitted_on", _("报送日期"), _MARKET),
    amount("employee_count", _("从业人数"), _MARKET, pattern=_COUNT),
    amount("assets", _("资产总额(万元)"), _MARKET, grade=Grade.L2),
    amount("revenue", _("营业总收入(万元)"), _MARKET, grade=Grade.L2),
)
TAX_REGISTRATION = _dataset(
    "tax_registration",
    _("法人税务登记信息"),
    "entitytaxregistration",
    ("uscc", "tax_number"),
    _uscc(_TAX),
    words("tax_number", _("税务登记号"), _TAX, 20, required=True, pattern="[0-9A-Z]{15,20}"),
    coded("taxpayer_kind", _("纳税人类别"), _TAX, grade=Grade.L1, length=1),
    coded("tax_state", _("税务登记状态"), _TAX, required=True, grade=Grade.L1, length=1),
    day("registered_on", _("登记日期"), _TAX),
    day("ended_on", _("注销日期"), _TAX),
    words("authority", _("主管税务机关"), _TAX, 100),
)
INSURANCE_REGISTRATION = _dataset(
    "insurance_registration",
    _("法人社会保险登记信息"),
    "entityinsuranceregistration",
    ("uscc", "insurance_number"),
    _uscc(_SOCIAL),
    words("insurance_number", _("社会保险登记号"), _SOCIAL, 30, required=True, pattern="[0-9A-Z]{4,30}"),
    coded("insurance_state", _("单位参保状态"), _SOCIAL, required=True, grade=Grade.L1, length=1),
    amount("insured_count", _("参保人数"), _SOCIAL, pattern=_COUNT),
    day("registered_on", _("参保登记日期"), _SOCIAL),
    day("ended_on", _("注销日期"), _SOCIAL),
)
LEGACY_IDENTIFIER = _dataset(
    "legacy_identifier",
    _("法人旧标识对照"),
    "entitylegacyidentifier",
    ("legacy_kind", "legacy_number"),
    _uscc(),
    coded("legacy_kind", _("旧标识类别"), _MARKET, required=True, grade=Grade.L1, length=1),
    words("legacy_number", _("旧标识号码"), _MARKET, 30, required=True, pattern="[0-9A-Z]{4,30}"),
    day("valid_from", _("启用日期"), _MARKET),
    day("valid_to", _("停用日期"), _MARKET),
)
SUCCESSION = _dataset(
    "succession",
    _("法人合并分立信息"),
    "entitysuccession",
    ("uscc", "successor_key", "effective_on"),
    _uscc(),
    subject_link("successor_key", _("承继法人"), _MARKET, Subject.LEGAL_ENTITY, required=True),
    coded("succession_kind", _("承继方式"), _MARKET, required=True, grade=Grade.L1, length=1),
    day("effective_on", _("生效日期"), _MARKET, required=True),
    words("authority", _("登记机关"), _MARKET, 100),
)

DATASETS = (
    CHANGE,
    BRANCH,
    OFFICER,
    SHAREHOLDER,
    QUALIFICATION,
    ANNUAL_REPORT,
    TAX_REGISTRATION,
    INSURANCE_REGISTRATION,
    LEGACY_IDENTIFIER,
    SUCCESSION,
)
