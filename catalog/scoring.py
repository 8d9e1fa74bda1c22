"""Hints on the quality of an entry (目录质量提示): what a reader would miss. Nothing here refuses anything; that is `checks`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from catalog.content import Entry

SHORT_SUMMARY = 20
OLD = timedelta(days=365)


def hints(entry: Entry, *, is_mounted: bool, published_at: datetime | None, now: datetime) -> list[str]:
    """Return what could be better, in sentences for the providing department."""
    found = []
    if not is_mounted and entry.share_attribute != "WITHHELD":
        found.append(_("尚未挂接数据集，申请通过后还不能在线调用。"))
    if len(entry.summary.strip()) < SHORT_SUMMARY:
        found.append(_("摘要不足 %(count)d 字，其他部门难以判断是否有用。") % {"count": SHORT_SUMMARY})
    if not entry.keywords.strip():
        found.append(_("没有关键词，不易被检索到。"))
    without = [item.title for item in entry.items if not item.standard]
    if entry.items and len(without) * 2 > len(entry.items):
        found.append(_("%(count)d 个信息项没有写数据标准。") % {"count": len(without)})
    if published_at is not None and now - published_at > OLD:
        found.append(_("目录一年以上没有更新，请核对是否仍与职责一致。"))
    return found


def score(entry: Entry, *, is_mounted: bool) -> int:
    """Return how complete the entry is, 0 to 100: seven equal criteria."""
    criteria = (
        bool(entry.keywords.strip()),
        len(entry.summary.strip()) >= SHORT_SUMMARY,
        bool(entry.items) and all(item.length or item.data_type not in ("C", "N") for item in entry.items),
        bool(entry.items) and sum(bool(item.standard) for item in entry.items) * 2 >= len(entry.items),
        is_mounted,
        bool(entry.secrecy_assessment.strip()),
        bool(entry.personal_information_assessment.strip()),
    )
    return round(100 * sum(criteria) / len(criteria))
