"""Legal entities (法人库) as the contract has them."""

from django.utils.translation import gettext_lazy as _

from basedb.dictionary import legal_entity_facts
from basedb.dictionary.contract import AMOUNT_PATTERN, Dataset, DataType, Field, Grade, Source, Subject, Writing, coded, day
from basedb.identifiers import DIVISION_PATTERN, USCC_PATTERN
from basedb.masking import Mask

_MARKET = Source.MARKET_REGULATION

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
        coded("entity_kind", _("机构类型"), _MARKET, standard="GB 32100", required=True, grade=Grade.L1),
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
        coded("currency", _("币种"), _MARKET, standard="GB/T 12406", grade=Grade.L1, length=3),
        day("established_on", _("成立日期"), _MARKET, required=True),
        day("term_from", _("经营期限自"), _MARKET, may_lie_ahead=True),
        day("term_to", _("经营期限至"), _MARKET, may_lie_ahead=True),
        Field(name="business_scope", title=_("经营范围"), source=_MARKET, length=4000, grade=Grade.L1),
        Field(name="authority", title=_("登记机关"), source=_MARKET, length=100, grade=Grade.L1),
        coded("registration_state", _("登记状态"), _MARKET, required=True, grade=Grade.L1, length=1),
        day("cancelled_on", _("注销日期"), _MARKET),
    ),
)

DATASETS = (ENTERPRISE, *legal_entity_facts.DATASETS)
