"""The national convention for people: which systems call us under which rid, which service code is which grant."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from exchange.national import requesters
from exchange.querysets import grants_visible_to, is_reviewer, systems_usable_by
from portal.actor import BUSINESS, actor, roles_required
from portal.sources.forms import RequesterForm, ServiceForm
from portal.sources.views import save


@require_GET
@roles_required(*BUSINESS)
def national(request: HttpRequest) -> HttpResponse:
    """Requesters and service codes a person may see."""
    who = actor(request)
    shows_services = request.GET.get("kind") == "services"
    rows = requesters.services_visible_to(who) if shows_services else requesters.requesters_visible_to(who)
    context = {
        "page": page(rows, order=("-id",), cursor=request.GET.get("after", "")),
        "shows_services": shows_services,
        "may_register": who.has(Role.OPERATOR),
        "may_code": is_reviewer(who),
    }
    return render(request, "portal/sources/national.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new_requester(request: HttpRequest) -> HttpResponse:
    """Register a system under a rid; its app key is shown once."""
    who = actor(request)
    form = RequesterForm(request.POST or None, systems=systems_usable_by(who))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            issued = requesters.register_requester(
                system_uid=given["system"], rid=given["rid"], requires_v2=given["requires_v2"], actor=who, now=timezone.now()
            )
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            return render(request, "portal/sources/app_key.html", {"issued": issued})
    context = {
        "form": form,
        "title": _("登记国家规范调用方"),
        "lead": _("已按国家平台规范开发的系统，登记后不改程序即可调用；应用授权码只显示一次。"),
    }
    return render(request, "portal/sources/form.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def new_service(request: HttpRequest) -> HttpResponse:
    """Put a service code on a grant."""
    who = actor(request)
    grants = grants_visible_to(who).filter(mode__in=["QUERY", "VERIFY"], state="ACTIVE", national_service=None)
    form = ServiceForm(
        request.POST or None, grants=grants.select_related("resource", "system")[:500] if not request.POST else grants
    )

    def act() -> str:
        given = form.cleaned_data
        requesters.register_service(
            grant_uid=given["grant"].uid,
            sid=given["sid"],
            key_parameter=given["key_parameter"],
            parameters=dict(given["parameters"]),
            actor=who,
            now=timezone.now(),
        )
        messages.success(request, _("服务编码已登记，几秒内生效。"))
        return "/national/?kind=services"

    return save(request, form, act, _("登记服务编码"), _("调用方以服务编码代替授权编号；权限仍由授权决定。"))
