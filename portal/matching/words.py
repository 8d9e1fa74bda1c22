"""What comparisons and their levels are called (比对依据): the reasons of a pair in words, the weightiest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from basedb.models import MatchCandidate

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

COMPARISONS = {
    "name": _("姓名或名称"),
    "birth": _("出生日期"),
    "sex": _("性别"),
    "phone": _("联系电话"),
    "address": _("住址"),
    "region": _("区县"),
    "old_number": _("旧标识"),
}
LEVELS = {
    "exact": _("一致"),
    "former": _("与曾用名一致"),
    "homophone": _("同音不同字"),
    "similar": _("相近"),
    "swapped": _("月日颠倒"),
    "close": _("差一位数字"),
    "near": _("相近"),
    "else": _("不一致"),
    "missing": _("一方未提供"),
}
_NEUTRAL = 0.05


@dataclass(frozen=True, slots=True)
class Reason:
    """One comparison: what it found, and whether that speaks for (`+`) or against (`-`) the two being one."""

    title: _StrPromise | str
    level: _StrPromise | str
    weight: float | None
    sign: str


def reasons(candidate: MatchCandidate) -> list[Reason]:
    """Return why the two may be one, and why not."""
    found = [
        Reason(
            COMPARISONS.get(one["comparison"], one["comparison"]),
            LEVELS.get(one["level"], one["level"]),
            one["weight"],
            _sign(one["weight"], one["level"]),
        )
        for one in candidate.why
    ]
    return sorted(found, key=lambda one: -abs(one.weight or 0.0))


def _sign(weight: float | None, level: str) -> str:
    if weight is None:
        return "+" if level == "exact" else "-"
    return "+" if weight > _NEUTRAL else "-" if weight < -_NEUTRAL else ""
