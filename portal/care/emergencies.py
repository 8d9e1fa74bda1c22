"""Emergency access: opening it from a resource, the list with what waits for review, and reviewing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from catalog.models import Resource
from core.errors import Forbidden, NotFound
from core.keyset import page
from core.roles import Role
from core.texts import listed
from exchange.care import break_glass
from exchange.models import BreakGlass, ConsumerSystem
from exchange.querysets import is_reviewer
from portal.actor import actor, roles_required
from portal.care.forms import EmergencyForm, ReviewForm
from portal.care.pages import SEERS, created, save, words


@require_GET
@roles_required(*SEERS)
def access_list(request: HttpRequest) -> HttpResponse:
    """The emergency accesses one may see, the newest first."""
    who, now = actor(request), timezone.now()
    found = page(break_glass.break_glass_visible_to(who), order=("-id",), cursor=request.GET.get("after", ""))
    lines = [_line(row, now) for row in found.items]
    return render(request, "portal/care/emergencies.html", {"page": found, "lines": lines, "may_open": break_glass.may_open(who)})


@require_http_methods(["GET", "POST"])
@roles_required(Role.HEAD, Role.REVIEWER)
def open_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Open an emergency access to a resource."""
    who = actor(request)
    resource = Resource.objects.get_visible(uid, who)
    if not break_glass.may_open(who):
        raise Forbidden("break_glass.off", _("本节点没有启用应急访问，请按正常流程申请。"))
    systems = ConsumerSystem.objects.filter(is_active=True).order_by("name")
    systems = systems if is_reviewer(who) else systems.filter(department_id__in=[who.department_id])
    form = EmergencyForm(request.POST or None, resource=resource, systems=systems)

    def act() -> str:
        made = created(
            request,
            form,
            lambda: break_glass.open_access(resource_uid=uid, wanted=form.wanted(), actor=who, now=timezone.now()),
        )
        messages.success(request, _("应急访问已开启，到时自动关闭。提供方、数据中心和审计管理员已收到通知，三个工作日内复核。"))
        return f"/break-glass/{made}/"

    lead = _("只用于来不及走正常流程的紧急情况。立即生效，照常留痕，事后由提供方和数据中心分别复核，不正当的列入责任清单。")
    said = words(_("应急访问：%(title)s") % {"title": resource.title}, lead, f"/catalog/{uid}/", _("立即开启"), is_grave=True)
    return save(request, form, act, **said)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One emergency access, and the review of one's own side."""
    who, now = actor(request), timezone.now()
    found = break_glass.break_glass_visible_to(who).filter(uid=uid).first()
    if found is None:
        raise NotFound("break_glass.not_found", _("没有这次应急访问，或您无权查看。"))
    form = ReviewForm(request.POST or None)

    def act() -> str:
        break_glass.review(break_glass_uid=uid, actor=who, now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("复核结论已登记，开启人已收到通知。"))
        return request.path

    side = break_glass.side_to_review(found, who)
    context = {**_line(found, now), "side": side.label if side else ""}
    return save(request, form, act, "portal/care/emergency.html", **context)


def _line(found: BreakGlass, now: datetime) -> dict[str, object]:
    missing = break_glass.sides_missing(found)
    return {
        "emergency": found,
        "missing": listed(side.label for side in missing),
        "is_late": bool(missing) and found.review_due_at <= now,
        "is_running": found.grant.state == "ACTIVE" and found.grant.valid_to > now,
    }
