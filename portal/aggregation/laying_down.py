"""Laying a plan down in steps: kind of source, connection, check and mapping, timetable; or a catalogue entry out of a table.

Every step is a page of its own, so that nothing is lost and nothing needs scripts.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from basedb.dictionary import DATASETS
from core.errors import Conflict, DomainError, Forbidden, Invalid
from core.submissions import digest_of, once
from exchange.aggregation import checking, laying_down, mapping, reverse_cataloging
from exchange.aggregation.connectors.registry import DROPS
from exchange.aggregation.connectors.terms import place_of_draft
from exchange.models import PlanDraft
from portal.actor import BUSINESS, actor, roles_required
from portal.aggregation.plan_forms import CatalogForm, MappingForm, NewPlanForm, ScheduleForm, place_form_of
from portal.forms import PortalForm

STEPS = (
    ("plan-new", gettext_lazy("选择数源")),
    ("plan-draft", gettext_lazy("填写连接")),
    ("plan-draft-mapping", gettext_lazy("检查与字段对应")),
    ("plan-draft-schedule", gettext_lazy("安排与限制")),
)
TABLES_SHOWN = 100


def _page(request: HttpRequest, step: int, form: PortalForm | None, lead: str, **more: Any) -> HttpResponse:
    context = {
        "form": form,
        "lead": lead,
        "steps": [
            {"title": str(title), "state": "current" if n == step else "", "name": f"portal:{name}" if 0 < n < step else ""}
            for n, (name, title) in enumerate(STEPS)
        ],
        **more,
    }
    return render(request, "portal/aggregation/plan_step.html", context, status=form.status if form else 200)


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def new(request: HttpRequest) -> HttpResponse:
    """Whose data, into what, from which kind of source."""
    who = actor(request)
    if not laying_down.may_lay_down(who):
        raise Forbidden("plan.not_yours", _("归集任务由部门经办人或数据中心设立。"))
    form = NewPlanForm(request.POST or None, departments=laying_down.departments_for(who))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        values = {"title": given["title"], "department_uid": given["department"].uid} | {
            name: given[name] for name in ("dataset", "connector")
        }

        def make() -> str:
            return str(laying_down.start_draft(**values, actor=who, now=timezone.now()).uid)

        try:
            uid, _is_new = once(owner=f"user:{who.user_id}", token=given["submission"], digest=digest_of(values), make=make)
            return redirect("portal:plan-draft", uid=uid)
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
    lead = _("归集任务分四步设立；每一步都会保存，可以稍后继续。")
    drafts = laying_down.drafts_visible_to(who)[:10]
    return _page(request, 0, form, lead, drafts=drafts, button=_("下一步"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def connection(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Where the rows come from."""
    who = actor(request)
    draft = laying_down.visible_draft(uid, who)
    kind = place_form_of(draft.connector)
    form = kind(request.POST or None, known=draft.settings, has_password=draft.secret_key_id is not None)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data.get("password", "")
        try:
            laying_down.connect_draft(uid=uid, settings=form.settings(), password=password, actor=who, now=timezone.now())
            return redirect("portal:plan-draft-mapping", uid=uid)
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
    lead = (
        _("平台读取前置机目录中新到的文件，按内容识别，不重复读取，不改动文件。")
        if draft.connector in DROPS
        else _("使用只读账号。平台只连接外联白名单中的主机；口令加密保存。")
    )
    return _page(request, 1, form, lead, draft=draft, button=_("保存并检查"))


def _tables_of(draft: PlanDraft) -> list[Any]:
    try:
        return checking.discover(place_of_draft(draft))[:TABLES_SHOWN]
    except DomainError:
        return []


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def map_columns(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What the check found, and which column is which field."""
    who = actor(request)
    draft = laying_down.visible_draft(uid, who)
    report = checking.check(place_of_draft(draft))
    dataset = DATASETS.get(draft.dataset)
    form: MappingForm | None = None
    if dataset is not None and report.columns:
        known = draft.mapping or {
            "columns": mapping.suggest(dataset, report.columns),
            "key_column": next((column.name for column in report.columns if column.is_key), ""),
        }
        initial = {f"field_{name}": column for name, column in known.get("columns", {}).items()} | {
            name: known.get(name, "") for name in ("key_column", "cursor_column", "valid_from_column")
        }
        form = MappingForm(request.POST or None, initial=initial, dataset=dataset, columns=report.columns)
        if request.method == "POST" and form.is_valid():
            laying_down.map_draft(uid=uid, mapping=form.mapping(), actor=who, now=timezone.now())
            return redirect("portal:plan-draft-schedule", uid=uid)
    lead = _("已按字段名、注释和名称建议对应关系，请核对；带 * 的信息项主数源必填。") if form else _("请根据检查结果处理。")
    tables = [] if report.is_good else _tables_of(draft)
    return _page(request, 2, form, lead, draft=draft, report=report, tables=tables, button=_("下一步"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def schedule(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Timetable and limits; then the plan is made."""
    who = actor(request)
    draft = laying_down.visible_draft(uid, who)
    form = ScheduleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.values()

        def make() -> str:
            return str(laying_down.lay_down(uid=uid, values=values, actor=who, now=timezone.now()).uid)

        try:
            digest = digest_of({"draft": str(uid), **values})
            plan_uid, _is_new = once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("归集任务已设立。定时任务到时自动运行，也可以现在点击「立即归集」。"))
            return redirect("portal:plan-detail", uid=plan_uid)
    lead = _("填写周期的是动态归集，按周期增量读取；不填的是静态归集，一次读完。")
    back = reverse("portal:plan-draft-mapping", kwargs={"uid": uid})
    return _page(request, 3, form, lead, draft=draft, back=back, button=_("设立任务"))


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def catalog(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Out of the table's columns: a draft entry of the catalogue, for people to complete."""
    who = actor(request)
    draft = laying_down.visible_draft(uid, who)
    fault: DomainError | None = None
    try:
        columns = checking.columns_at(place_of_draft(draft))
    except DomainError as error:
        columns, fault = (), error
    form = CatalogForm(request.POST or None, initial={"title": draft.title})
    if request.method == "POST" and form.is_valid():
        title = form.cleaned_data["title"]

        def make() -> str:
            entry = reverse_cataloging.draft_entry(title=title, columns=columns, actor=who, now=timezone.now())
            return str(entry.uid)

        try:
            digest = digest_of({"draft": str(uid), "title": title})
            entry_uid, _is_new = once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
            messages.success(request, _("目录草稿已生成。请补全摘要、共享条件和分类，核对分级与脱敏后提交审批。"))
            return redirect(reverse("portal:resource-edit", args=[entry_uid]))
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
    context = {
        "form": form,
        "draft": draft,
        "fault": fault,
        "entry": reverse_cataloging.entry_of(draft.title, columns),
        "pairs": list(zip(columns, reverse_cataloging.entry_of(draft.title, columns).items, strict=False)),
    }
    return render(request, "portal/aggregation/plan_catalog.html", context, status=form.status)
