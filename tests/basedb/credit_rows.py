"""Good rows of the credit base and of licenses, as departments deliver them; ids carry the unassigned prefix 9901."""

from datetime import date
from typing import Any

from basedb.dictionary import DATASETS
from basedb.identifiers import generate_citizen_id, generate_uscc

CITIZEN = generate_citizen_id("990101", date(1980, 5, 6), 121)
COMPANY = generate_uscc(4711, region="990101")
BUREAU = generate_uscc(12, region="990101", kind="11")

Row = dict[str, str | None]

_COMMON: Row = {
    "subject_name": "南京示例科技有限公司",
    "subject_category": "法人及非法人组织",
    "subject_code": COMPANY,
    "document_number": "宁市监罚〔2025〕1号",
    "decided_on": "20250901",
    "authority": "市市场监督管理局",
    "authority_code": BUREAU,
    "published_on": "20250903",
    "region_code": "320102",
}
_OWN: dict[str, Row] = {
    "credit.permit": {"item_code": "0201", "permit_category": "核准", "content": "食品经营", "valid_from": "20250901"},
    "credit.penalty": {
        "item_code": "0202",
        "violation": "经营标签不符合规定的食品",
        "facts": "经营标签含有虚假内容的食品。",
        "basis": "《中华人民共和国食品安全法》第一百二十五条",
        "penalty_category": "罚款",
        "content": "罚款",
        "fine": "1.234567",
        "severity": "2",
        "publish_until": "20260901",
    },
    "credit.dishonesty": {"item_code": "0402", "list_title": "严重违法失信名单", "facts": "拒不执行", "basis": "第十七条"},
    "credit.abnormal": {"item_code": "0301", "facts": "未按期公示年度报告"},
    "credit.commitment": {"item_code": "0501", "commitment_kind": "审批替代型", "matter": "设立", "content": "承诺材料真实"},
    "credit.evaluation": {"item_code": "0602", "evaluation_title": "纳税信用评价", "level": "A"},
    "credit.measure": {"item_code": "0702", "measure_kind": "惩戒", "content": "限制参加政府采购", "basis": "第七十七条"},
    "license.license": {
        "type_code": "11100000MB0143028R001",
        "title": "营业执照",
        "number": "9901000001",
        "holder_name": "南京示例科技有限公司",
        "holder_code": COMPANY,
        "holder_code_type": "001",
        "issuer": "市市场监督管理局",
        "issuer_code": BUREAU,
        "issued_on": "20200101",
        "valid_to": "20300101",
        "region_code": "320102",
        "license_state": "01",
        "license_version": "001",
        "face": '{"经营范围": "软件"}',
    },
}


def good_row(dataset: str, **values: Any) -> Row:
    """Return a row that breaks no rule, with some values put in its place."""
    names = DATASETS[dataset].field_names
    row = {**(_COMMON if dataset.startswith("credit.") else {}), **_OWN[dataset], **values}
    return {name: row.get(name) for name in names}
