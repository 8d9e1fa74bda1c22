"""Words in files of license types and in the base database (目录文件用词): kept as data, Chinese in every language."""

HEADERS = {
    "证照类型代码": "code",
    "证照类型名称": "name",
    "定义机构": "defining_body",
    "定义机构代码": "defining_body_code",
    "持证主体类型": "holder_kind",
    "持证主体数上限": "holders_at_most",
    "同一主体可持有多份": "is_repeatable",
    "有效期规则": "validity_kind",
    "有效期（月）": "validity_months",
    "维护部门代码": "department",
    "施行日期": "effective_from",
}
HOLDERS = {
    "自然人": "PERSON",
    "法人": "LEGAL_ENTITY",
    "法人及非法人组织": "LEGAL_ENTITY",
    "法人和非法人组织": "LEGAL_ENTITY",
    "自然人、法人及非法人组织": "EITHER",
    "自然人或法人": "EITHER",
}
FLAGS = {"是": True, "否": False}
VALIDITIES = {"长期有效": "UNLIMITED", "自起始日起若干月": "MONTHS", "逐证写明": "STATED"}
# What the list of types of the base database says of holders.
BASE_HOLDERS = {"PERSON": "自然人", "LEGAL_ENTITY": "法人及非法人组织", "EITHER": "自然人、法人及非法人组织"}
