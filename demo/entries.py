"""The demo's catalogue: two entries served out of base databases, one out of the bureau's rows, and what other departments list."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalog import mounting
from catalog.content import Entry, Item
from demo import city

POPULATION = "户籍人口基本信息"
ENTERPRISES = "企业法人登记信息"
MARRIAGE = "居民婚姻与居住状况"
ASSESSED = "已按要求评估:不涉及国家秘密,风险可控。"
PERSONAL = "涉及个人信息:限于法定职责所必需的信息项,默认脱敏,逐次留痕。"


@dataclass(frozen=True)
class Listing:
    """An entry and who provides it; with a dataset it is mounted."""

    department: str
    entry: Entry
    dataset: str = ""


def mounted() -> list[Listing]:
    """Return the entries that can be called."""
    return [
        Listing(
            city.POLICE,
            replace(
                mounting.draft_from("population.person"),
                title=POPULATION,
                classification="101001",
                summary="全市户籍人口的姓名、性别、民族、出生日期、人员状态和户籍地址,由公安机关采集,是人口库的数源。",
                keywords="人口 户籍 身份 居民",
                share_conditions="用于依法履职中的身份核验和资格审查,不得转提供。",
                sharing_modes=("VERIFY", "QUERY", "BULK"),
                secrecy_assessment=ASSESSED,
                personal_information_assessment=PERSONAL,
            ),
            "population.person",
        ),
        Listing(
            city.MARKET,
            replace(
                mounting.draft_from("legal_entity.enterprise"),
                title=ENTERPRISES,
                classification="102001",
                summary="全市市场主体的统一社会信用代码、名称、法定代表人、住所、注册资本和登记状态。",
                keywords="企业 法人 工商 登记 信用代码",
                share_conditions="用于涉企审批和监管。",
                sharing_modes=("VERIFY", "QUERY", "BULK"),
                secrecy_assessment=ASSESSED,
                personal_information_assessment=PERSONAL,
            ),
            "legal_entity.enterprise",
        ),
        Listing(city.POLICE, _marriage(), "population.person"),
    ]


def _marriage() -> Entry:
    whole = mounting.draft_from("population.person")
    wanted = ("citizen_id", "name", "marital_status", "address", "region_code")
    return replace(
        whole,
        base_database="",
        title=MARRIAGE,
        classification="307011",
        summary="居民的婚姻状况和居住地址,供办理社会救助、住房保障时比对。",
        keywords="婚姻 居住 社会救助 住房保障",
        share_conditions="须经提供方逐项审核,只用于核对申请人本人情况。",
        sharing_modes=("VERIFY", "QUERY"),
        secrecy_assessment=ASSESSED,
        personal_information_assessment=PERSONAL,
        items=tuple(item for item in whole.items if item.name in wanted),
    )


def listed() -> list[Listing]:
    """Return the entries that are catalogued but not mounted yet."""
    return [_listed(*row) for row in _LISTED]


def _listed(department: str, classification: str, title: str, summary: str, keywords: str, attribute: str, items: str) -> Listing:
    rows = tuple(
        Item(name=name, title=name_zh, data_type="C", length=100, is_key=position == 0, grade="L2")
        for position, (name, name_zh) in enumerate(pair.split(":") for pair in items.split())
    )
    is_withheld = attribute == "WITHHELD"
    return Listing(
        department,
        Entry(
            title=title,
            classification=classification,
            summary=summary,
            keywords=keywords,
            update_cycle="MONTHLY",
            share_attribute=attribute,
            share_conditions="仅限业务办理使用,用途须与申请一致。" if attribute == "CONDITIONAL" else "",
            withheld_basis="《中华人民共和国刑事诉讼法》关于侦查保密的规定。" if is_withheld else "",
            sharing_modes=() if is_withheld else ("VERIFY", "QUERY"),
            grade="L2",
            secrecy_assessment=ASSESSED,
            personal_information_assessment="不涉及个人信息。",
            items=rows,
        ),
    )


_PERMIT = "permit_number:许可证编号 holder:持证单位 valid_until:有效期至 authority:发证机关"
_PLACE = "code:编码 name:名称 address:地址 region:所属区划"
_LISTED = (
    (city.EDUCATION, "307012", "中小学校名录", "全市中小学校的名称、地址、办学性质和学段。", "学校 教育 入学", "UNCONDITIONAL", _PLACE),
    (city.EDUCATION, "307012", "教师资格认定信息", "教师资格证书的编号、学科和认定机构。", "教师 资格 证书", "CONDITIONAL", _PERMIT),
    (city.SOCIAL_SECURITY, "307013", "社会保险参保登记信息", "单位和个人参加社会保险的登记情况。", "社保 参保", "CONDITIONAL",
     "account:社保编号 unit:参保单位 kind:险种 joined_on:参保日期"),
    (city.SOCIAL_SECURITY, "307013", "职业技能等级证书", "职业技能等级证书的工种、等级和发证机构。", "技能 人才", "UNCONDITIONAL", _PERMIT),
    ("市民政局", "307014", "社会组织登记信息", "社会团体、基金会和社会服务机构的登记情况。", "社会组织 登记", "UNCONDITIONAL",
     "code:信用代码 name:名称 kind:类型 state:登记状态"),
    ("市民政局", "307014", "养老机构备案信息", "养老机构的床位、等级和备案情况。", "养老 床位", "UNCONDITIONAL", _PLACE),
    ("市卫生健康委员会", "307015", "医疗机构执业许可信息", "医疗机构的诊疗科目、床位和许可有效期。", "医院 诊所 许可", "UNCONDITIONAL", _PERMIT),
    ("市规划和自然资源局", "307016", "不动产登记信息", "不动产单元号、权利类型、用途和登记时间。", "不动产 权属 房产", "CONDITIONAL",
     "unit_number:不动产单元号 right_kind:权利类型 use:用途 registered_on:登记日期"),
    ("市规划和自然资源局", "307016", "标准地址信息", "门楼牌标准地址及其所属街道。", "地址 门牌", "UNCONDITIONAL", _PLACE),
    ("市城乡建设委员会", "307017", "建筑业企业资质信息", "建筑业企业的资质类别、等级和有效期。", "建筑 资质", "UNCONDITIONAL", _PERMIT),
    ("市住房保障和房产局", "307018", "商品房预售许可信息", "商品房预售许可证的项目、楼栋和面积。", "房产 预售", "UNCONDITIONAL", _PERMIT),
    ("市交通运输局", "307019", "出租汽车经营许可信息", "巡游和网络预约出租汽车的经营许可。", "出租车 网约车", "UNCONDITIONAL", _PERMIT),
    ("市生态环境局", "307021", "排污许可信息", "排污单位的许可内容、排放口和有效期。", "环保 排污 监管", "UNCONDITIONAL", _PERMIT),
    ("市农业农村局", "307022", "农民专业合作社名录", "农民专业合作社的名称、成员数和经营范围。", "农业 合作社", "UNCONDITIONAL", _PLACE),
    ("市司法局", "307023", "律师事务所执业信息", "律师事务所的负责人、执业状态和地址。", "律师 执业", "UNCONDITIONAL", _PLACE),
    ("市税务局", "307024", "纳税信用等级信息", "企业的年度纳税信用等级。", "税务 信用 等级", "CONDITIONAL",
     "code:信用代码 name:企业名称 year:评价年度 level:信用等级"),
    ("市应急管理局", "307025", "安全生产许可信息", "危险化学品、矿山等企业的安全生产许可。", "安全生产 许可", "UNCONDITIONAL", _PERMIT),
    ("市医疗保障局", "307026", "基本医疗保险参保状态", "居民和职工的医疗保险参保状态。", "医保 参保", "CONDITIONAL",
     "account:医保编号 kind:险种 state:参保状态 month:所属月份"),
    ("市住房公积金管理中心", "307027", "公积金缴存状态", "职工住房公积金的缴存状态。", "公积金 缴存", "CONDITIONAL",
     "account:公积金账号 unit:缴存单位 state:账户状态 month:缴至月份"),
    (city.POLICE, "307011", "侦查线索登记信息", "刑事案件侦查中的线索登记。", "侦查 线索", "WITHHELD", "number:线索编号 registered_on:登记日期"),
)  # fmt: skip
