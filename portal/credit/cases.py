"""Repair and objection desks: applying, the list of cases, one case with who has the ball."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.credit import objections, repairs
from basedb.credit.cases import parties_of
from basedb.credit.workflow import (
    COMMAND_TITLES,
    OBJECTION,
    OBJECTION_DESKS,
    PARTY_TITLES,
    REPAIR,
    REPAIR_DESKS,
    Party,
    Table,
    allowed,
)
from basedb.models.credit_cases import CreditCase
from core.errors import NotFound
from core.keyset import page
from portal.actor import BUSINESS, actor, roles_required
from portal.care.pages import SEERS, created, save, words
from portal.credit.forms import ObjectionFilter, ObjectionForm, RepairFilter, RepairForm, StepForm
from portal.credit.records import visible


@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def submit_repair(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Apply for the repair of a record."""
    record = visible(request, kind, key)
    form = RepairForm(request.POST or None)

    def act() -> str:
        given = {name: form.cleaned_data[name] for name in ("reason", "evidence")}
        where: dict[str, Any] = {"dataset": "credit." + kind, "row_key": bytes(record.row_key)}
        uid = created(request, form, lambda: repairs.submit_repair(**where, **given, actor=actor(request), now=timezone.now()))
        messages.success(request, _("修复申请已提交，现由信用窗口受理。"))
        return f"/credit/repairs/{uid}/"

    lead = _("文书号 %(number)s。信用窗口受理后，由认定部门核实并决定。") % {"number": record.document_number}
    back = f"/credit/records/{kind}/{key}/"
    return save(request, form, act, **words(_("申请信用修复"), lead, back, _("提交申请")))


@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def raise_objection(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Object to a record."""
    record = visible(request, kind, key)
    form = ObjectionForm(request.POST or None)

    def act() -> str:
        given = {"dataset": "credit." + kind, "row_key": bytes(record.row_key), "reason": form.cleaned_data["reason"]}
        uid = created(request, form, lambda: objections.raise_objection(**given, actor=actor(request), now=timezone.now()))
        messages.success(request, _("异议已提出，记录已标注，现由认定部门核实。"))
        return f"/credit/objections/{uid}/"

    lead = _("文书号 %(number)s。核实期间记录标注“有异议”，由认定部门负责人答复。") % {"number": record.document_number}
    back = f"/credit/records/{kind}/{key}/"
    return save(request, form, act, **words(_("提出异议"), lead, back, _("提出")))


@require_GET
@roles_required(*SEERS)
def repair_list(request: HttpRequest) -> HttpResponse:
    """The repairs one may see, the newest first."""
    form = RepairFilter(request.GET)
    rows = repairs.repairs_visible_to(actor(request)).filter(**form.chosen())
    return _list(request, form, rows, kind="repair", title=_("信用修复"), desks=REPAIR_DESKS)


@require_GET
@roles_required(*SEERS)
def objection_list(request: HttpRequest) -> HttpResponse:
    """The objections one may see, the newest first."""
    form = ObjectionFilter(request.GET)
    rows = objections.objections_visible_to(actor(request)).filter(**form.chosen())
    return _list(request, form, rows, kind="objection", title=_("信用异议"), desks=OBJECTION_DESKS)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def repair_detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One repair: who has the ball until when, and the buttons of whoever has it."""
    return _detail(request, repairs.repairs_visible_to(actor(request)).filter(uid=uid).first(), "repair")


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def objection_detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One objection: who has the ball until when, and the buttons of whoever has it."""
    return _detail(request, objections.objections_visible_to(actor(request)).filter(uid=uid).first(), "objection")


def _list(request: HttpRequest, form: Any, rows: Any, *, kind: str, title: str, desks: Any) -> HttpResponse:
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    lines = [(case, _ball(case, desks)) for case in found.items]
    context = {"form": form, "page": found, "lines": lines, "url": f"portal:credit-{kind}-detail", "title": title}
    return render(request, "portal/credit/cases.html", context, status=422 if form.errors else 200)


def _ball(case: Any, desks: Any) -> str:
    """Who has the ball, in words; nothing when the case is closed."""
    desk = desks.get(case.state)
    if desk is None:
        return ""
    where = "" if desk is Party.WINDOW else f"{case.owner.short_name} · "
    return where + str(PARTY_TITLES[desk])


def _detail(request: HttpRequest, case: CreditCase | None, kind: str) -> HttpResponse:
    if case is None:
        raise NotFound("credit.case_not_found", _("没有这个事项，或您无权查看。"))
    who, is_repair = actor(request), kind == "repair"
    table: Table = REPAIR if is_repair else OBJECTION
    commands = allowed(table, case.state, parties_of(who, case))  # type: ignore[attr-defined]
    form = StepForm(request.POST or None, initial={"revision": case.revision})

    def act() -> str:
        advance = repairs.advance_repair if is_repair else objections.answer_objection
        given = {"revision": form.cleaned_data["revision"], "command": form.command, "text": form.cleaned_data["text"]}
        done = advance(uid=case.uid, actor=who, now=timezone.now(), **given)
        ball = _ball(done, REPAIR_DESKS if is_repair else OBJECTION_DESKS)
        state = done.get_state_display()
        told = _("现为“%(state)s”，下一步由%(who)s办理。") % {"state": state, "who": ball}
        messages.success(request, told if ball else _("现为“%(state)s”，提交人已收到通知。") % {"state": state})
        return request.path

    context = {
        "case": case,
        "is_repair": is_repair,
        "ball": _ball(case, REPAIR_DESKS if is_repair else OBJECTION_DESKS),
        "commands": [(command, COMMAND_TITLES[command]) for command in commands],
        "kind": case.dataset.removeprefix("credit."),
        "key": bytes(case.row_key).hex(),
        "list_url": f"portal:credit-{kind}-list",
    }
    return save(request, form, act, "portal/credit/case.html", **context)
