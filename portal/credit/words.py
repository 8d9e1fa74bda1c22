"""What happened to a record, in words (事项)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

_EVENTS = {
    "repair.submitted": _("提交信用修复申请"),
    "repair.accepted": _("受理信用修复申请"),
    "repair.declined": _("不予受理信用修复申请"),
    "repair.checked": _("认定部门核实完毕"),
    "repair.extended": _("延长修复办理期限"),
    "repair.returned": _("退回重新核实"),
    "repair.granted": _("准予修复，停止公示"),
    "repair.refused": _("不予修复"),
    "repair.cancelled": _("撤回信用修复申请"),
    "objection.raised": _("提出异议，开始标注"),
    "objection.upheld": _("异议成立，取消标注"),
    "objection.dismissed": _("异议不成立，取消标注"),
    "record.retracted": _("撤销记录，停止公示"),
}


def event_title(kind: str) -> str:
    """Return the words of an event, or its code."""
    return str(_EVENTS.get(kind, kind))
