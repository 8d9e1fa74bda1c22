"""What pages of matters say in words: items with titles, values with what their codes mean, what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from basedb.dictionary import DATASETS
from basedb.dictionary.licenses import LICENSE
from basedb.geography.divisions import names_of
from basedb.wording import worded
from core.texts import listed
from exchange.calls.refusals import REFUSALS
from exchange.matters.content import FACE
from exchange.matters.telling import todo
from exchange.models import Material, MaterialSource, MatterPart, PartState

TO_DO: Final = {
    "SUBMIT": _("请申请人提交材料。"),
    "REPORT_MISSING": _("请申请人提交纸质材料；本应有电子证照的，请报告证照缺失，由颁发部门补发。"),
    "RENEW": _("证照已过期，请申请人提交有效的材料或先办理延续。"),
    "ASK_GRANT": _("本次请申请人提交材料；请在事项页申请授权，以后不再需要提交。"),
    "TRY_AGAIN": _("请稍后重新取数；急办的请申请人提交材料。"),
}
ENDED: Final = {
    "EXPIRED": _("已过期"),
    "NOT_YET_VALID": _("有效期尚未开始"),
    "SUPERSEDED": _("已被新版本替换"),
    "SUSPENDED": _("暂扣"),
    "RESCINDED": _("撤销"),
    "CANCELLED": _("注销"),
    "LAPSED": _("失效"),
    "MOVED_AWAY": _("办理转出"),
    "REVOKED": _("吊销"),
    "OTHER": _("其他状态"),
}


def item_title(dataset: str, item: str) -> str:
    """Return the title of an item, its own name where the contract has none."""
    known = DATASETS.get(dataset or LICENSE.code)
    if item.startswith(f"{FACE}."):
        return item.removeprefix(f"{FACE}.")
    return str(known.field(item).title) if known and item in known.field_names else item


def item_titles(dataset: str, items: Iterable[str]) -> str:
    """Return the titles of items in a row."""
    return listed(item_title(dataset, item) for item in items)


def material_line(row: Material, type_names: Mapping[str, str]) -> dict[str, Any]:
    """Return a material as tables show it: what replaces it and which items, by their titles."""
    return {
        "row": row,
        "type_name": type_names.get(row.type_code, ""),
        "dataset": str(DATASETS[row.dataset].title) if row.dataset in DATASETS else row.dataset,
        "items": item_titles(row.dataset, row.items),
    }


def value(dataset: str, item: str, raw: str | None) -> str:
    """Return a value as people read it: days with hyphens, codes with their meaning, divisions by name."""
    known = DATASETS.get(dataset or LICENSE.code)
    if not raw:
        return "—"
    if known is None or item not in known.field_names:
        return raw
    field = known.field(item)
    return worded(field, raw, names_of({raw}) if field.is_division else {})


def reason(part: MatterPart) -> str:
    """Return why a material was not fetched."""
    if part.reason in ENDED:
        return str(ENDED[part.reason])
    if part.state == PartState.REFUSED_NO_GRANT:
        return str(_("取数系统还没有取得这项数据的授权。"))
    return str(REFUSALS[part.reason].message) if part.reason in REFUSALS else part.reason


def part_line(part: MatterPart, answers: dict[str, Any]) -> dict[str, Any]:
    """Return a part as the case page shows it; values only while they are kept."""
    answer = answers.get(part.material) or {}
    items = [
        [(item_title(part.dataset, item), value(part.dataset, item, raw)) for item, raw in one.items()]
        for one in answer.get("items", ())
    ]
    next_step = todo(part)
    return {
        "part": part,
        "items": items,
        "licenses": answer.get("licenses", ()),
        "as_of": str(answer.get("as_of") or "")[:10],
        "names": item_titles(part.dataset, part.items),
        "missing": item_titles(part.dataset, part.missing_items),
        "reason": reason(part),
        "todo": str(TO_DO[next_step]) if next_step else "",
        "is_missing_license": next_step == "REPORT_MISSING" and part.source == MaterialSource.LICENSE,
    }
