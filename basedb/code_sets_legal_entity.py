"""Code sets of the legal-entity base beyond the entity (法人代码集). Those without a standard are ours."""

from django.utils.translation import gettext_lazy as _

from basedb.code_set import CodeSet

REPRESENTATIVE = "01"
BUSINESS_NUMBER, ORGANIZATION_CODE, TAX_NUMBER, INSTITUTION_NUMBER, SOCIETY_NUMBER = "1", "2", "3", "4", "5"

SETS = (
    CodeSet(
        "changed_item",
        _("变更事项代码"),
        "",
        {
            "01": "名称变更",
            "02": "法定代表人(负责人)变更",
            "03": "住所变更",
            "04": "注册资本变更",
            "05": "经营范围变更",
            "06": "经营期限变更",
            "07": "股东(出资人)变更",
            "08": "类型变更",
            "09": "主要人员变更",
            "99": "其他变更",
        },
    ),
    CodeSet("branch_kind", _("分支机构类别代码"), "", {"1": "分公司", "2": "分支机构", "3": "办事机构", "9": "其他"}),
    CodeSet(
        "officer_role",
        _("任职代码"),
        "",
        {
            REPRESENTATIVE: "法定代表人(负责人)",
            "02": "董事长",
            "03": "董事",
            "04": "监事",
            "05": "经理",
            "06": "财务负责人",
            "07": "执行事务合伙人",
            "08": "理事长",
            "09": "理事",
            "99": "其他",
        },
    ),
    CodeSet("shareholder_kind", _("出资人类别代码"), "", {"1": "自然人", "2": "法人及非法人组织"}),
    CodeSet(
        "qualification_state", _("资质状态代码"), "DB37/T 4222.4", {"1": "有效", "2": "暂停", "3": "注销", "4": "吊销", "5": "过期"}
    ),
    CodeSet("report_state", _("年报状态代码"), "", {"1": "已公示", "2": "逾期公示", "3": "未公示"}),
    CodeSet("tax_state", _("税务登记状态代码"), "", {"1": "正常", "2": "非正常", "3": "停业", "4": "注销"}),
    CodeSet("taxpayer_kind", _("纳税人类别代码"), "", {"1": "一般纳税人", "2": "小规模纳税人", "9": "其他"}),
    CodeSet("insurance_state", _("单位参保状态代码"), "", {"1": "正常", "2": "暂停", "3": "注销"}),
    CodeSet(
        "legacy_kind",
        _("旧标识类别代码"),
        "GB 32100",
        {
            BUSINESS_NUMBER: "工商注册号",
            ORGANIZATION_CODE: "组织机构代码",
            TAX_NUMBER: "税务登记号",
            INSTITUTION_NUMBER: "事业单位证书号",
            SOCIETY_NUMBER: "社会组织登记证号",
        },
    ),
    CodeSet(
        "succession_kind",
        _("承继方式代码"),
        "",
        {"1": "吸收合并", "2": "新设合并", "3": "存续分立", "4": "解散分立", "5": "改制", "9": "其他"},
    ),
)
