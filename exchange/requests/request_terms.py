"""The terms of a request (申请事项) as typed in, and every fault in them, told at once (一次性告知, Order 809 art. 21).

What the resource offers comes in as facts; fetching and writing are in `access_requests`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from catalog.models import SharingMode
from core.texts import listed, visible
from exchange.granting.limits import Limits, limit_faults
from exchange.granting.sensitivity import is_verify_only, mode_fault

MAX_TERM_YEARS = 3
MAX_QUOTA_PER_DAY = 1_000_000
NO_LIMITS = Limits()

# Field -> (longest text, may it be empty, may it have several lines).
TEXTS: Mapping[str, tuple[int, bool, bool]] = {
    "purpose": (200, False, False),
    "legal_basis": (500, False, True),
    "scenario": (500, False, True),
    "scope": (500, True, True),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a department asks for. Texts are stripped; items keep the order they were ticked in."""

    system: str
    mode: str
    fields: tuple[str, ...]
    purpose: str
    legal_basis: str
    scenario: str
    term_from: date
    term_to: date
    scope: str = ""
    region_prefix: str = ""
    quota_per_day: int = 1000
    limits: Limits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Offer:
    """What a resource offers: item name -> grade of the items that may be shared, the names withheld, the modes."""

    grades: Mapping[str, str]
    withheld: Collection[str]
    modes: Collection[str]
    listable: Collection[str] = ()  # items that hold texts or codes: rows may be filtered by them
    shapes: Collection[str] = ()  # items that hold a geometry: without one there is no map
    grade: str = ""
    concerns_minors: bool = False


def faults(terms: Terms, offer: Offer) -> dict[str, str]:
    """Return field -> what is wrong with it; empty when all is well. Regions and systems are checked where they live."""
    found = {name: fault for name in TEXTS if (fault := _text_fault(name, getattr(terms, name)))}
    found |= {
        name: fault
        for name, fault in (
            ("fields", items_fault(terms.mode, terms.fields, offer)),
            ("mode", _mode_fault(terms, offer)),
            ("term_to", _term_fault(terms)),
            ("quota_per_day", _quota_fault(terms)),
        )
        if fault
    }
    return found | limit_faults(terms.limits, offer.listable)


def text_fault(value: str, *, longest: int, may_be_empty: bool = False, may_have_lines: bool = True) -> str:
    """Return what is wrong with a text somebody typed in, or the empty string."""
    if not visible(value) and not may_be_empty:
        return _("此项必填。")
    if len(value) > longest:
        return _("最多 %(longest)s 个字，现有 %(length)s 个字。") % {"longest": longest, "length": len(value)}
    unwanted = {c for c in value if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn")} | (
        set("\u202a\u202b\u202d\u202e") & set(value)
    )
    if unwanted - (set("\n") if may_have_lines else set()):
        return _("含有不可见的控制字符，请删除后重新填写。")
    return ""


def _text_fault(name: str, value: str) -> str:
    longest, may_be_empty, may_have_lines = TEXTS[name]
    return text_fault(value, longest=longest, may_be_empty=may_be_empty, may_have_lines=may_have_lines)


def items_fault(mode: str, names: Sequence[str], offer: Offer) -> str:
    """Return what is wrong with asking for these items in this mode, or the empty string."""
    if not names:
        return _("请至少勾选一个信息项。")
    if len(set(names)) != len(names):
        return _("信息项重复。")
    withheld = [name for name in names if name in offer.withheld]
    if withheld:
        return _("不予共享的信息项不能申请：%(names)s。") % {"names": listed(withheld)}
    if any(name not in offer.grades for name in names):
        return _("所选信息项不属于该资源，请刷新页面后重新勾选。")
    if mode == SharingMode.FEATURES and offer.shapes and not set(names) & set(offer.shapes):
        return _("地图服务须勾选空间图形：%(names)s，否则没有可显示的内容。") % {"names": listed(sorted(offer.shapes))}
    grades = [offer.grades[name] for name in names]
    verify_only = is_verify_only(offer.grade, concerns_minors=offer.concerns_minors, item_grades=grades)
    return mode_fault(mode, is_verify_only=verify_only)


def _mode_fault(terms: Terms, offer: Offer) -> str:
    return "" if terms.mode in offer.modes else _("该资源不提供这种共享方式。")


def _term_fault(terms: Terms) -> str:
    if terms.term_to < terms.term_from:
        return _("截止日期不能早于开始日期。")
    if terms.term_to > last_day_of_term(terms.term_from):
        return _("使用期限最长 %(years)s 年，期满可再次申请。") % {"years": MAX_TERM_YEARS}
    return ""


def _quota_fault(terms: Terms) -> str:
    if 1 <= terms.quota_per_day <= MAX_QUOTA_PER_DAY:
        return ""
    return _("日调用量应在 1 至 %(most)s 之间。") % {"most": MAX_QUOTA_PER_DAY}


def last_day_of_term(first: date) -> date:
    """Return the last day a term may have that begins on `first` (29 February counts as 28)."""
    try:
        return first.replace(year=first.year + MAX_TERM_YEARS)
    except ValueError:
        return first.replace(year=first.year + MAX_TERM_YEARS, day=28)
