"""Facts of the demo that are called (事实类数据共享): penalties and licenses of enterprises, with a grant each."""

from __future__ import annotations

from dataclasses import replace

from django.db import connection

from basedb.credit.display import given_out_sql
from basedb.dictionary import DATASETS
from basedb.lookup import ROW
from catalog import mounting
from demo import city
from demo.entries import ASSESSED, PERSONAL, Listing

PENALTIES = "企业行政处罚信息"
LICENSES = "电子证照信息"
SUPERVISION = {
    "purpose": "校外供餐单位资格核查",
    "legal_basis": "《中华人民共和国食品安全法》第五十七条",
    "scenario": "学校招用校外供餐单位前核查其处罚记录和证照。",
}
PENALTY_ITEMS = ("subject_name", "document_number", "decided_on", "authority", "violation", "fine")
LICENSE_ITEMS = ("title", "number", "holder_name", "issued_on", "valid_to", "license_state")


def listings() -> list[Listing]:
    """Return the entries of facts that can be called."""
    return [
        _listing(city.MARKET, "credit.penalty", PENALTIES, "行政处罚双公示信息，只提供公示期内的记录。", "处罚 信用 双公示"),
        _listing("市政务服务管理办公室", "license.license", LICENSES, "各部门颁发的电子证照及其状态。", "证照 许可证 执照"),
    ]


def _listing(department: str, dataset: str, title: str, summary: str, keywords: str) -> Listing:
    entry = replace(
        mounting.draft_from(dataset),
        title=title,
        summary=summary,
        keywords=keywords,
        share_conditions="用于依法履职中的资格核查，不得转提供。",
        sharing_modes=("VERIFY", "QUERY"),
        secrecy_assessment=ASSESSED,
        personal_information_assessment=PERSONAL,
    )
    return Listing(department, entry, dataset)


def sample_key(title: str) -> dict[str, str] | None:
    """Return whom to ask about under an entry of facts, None for other entries."""
    dataset = {PENALTIES: "credit.penalty", LICENSES: "license.license"}.get(title)
    if dataset is None:
        return None
    known = DATASETS[dataset]
    with connection.cursor() as cursor:
        shown = f"AND {given_out_sql(dataset, ROW, with_natural_persons=False)}" if dataset == "credit.penalty" else ""
        cursor.execute(f"SELECT {known.key_field} FROM {known.table} {ROW} WHERE withdrawn_at IS NULL {shown} ORDER BY id LIMIT 1")
        row = cursor.fetchone()
    return {known.key_field: row[0] if row else ""}
