"""Authorization from above for people: the terms of a resource, and reporting a request upward with its receipts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from catalog.models import Resource
from core.roles import Role
from exchange.models import UpstreamInterface
from exchange.upstream import authorizations, relays
from portal.actor import actor, roles_required
from portal.sources.forms import AuthorizationForm, ReceiptForm, ReportForm
from portal.sources.views import save


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def authorization(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Register the authorization of a resource, or change its terms."""
    who = actor(request)
    resource = Resource.objects.get_visible(uid, who)
    known = authorizations.authorization_of(resource)
    names = ("kind", "authority", "document_number", "terms", "valid_from", "valid_to")
    initial: dict[str, Any] = {name: getattr(known, name) for name in names} if known else {"valid_from": timezone.localdate()}
    if known and known.relay_interface:
        initial["relay_interface"] = known.relay_interface.uid
    form = AuthorizationForm(request.POST or None, interfaces=UpstreamInterface.objects.filter(is_active=True), initial=initial)

    def act() -> str:
        given = dict(form.cleaned_data)
        interface = given.pop("relay_interface")
        authorizations.register(
            resource_uid=uid, relay_interface_uid=interface.uid if interface else None, actor=who, now=timezone.now(), **given
        )
        messages.success(request, _("上级授权已登记，此后的申请按此办理。"))
        return f"/catalog/{uid}/"

    lead = _("整体授权的资源由数据中心直接审核；非整体授权的资源每件申请须报上级同意后才能授权。")
    return save(request, form, act, _("上级授权：%(title)s") % {"title": resource.title}, lead)


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def report(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Report a request upward."""
    form = ReportForm(request.POST or None)

    def act() -> str:
        relays.report(request_uid=uid, actor=actor(request), now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("已转报，收到上级答复后请登记回执。"))
        return f"/requests/{uid}/"

    relays.check_relayer(request_uid=uid, actor=actor(request))
    return save(request, form, act, _("转报上级"), _("转报后申请仍停在数据中心审核环节，上级同意后再授权。"))


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def receipt(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Write down what came back."""
    form = ReceiptForm(request.POST or None)

    def act() -> str:
        relays.record_receipt(request_uid=uid, actor=actor(request), now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("回执已登记。"))
        return f"/requests/{uid}/"

    relays.check_relayer(request_uid=uid, actor=actor(request))
    return save(request, form, act, _("登记上级回执"), _("上级的答复与本级流程分别记录，不会自动改变申请的状态。"))
