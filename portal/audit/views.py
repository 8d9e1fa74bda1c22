"""The audit trail: a filtered page, and the same as CSV. Looking is written down too."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from core import audit_trail
from core.errors import Invalid
from core.models import AuditEntry
from portal.actor import actor
from portal.audit.words import action_title, object_kind_title, words_of
from portal.forms import FilterForm


class AuditFilter(FilterForm):
    """What to look for."""

    since = forms.DateField(label=_("开始日期"), widget=forms.DateInput())
    until = forms.DateField(label=_("结束日期"), widget=forms.DateInput())
    actor = forms.CharField(label=_("操作人"), max_length=60)
    department = forms.CharField(label=_("部门"), max_length=100)
    action = forms.ChoiceField(label=_("动作"))
    object = forms.CharField(label=_("对象名称或标识"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("全部")), *((action, action_title(action)) for action in audit_trail.actions())]
        self.fields["action"].choices = choices  # type: ignore[attr-defined]


def detail_in_words(entry: AuditEntry) -> str:
    """Return the details of an entry on one line, names and codes in words."""
    return audit_trail.detail_text(words_of(entry.object_kind, entry.detail, entry.action))


@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """One page of the trail."""
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return render(request, "portal/audit/list.html", {"form": form}, status=422)
    chosen = audit_trail.chosen_from(form.chosen())
    page = audit_trail.read(actor=actor(request), chosen=chosen, cursor=request.GET.get("after", ""), now=timezone.now())
    lines = [
        {
            "entry": entry,
            "action": action_title(entry.action),
            "kind": object_kind_title(entry.object_kind),
            "detail": detail_in_words(entry),
        }
        for entry in page.items
    ]
    context = {"form": form, "page": page, "lines": lines, "query": request.GET.urlencode()}
    return render(request, "portal/audit/list.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The same entries as a CSV file."""
    form = AuditFilter(request.GET)
    if not form.is_valid():
        raise Invalid("audit.filter_invalid", gettext("筛选条件有误，请返回修改后再导出。"), form.errors)
    chosen = audit_trail.chosen_from(form.chosen())
    now = timezone.now()
    lines = audit_trail.export(actor=actor(request), chosen=chosen, now=now, describe=detail_in_words)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.localtime(now):%Y%m%d-%H%M%S}.csv"'
    return response
