"""Looking after plans: editing, testing again, switching off, starting over, and what becomes of new columns."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict, Forbidden, Invalid, NotFound
from exchange.aggregation import checking, laying_down, schema_drift
from exchange.aggregation.connector import dataset_of
from exchange.aggregation.connectors.terms import place_of
from exchange.aggregation.visibility import may_look_after, plans_visible_to, visible_plan
from exchange.models import AggregationPlan, SchemaChange
from portal.actor import BUSINESS, actor, roles_required
from portal.aggregation.plan_forms import ChangeForm, LimitsForm, SimpleForm, edit_form_of


def free_fields(plan: AggregationPlan) -> list[tuple[str, str]]:
    """Return the fields of the dataset no column is mapped to."""
    return [(field.name, str(field.title)) for field in dataset_of(plan).fields if field.name not in plan.columns]


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change title, timetable, limits, place and password."""
    who = actor(request)
    plan = visible_plan(uid, who)
    if not may_look_after(plan, who):
        raise Forbidden("plan.not_yours", _("归集任务由部门经办人或数据中心维护。"))
    own = {name: getattr(plan, name) for name in ("title", "revision", *LimitsForm.base_fields)}
    form = edit_form_of(plan.connector)(
        request.POST or None, known=plan.settings, has_password=plan.secret_key_id is not None, more=own
    )
    if request.method == "POST" and form.is_valid():
        kept = {name: value for name, value in plan.settings.items() if name not in form.place_fields}
        try:
            laying_down.edit_plan(
                uid=uid,
                revision=form.cleaned_data["revision"],
                values=form.values(),
                settings={**kept, **form.settings()},
                password=form.cleaned_data.get("password", ""),
                actor=who,
                now=timezone.now(),
            )
            messages.success(request, _("已保存。连接参数有变化时请点击「检查数源」。"))
            return redirect("portal:plan-detail", uid=uid)
        except Conflict as error:
            plan.refresh_from_db()
            form.overtake(error, {name: getattr(plan, name) for name in own})
        except Invalid as error:
            form.add_domain_error(error)
    context: dict[str, Any] = {"form": form, "plan": plan}
    return render(request, "portal/aggregation/plan_edit.html", context, status=form.status)


@never_cache
@require_POST
@roles_required(*BUSINESS)
def check(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Look at the source now and show what was found."""
    plan = visible_plan(uid, actor(request))
    if not SimpleForm(request.POST).is_valid():
        raise Invalid("request.invalid", _("页面已失效，请刷新后重试。"))
    return render(request, "portal/aggregation/plan_check.html", {"plan": plan, "report": checking.check(place_of(plan))})


@require_POST
@roles_required(*BUSINESS)
def switch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a plan out of use, or into it again."""
    who = actor(request)
    plan = visible_plan(uid, who)
    laying_down.switch_plan(uid=uid, is_active=not plan.is_active, actor=who, now=timezone.now())
    messages.success(request, _("已停用，不再定时运行。") if plan.is_active else _("已启用。"))
    return redirect("portal:plan-detail", uid=uid)


@require_POST
@roles_required(*BUSINESS)
def start_over(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Have the next run read from the start, with the source's schema as it then is."""
    laying_down.start_over(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("下次运行将从头读取，并以届时的数源结构为准；未变化的记录不会重复入库。"))
    return redirect("portal:plan-detail", uid=uid)


@require_POST
@roles_required(*BUSINESS)
def decide_change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a new column in, or leave it out."""
    who = actor(request)
    change = SchemaChange.objects.filter(uid=uid, plan__in=plans_visible_to(who)).select_related("plan").first()
    if change is None:
        raise NotFound("schema_change.not_found", _("没有这条数源结构变化，或您无权查看。"))
    form = ChangeForm(request.POST, choices=free_fields(change.plan))
    if not form.is_valid():
        messages.error(request, _("请选择数据集中尚未对应的信息项。"))
        return redirect("portal:plan-detail", uid=change.plan.uid)
    schema_drift.decide(uid=uid, field=form.cleaned_data["field"], actor=who, now=timezone.now())
    messages.success(request, _("已纳入字段对应，下次运行从头读取一遍。") if form.cleaned_data["field"] else _("已记为不纳入。"))
    return redirect("portal:plan-detail", uid=change.plan.uid)
