"""How pages speak of versions and differences (证照类型页面用语)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.masking import MASK_TITLES
from core.texts import listed
from licenses.models import TypeState, TypeVersion, ValidityKind
from licenses.types import preview
from licenses.types.comparing import Content, Difference
from licenses.types.facts import TypeFacts
from licenses.types.layout import BUILT_IN, ELEMENT_TITLES, Element, ElementKind, Layout
from licenses.types.rulebook import KIND_TITLES, Rulebook
from portal.shell import Step

PARTS = {"FACTS": gettext_lazy("基本信息"), "ITEMS": gettext_lazy("照面项目"), "LAYOUT": gettext_lazy("版式")}
KINDS = {
    "ADDED": gettext_lazy("增加"),
    "REMOVED": gettext_lazy("去掉"),
    "CHANGED": gettext_lazy("改动"),
    "MOVED": gettext_lazy("移动"),
}
OUTCOMES = {"NEW": gettext_lazy("新增类型"), "NEXT": gettext_lazy("新版本"), "UNCHANGED": gettext_lazy("无变化")}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a version stands, for a badge."""

    state: str
    label: str


def standing_of(version: TypeVersion, today: date) -> Standing:
    """Return where a version stands on a day."""
    if version.state == TypeState.DRAFT:
        return Standing("SUBMITTED", _("待发布")) if version.submitted_at else Standing("DRAFT", _("编制中"))
    if version.state == TypeState.RETIRED:
        return Standing("RETIRED", _("已停用"))
    first, last = version.effective.lower, version.effective.upper
    if first is not None and first > today:
        return Standing("PREPARED", _("待施行"))
    if last is not None and last <= today:
        return Standing("SUPERSEDED", _("已被替代"))
    return Standing("PUBLISHED", _("现行")) if version.rulebook else Standing("LISTED", _("现行，仅入目录"))


def validity_of(version: TypeVersion) -> str:
    """Return the rule of validity in words."""
    if version.validity_kind == ValidityKind.MONTHS:
        return _("%(months)d 个月") % {"months": version.validity_months or 0}
    return str(version.get_validity_kind_display())


def steps_of(version: TypeVersion) -> list[Step]:
    """Return the way of a draft: who has the ball."""
    is_submitted, is_published = version.submitted_at is not None, version.state != TypeState.DRAFT
    keeper = version.department.short_name
    operator, head = (_("%(department)s经办人") % {"department": keeper}, _("%(department)s负责人") % {"department": keeper})
    return [
        Step(_("编制"), "done" if is_submitted or is_published else "current", operator, version.created_at),
        Step(_("送审"), "done" if is_submitted or is_published else "waiting", operator, version.submitted_at),
        Step(_("发布"), "done" if is_published else "current" if is_submitted else "waiting", head, version.published_at),
    ]


def drawing(content: Content, issuer: str, *, highlighted: int | None = None) -> Any:
    """Draw a version with made-up values."""
    values = preview.sample(content.facts, content.rulebook, issuer)
    title = _("版式预览：%(name)s") % {"name": content.facts.name}
    return preview.svg(content.layout, values, title=title, watermark=_("示例"), highlighted=highlighted)


def item_lines(rulebook: Rulebook) -> list[dict[str, Any]]:
    """Return the items as lines of a table."""
    return [
        {
            "item": item,
            "kind": KIND_TITLES[item.kind],
            "mask": MASK_TITLES[item.mask],
            "codes": item.codes
            or listed(f"{code} {label}" for code, label in item.choices[:4]) + ("…" if item.choices[4:] else ""),
        }
        for item in rulebook.items
    ]


def element_lines(layout: Layout, rulebook: Rulebook) -> list[dict[str, Any]]:
    """Return the elements as lines of a table; what each shows in words."""
    return [
        {"element": element, "kind": ELEMENT_TITLES[element.kind], "what": what(element, rulebook)} for element in layout.elements
    ]


def what(element: Element, rulebook: Rulebook) -> str:
    """Return what an element shows."""
    if element.kind is ElementKind.TEXT:
        return element.text
    if element.kind is ElementKind.ITEM:
        item = rulebook.by_name.get(element.item)
        return item.title if item else str(BUILT_IN.get(element.item, element.item))
    return ""


def difference_lines(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Return differences as lines of a table."""
    return [{"part": PARTS[one.part], "kind": KINDS[one.kind], "code": one.kind, "one": one} for one in differences]


def blank_facts() -> TypeFacts:
    """Return the facts a new type's form starts with."""
    return TypeFacts("", "", "", "", "PERSON")
