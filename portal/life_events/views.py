"""Life events for people: the list of notices, taking note, and the subscriptions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb import life_event_notices
from basedb.models import LifeEventKind
from core.errors import Conflict
from core.keyset import page
from core.models import Department
from core.roles import Role
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import FilterForm, PortalForm

_SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)


class NoticeFilter(FilterForm):
    """Which events."""

    kind = forms.ChoiceField(label=gettext_lazy("事件类别"), choices=[("", gettext_lazy("全部")), *LifeEventKind.choices])
    state = forms.ChoiceField(label=gettext_lazy("签收"), choices=[("", gettext_lazy("全部")), ("OPEN", gettext_lazy("待签收"))])


class SubscriptionForm(PortalForm):
    """Who is to be told of what, and by which law."""

    department = forms.ModelChoiceField(label=gettext_lazy("接收部门"), queryset=Department.objects.none(), to_field_name="uid")
    kind = forms.ChoiceField(label=gettext_lazy("事件类别"), choices=LifeEventKind.choices)
    legal_basis = forms.CharField(
        label=gettext_lazy("依据"), max_length=200, help_text=gettext_lazy("法律法规或文件的名称与条款。")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["department"]
        field.queryset = Department.objects.filter(valid_to=None).order_by("name")


@require_GET
@roles_required(*_SEERS)
def notice_list(request: HttpRequest) -> HttpResponse:
    """What the department was told of, the newest first."""
    who, form = actor(request), NoticeFilter(request.GET or None)
    rows = life_event_notices.notices_visible_to(who)
    chosen = form.chosen()
    if kind := chosen.get("kind"):
        rows = rows.filter(event__kind=kind)
    if chosen.get("state"):
        rows = rows.filter(seen_at=None)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    told = life_event_notices.told_of(found.items)
    lines = [{"notice": notice, "event": notice.event, "told": told[notice.pk]} for notice in found.items]
    context = {"page": found, "lines": lines, "form": form, "who": who, "may_subscribe": who.has(Role.REVIEWER)}
    return render(request, "portal/life_events/list.html", context)


@require_POST
@roles_required(*_SEERS)
def acknowledge(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take note of an event."""
    life_event_notices.acknowledge(event_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已签收。请在本部门系统中核对该对象的待遇、登记和证照。"))
    return redirect("portal:life-event-list")


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER, Role.AUDIT_ADMINISTRATOR)
def subscription_list(request: HttpRequest) -> HttpResponse:
    """Who is told of what; a reviewer adds to it."""
    who, form = actor(request), SubscriptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            life_event_notices.subscribe(**form.cleaned_data, actor=who, now=timezone.now())
        except Conflict as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("已订阅。今后发生的事件会通知该部门。"))
            return redirect("portal:life-event-subscriptions")
    context = {"form": form, "subscriptions": life_event_notices.subscriptions(), "may_change": who.has(Role.REVIEWER)}
    status = 422 if request.method == "POST" else 200
    return render(request, "portal/life_events/subscriptions.html", context, status=status)


@require_POST
@roles_required(Role.REVIEWER)
def unsubscribe(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a subscription."""
    life_event_notices.unsubscribe(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("已停止通知，此前的通知保留。"))
    return redirect("portal:life-event-subscriptions")
