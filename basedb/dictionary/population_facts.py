"""What is known of a person beside the own row (人口扩展信息): names, papers, household, residence, life events.

Each row carries the citizen id it is about; other people in it are kept by their keys. A person is a member of one household at a
time: the newest row of the member counts, earlier ones stay in the source records.
"""

from collections.abc import Mapping
from types import MappingProxyType
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
    coded,
    day,
    region,
    subject_link,
    words,
)
from basedb.identifiers import CITIZEN_ID_PATTERN
from basedb.masking import Mask

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_POLICE, _CIVIL, _HEALTH = Source.PUBLIC_SECURITY, Source.CIVIL_AFFAIRS, Source.HEALTH
HOUSEHOLD_NUMBER = "[0-9A-Z]{4,30}"

# Which kind of department answers for a kind of attribute, and the code set of its values.
ATTRIBUTES: Mapping[str, tuple[Source, str]] = MappingProxyType(
    {
        "EDUCATION": (Source.EDUCATION, "education"),
        "SCHOOLING": (Source.EDUCATION, "schooling"),
        "PENSION": (Source.SOCIAL_SECURITY, "insured"),
        "MEDICAL_INSURANCE": (Source.MEDICAL_INSURANCE, "insured"),
        "MEDICAL_SPENDING": (Source.MEDICAL_INSURANCE, "medical_spending"),
        "DISABILITY": (Source.DISABLED_FEDERATION, "disability"),
        "HARDSHIP": (Source.CIVIL_AFFAIRS, "hardship"),
        "POWER_USE": (Source.POWER, "power_use"),
    }
)


def _citizen_id(source: Source = _POLICE) -> Field:
    return Field(
        name="citizen_id", title=_("公民身份号码"), source=source, length=18, writing=Writing.CITIZEN_ID, required=True,
        standard="GB 11643", grade=Grade.L3, mask=Mask.CITIZEN_ID, pattern=CITIZEN_ID_PATTERN,
    )  # fmt: skip


def _dataset(code: str, title: "_StrPromise", rows: tuple[str, ...], *fields: Field, region_field: str = "") -> Dataset:
    return Dataset(
        code=f"population.{code}", title=title, base_database="population", subject=Subject.PERSON, key_field="citizen_id",
        region_field=region_field, table=f"basedb_{code.replace('_', '')}", fields=fields, kind=Kind.FACT, row_fields=rows,
    )  # fmt: skip


NAME_USAGE = _dataset(
    "name_usage",
    _("人口姓名使用信息"),
    ("citizen_id", "name_kind", "used_name"),
    _citizen_id(),
    coded("name_kind", _("姓名类别"), _POLICE, required=True, length=1),
    words("used_name", _("使用姓名"), _POLICE, 50, required=True, grade=Grade.L3, mask=Mask.NAME),
    day("used_from", _("启用日期"), _POLICE),
    day("used_to", _("停用日期"), _POLICE),
)
IDENTIFIER = _dataset(
    "identifier",
    _("人口证件信息"),
    ("citizen_id", "person_paper", "paper_number"),
    _citizen_id(),
    coded("person_paper", _("证件类型"), _POLICE, standard="GA/T 517", required=True, length=3),
    words(
        "paper_number", _("证件号码"), _POLICE, 30, required=True, grade=Grade.L3, mask=Mask.CITIZEN_ID, pattern="[0-9A-Z]{5,30}"
    ),
    words("issuer", _("签发机关"), _POLICE, 100),
    day("issued_on", _("签发日期"), _POLICE),
    day("expires_on", _("有效期至"), _POLICE, may_lie_ahead=True),
)
HOUSEHOLD = Dataset(
    code="population.household",
    title=_("户信息"),
    base_database="population",
    subject=Subject.PLACE,
    key_field="household_number",
    region_field="region_code",
    table="basedb_household",
    kind=Kind.FACT,
    row_fields=("household_number",),
    fields=(
        words("household_number", _("户号"), _POLICE, 30, required=True, grade=Grade.L2, pattern=HOUSEHOLD_NUMBER),
        coded("household_kind", _("户别"), _POLICE, required=True, length=1),
        subject_link("head_key", _("户主"), _POLICE, Subject.PERSON),
        region(_("户籍区划"), _POLICE, mask=Mask.COUNTY),
        words("address", _("户籍地址"), _POLICE, 200, grade=Grade.L3, mask=Mask.ADDRESS),
        day("set_up_on", _("立户日期"), _POLICE),
        day("dissolved_on", _("销户日期"), _POLICE),
    ),
)
HOUSEHOLD_MEMBER = _dataset(
    "household_member",
    _("户成员信息"),
    ("citizen_id",),
    _citizen_id(),
    words("household_number", _("户号"), _POLICE, 30, required=True, grade=Grade.L2, pattern=HOUSEHOLD_NUMBER),
    Field(
        name="household_relation",
        title=_("与户主关系"),
        source=_POLICE,
        length=2,
        writing=Writing.CODE,
        required=True,
        standard="GB/T 4761",
        grade=Grade.L3,
        code_set="household_relation",
        pattern="[0-9]{2}",
    ),
    day("joined_on", _("入户日期"), _POLICE),
    day("left_on", _("离户日期"), _POLICE),
)
RESIDENCE = _dataset(
    "residence",
    _("人口居住信息"),
    ("citizen_id", "residence_kind", "moved_in_on"),
    _citizen_id(),
    coded("residence_kind", _("居住类别"), _POLICE, required=True, length=1),
    region(_("所在区划"), _POLICE, mask=Mask.COUNTY),
    words("address", _("居住地址"), _POLICE, 200, required=True, grade=Grade.L3, mask=Mask.ADDRESS),
    day("moved_in_on", _("迁入日期"), _POLICE, required=True),
    day("moved_out_on", _("迁出日期"), _POLICE),
    region_field="region_code",
)
VITAL_EVENT = _dataset(
    "vital_event",
    _("人口生命事件"),
    ("citizen_id", "vital_event", "occurred_on"),
    _citizen_id(_HEALTH),
    coded("vital_event", _("事件类别"), _HEALTH, required=True),
    day("occurred_on", _("发生日期"), _HEALTH, required=True, grade=Grade.L3),
    day("registered_on", _("登记日期"), _CIVIL),
    words("certificate_number", _("证明编号"), _HEALTH, 40, grade=Grade.L2, pattern="[0-9A-Z]{1,40}"),
    subject_link("partner_key", _("配偶"), _CIVIL, Subject.PERSON),
    subject_link("mother_key", _("母亲"), _HEALTH, Subject.PERSON),
    subject_link("father_key", _("父亲"), _HEALTH, Subject.PERSON),
    region(_("登记区划"), _CIVIL, required=False),
    words("authority", _("登记机构"), _CIVIL, 100),
)
ATTRIBUTE = _dataset(
    "attribute",
    _("人口属性信息"),
    ("citizen_id", "attribute_kind", "valid_from"),
    _citizen_id(),
    coded("attribute_kind", _("属性类别"), Source.OTHER, required=True, length=20),
    words(
        "attribute_value", _("属性值"), Source.OTHER, 20, required=True, grade=Grade.L3, mask=Mask.HIDDEN, pattern="[0-9A-Z]{1,20}"
    ),
    day("valid_from", _("起始日期"), Source.OTHER, required=True),
    day("valid_to", _("终止日期"), Source.OTHER, may_lie_ahead=True),
)

DATASETS = (NAME_USAGE, IDENTIFIER, HOUSEHOLD, HOUSEHOLD_MEMBER, RESIDENCE, VITAL_EVENT, ATTRIBUTE)
