"""Comparing two versions of a license type (版本比较): facts, items and layout, each difference in words people can check. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.texts import in_clauses, listed
from licenses.types.facts import TITLES, TypeFacts
from licenses.types.layout import Layout
from licenses.types.rulebook import Rulebook

FIELD_TITLES: dict[str, Any] = {
    "title": gettext_lazy("标题"),
    "kind": gettext_lazy("值类型"),
    "length": gettext_lazy("最大长度"),
    "required": gettext_lazy("是否必填"),
    "codes": gettext_lazy("代码集"),
    "choices": gettext_lazy("自列代码"),
    "grade": gettext_lazy("数据分级"),
    "mask": gettext_lazy("脱敏方式"),
    "source": gettext_lazy("基础库来源"),
    "example": gettext_lazy("示例值"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """Everything a version says."""

    facts: TypeFacts
    rulebook: Rulebook
    layout: Layout


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: `kind` is ADDED, REMOVED, CHANGED or MOVED; `what` names the thing, before and after are in words."""

    part: str
    kind: str
    what: str
    before: str = ""
    after: str = ""


def differences(old: Content, new: Content) -> list[Difference]:
    """Return what changed from one version to another, in the order facts, items, layout; the code of a type is no content."""
    return [*_of_facts(old.facts, new.facts), *_of_items(old.rulebook, new.rulebook), *_of_layout(old.layout, new.layout)]


def _of_facts(old: TypeFacts, new: TypeFacts) -> Iterable[Difference]:
    before, after = old.to_json(), new.to_json()
    for name, title in TITLES.items():
        if before[name] != after[name]:
            yield Difference("FACTS", "CHANGED", str(title), _word(before[name]), _word(after[name]))


def _of_items(old: Rulebook, new: Rulebook) -> Iterable[Difference]:
    for item in old.items:
        if item.name not in new.by_name:
            yield Difference("ITEMS", "REMOVED", f"{item.title} ({item.name})")
    for item in new.items:
        before = old.by_name.get(item.name)
        what = f"{item.title} ({item.name})"
        if before is None:
            yield Difference("ITEMS", "ADDED", what)
            continue
        was, now = before.to_json(), item.to_json()
        for name, title in FIELD_TITLES.items():
            if was[name] != now[name]:
                yield Difference("ITEMS", "CHANGED", f"{what} · {title}", _word(was[name]), _word(now[name]))
    kept_before = [item.name for item in old.items if item.name in new.by_name]
    kept_after = [item.name for item in new.items if item.name in old.by_name]
    if kept_before != kept_after:
        titles = [[book.by_name[name].title for name in names] for book, names in ((old, kept_before), (new, kept_after))]
        yield Difference("ITEMS", "MOVED", _("项目顺序"), listed(titles[0]), listed(titles[1]))


def _of_layout(old: Layout, new: Layout) -> Iterable[Difference]:
    if (old.width, old.height) != (new.width, new.height):
        yield Difference("LAYOUT", "CHANGED", _("页面大小"), f"{old.width:g} × {old.height:g}", f"{new.width:g} × {new.height:g}")
    if old.background != new.background:
        yield Difference("LAYOUT", "CHANGED", _("底色"), old.background, new.background)
    removed = [element for element in old.elements if element not in new.elements]
    added = [element for element in new.elements if element not in old.elements]
    if removed or added:
        text = _("%(count)d 个元素")
        before, after = text % {"count": len(old.elements)}, text % {"count": len(new.elements)}
        what = _("版式元素：新增或改动 %(added)d 个，去掉或改动 %(removed)d 个") % {"added": len(added), "removed": len(removed)}
        yield Difference("LAYOUT", "CHANGED", what, before, after)
    elif old.elements != new.elements:
        yield Difference("LAYOUT", "MOVED", _("版式元素的叠放顺序"))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return in_clauses(" ".join(map(str, pair)) for pair in value) or "—"
    return "—" if value in (None, "") else str(value)
