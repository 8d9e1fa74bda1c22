"""What the page of a request says of its case: material asked for, clocks and extensions, supervision, with their forms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import SharingMode
from core import working_days
from core.audit import Actor
from core.texts import listed
from exchange.models import AccessRequest, MaterialReturn, RequestState
from exchange.requests import clocks, extensions, supervision
from portal.forms import PortalForm

LATE_TITLES = {"SUBMITTED": gettext_lazy("补正时改动了申请事项，提交后须先经本部门负责人重新同意。")}


def _area(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=500, widget=forms.Textarea(attrs={"rows": 2}), **more)


class ExtensionForm(PortalForm):
    """Asking for more days."""

    prefix = "extension"
    days = forms.IntegerField(label=gettext_lazy("延长工作日"), min_value=1, max_value=10)
    reason = _area(
        gettext_lazy("须延期的特殊原因"), help_text=gettext_lazy("须经数据中心同意，同意后告知申请方。一次答复只能延期一次。")
    )


class ConsentForm(PortalForm):
    """Consenting to an extension or refusing it."""

    prefix = "consent"
    actions = ("refuse", "consent")
    reason = _area(gettext_lazy("意见"), required=False, help_text=gettext_lazy("不同意时必填。"))


class NoticeForm(PortalForm):
    """A supervision notice."""

    prefix = "notice"
    text = _area(gettext_lazy("督办意见"), help_text=gettext_lazy("正在办理的岗位会收到通知，须回复。"))


class ReplyForm(PortalForm):
    """The reply to a notice."""

    prefix = "reply"
    text = _area(gettext_lazy("回复督办"), help_text=gettext_lazy("写明原因和预计办结时间。"))


def context(
    access_request: AccessRequest, who: Actor, *, now: datetime, bound: Mapping[str, PortalForm] | None = None
) -> dict[str, Any]:
    """Return what the templates of a case need; `bound` holds a form that was refused, by its kind."""
    bound = bound or {}
    returned = list(access_request.returns.all())
    items = {item.name: item.title for item in access_request.resource.items.all()}
    asked = access_request.extensions.select_related("access_request__resource")
    notices = access_request.supervision_notices.select_related("access_request__resource", "department")
    return {
        "returns": [{"row": row, "changes": changed(row, items)} for row in returned],
        "missing": next((row.missing for row in returned if row.resubmitted_at is None), ""),
        "goes_back": LATE_TITLES.get(access_request.returned_from, ""),
        "extensions": [
            {"row": row, "form": bound.get("consent") or ConsentForm() if extensions.may_decide(row, who) else None}
            for row in asked
        ],
        "notices": [
            {"row": row, "form": bound.get("reply") or ReplyForm() if supervision.may_reply(row, who) else None} for row in notices
        ],
        "extension_form": bound.get("extension") or (ExtensionForm() if extensions.may_ask(access_request, who, now) else None),
        "notice_form": bound.get("notice") or (NoticeForm() if supervision.may_supervise(access_request, who, now) else None),
        "clock": clock(access_request, now),
    }


def clock(access_request: AccessRequest, now: datetime) -> dict[str, Any]:
    """Return how the clock of the answer stands: running with days left, stopped with days left, or none."""
    if access_request.state == RequestState.RETURNED:
        found = access_request.returns.filter(resubmitted_at=None).order_by("-id").first()
        return {"stopped": True, "left": found.answer_days_left if found else None}
    if access_request.decided_at or access_request.answer_due_at is None:
        return {}
    left = clocks.days_left(calendar=working_days.calendar(), due_at=access_request.answer_due_at, now=now)
    return {"stopped": False, "due_at": access_request.answer_due_at, "left": left}


def changed(row: MaterialReturn, items: Mapping[str, str]) -> list[dict[str, str]]:
    """Return which answers a completion changed: title, old, new."""
    return [
        {"title": _title(name), "old": _shown(name, old, items), "new": _shown(name, new, items)}
        for name, (old, new) in row.changes.items()
    ]


def _title(name: str) -> str:
    if name == "system_name":
        return _("使用方系统")
    return str(getattr(AccessRequest._meta.get_field(name), "verbose_name", name))


def _shown(name: str, value: Any, items: Mapping[str, str]) -> str:
    if name == "fields":
        return listed(items.get(field, field) for field in value)
    if name == "mode" and value in SharingMode.values:
        return str(SharingMode(value).label)
    if isinstance(value, list):
        return listed(value) or "—"
    return str(value) if value not in ("", None, {}) else "—"
