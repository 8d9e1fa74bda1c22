"""What a page tells of an entry's way: who has the ball, the timeline, what was done, versions, items with their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import content, mounting
from catalog.content import DATA_TYPES, Entry
from catalog.models import BaseDatabase, Binding, Grade, Resource, ResourceVersion, ShareAttribute, SharingMode, UpdateCycle
from catalog.publishing import OPEN
from catalog.workflow import DESKS, PARTY_TITLES, Party, State
from core.errors import Conflict, Invalid
from core.models import AuditEntry
from core.texts import listed
from portal.shell import Step

ACTIONS: Mapping[str, Any] = {
    "resource.drafted": gettext_lazy("编制草稿"),
    "resource.change_drafted": gettext_lazy("生成变更稿"),
    "resource.edited": gettext_lazy("修改"),
    "resource.mounted": gettext_lazy("挂接"),
    "resource.submitted": gettext_lazy("提交"),
    "resource.recalled": gettext_lazy("撤回修改"),
    "resource.endorsed": gettext_lazy("负责人同意"),
    "resource.returned": gettext_lazy("退回"),
    "resource.published": gettext_lazy("发布"),
    "resource.discarded": gettext_lazy("作废"),
    "resource.withdrawn": gettext_lazy("下线"),
}
TRAIL_SHOWN = 50
_WAY = (
    (State.DRAFTED, gettext_lazy("编制")),
    (State.SUBMITTED, gettext_lazy("部门负责人审批")),
    (State.ENDORSED, gettext_lazy("数据中心发布")),
)
_LABELS: Mapping[str, Mapping[Any, Any]] = {
    "base_database": dict(BaseDatabase.choices),
    "share_attribute": dict(ShareAttribute.choices),
    "grade": dict(Grade.choices),
    "update_cycle": dict(UpdateCycle.choices),
    "sharing_modes": dict(SharingMode.choices),
    "concerns_minors": {True: gettext_lazy("是"), False: gettext_lazy("否"), "": gettext_lazy("否")},
}


def ball(resource: Resource) -> str:
    """Return who has the ball, in words."""
    desk = DESKS.get(State(resource.state))
    if desk is None:
        return "—"
    office = _("数据中心") if desk is Party.DATA_CENTRE else resource.provider.short_name
    return f"{office} · {PARTY_TITLES[desk]}"


def steps(resource: Resource) -> list[Step]:
    """Return the timeline of an entry on its way to publication."""
    if resource.state not in OPEN:
        return []
    order = [state for state, _title in _WAY]
    current = order.index(State(resource.state))
    shown = []
    for place, (_state, title) in enumerate(_WAY):
        state = "done" if place < current else "current" if place == current else "waiting"
        is_current = place == current
        note = _("被退回：%(reason)s") % {"reason": resource.return_reason} if is_current and resource.return_reason else ""
        who = ball(resource) if is_current else ""
        shown.append(Step(title, state, who, due_at=resource.due_at if is_current else None, note=note))
    return shown


def trail(resource: Resource) -> list[dict[str, Any]]:
    """Return what was done to the entry, the latest first."""
    entries = AuditEntry.objects.filter(object_uid=str(resource.uid), action__in=ACTIONS).order_by("-id")[:TRAIL_SHOWN]
    return [
        {
            "at": entry.at,
            "title": ACTIONS[entry.action],
            "who": entry.actor_name,
            "department": entry.actor_department,
            "note": entry.detail.get("reason", ""),
            "changed": listed(content.element_title(name) for name in entry.detail.get("changed", [])),
        }
        for entry in entries
    ]


def changes(error: Conflict) -> list[dict[str, Any]]:
    """Return what a conflict says was done to the entry meanwhile."""
    return [
        {
            "at": datetime.fromisoformat(change["at"]),
            "who": change["by"],
            "title": ACTIONS.get(change["action"], change["action"]),
            "changed": listed(change["changed"]),
        }
        for change in error.details.get("changed", [])
    ]


def versions(kept: Iterable[ResourceVersion]) -> list[dict[str, Any]]:
    """Return the versions, the latest first, each with what it changed."""
    newest_first = list(kept)
    before: list[ResourceVersion | None] = [*newest_first[1:], *([None] if newest_first else [])]
    return [
        {
            "version": row.version,
            "at": row.published_at,
            "by": row.published_by,
            "changed": listed(content.element_title(name) for name in content.differences(older.snapshot, row.snapshot))
            if older
            else "",
            "is_first": older is None,
        }
        for row, older in zip(newest_first, before, strict=True)
    ]


def item_rows(entry: Entry, binding: Binding | None) -> list[dict[str, Any]]:
    """Return the items with names for their codes and the column each is mounted on."""
    masks = mounting.mask_titles()
    columns = binding.columns if binding else {}
    return [
        {
            "item": item,
            "type": DATA_TYPES.get(item.data_type, item.data_type),
            "mask": masks.get(item.mask, item.mask),
            "column": columns.get(item.name, ""),
        }
        for item in entry.items
    ]


def dataset_title(binding: Binding | None) -> str:
    """Return the name of the dataset an entry is mounted on."""
    if binding is None:
        return ""
    try:
        return str(mounting.dataset(binding.dataset).title)
    except Invalid:
        return binding.dataset


def open_change(resource: Resource) -> Resource | None:
    """Return the working copy of a published entry that is on its way."""
    return resource.changes.filter(state__in=OPEN).first()


def snapshot_rows(snapshot: Mapping[str, Any], *, with_assessments: bool) -> list[tuple[str, str]]:
    """Return the elements of a kept version as (name, text); assessments are the provider's and the data centre's to read."""
    rows = []
    for name in content.ELEMENTS:
        if name == "region_id" or (name.endswith("_assessment") and not with_assessments):
            continue
        value = snapshot.get(name, "")
        labels = _LABELS.get(name, {})
        parts = value if isinstance(value, list) else [value]
        rows.append((content.element_title(name), listed(labels.get(part, part) for part in parts)))
    return rows
