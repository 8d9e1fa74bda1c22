"""Reporting a missing license and the desk that looks for it: the list, the form, one report with who has the ball."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from basedb.masking import Mask, mask_value
from core.keyset import page
from core.roles import Role
from exchange.matters import reading
from licenses.models import OPEN_MISSING, MissingKind, MissingReport, MissingState
from licenses.reissue import checking, reissuing, reports
from licenses.reissue.workflow import COMMAND_TITLES, DESKS, PARTY_TITLES, Command, allowed
from licenses.subject_keys import PERSON
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, created, save, words
from portal.missing_licenses.forms import ReportFilter, ReportForm, StepForm
from portal.shell import Step

BACK = "/missing-licenses/"
ASKS = {Command.FIND: "identifier", Command.COMPLETE: "identifier", Command.HAND_OVER: "department"}
ENDED = {MissingState.ABSENT: "refused", MissingState.WITHDRAWN: "refused"}


@require_GET
@roles_required(*SEERS)
def report_list(request: HttpRequest) -> HttpResponse:
    """The reports one may see, the newest first; names and codes are masked."""
    form, who = ReportFilter(request.GET), actor(request)
    chosen = form.chosen()
    scope = chosen.pop("scope", "")
    rows = _scoped(reports.reports_visible_to(who).filter(**chosen), scope, who.department_id or 0)
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    lines = [(report, mask_value(Mask.NAME, report.holder_name), ball(report)) for report in found.items]
    may_report = who.has(Role.OPERATOR)
    context = {"form": form, "page": found, "lines": lines, "may_report": may_report}
    return render(request, "portal/missing_licenses/list.html", context, status=422 if form.errors else 200)


def _scoped(rows: QuerySet[MissingReport], scope: str, department_id: int) -> QuerySet[MissingReport]:
    match scope:
        case "TO_DO":
            return rows.filter(department_id=department_id, state__in=OPEN_MISSING)
        case "OURS":
            return rows.filter(reported_from_id=department_id)
        case "LATE":
            return rows.filter(state__in=OPEN_MISSING, due_at__lte=timezone.now())
    return rows


@sensitive_post_parameters("holder_code", "holder_name")
@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def report(request: HttpRequest) -> HttpResponse:
    """Report a missing license; from a case whose material was not found it begins with what the case tells."""
    form = ReportForm(request.POST or None, initial=from_case(request))

    def act() -> str:
        given = {name: value for name, value in form.cleaned_data.items() if name != "submission"}
        uid = created(request, form, lambda: reports.report_missing(**given, actor=actor(request), now=timezone.now()))
        made = reports.get_visible(UUID(uid), actor(request))
        if made.state == MissingState.JOINED:
            messages.info(request, _("同一证照已有报告正在办理，您的报告已并入，办结时一并通知您。"))
        else:
            words_ = {"department": made.department.name}
            messages.success(request, _("报告已提交，现由%(department)s接收并核查档案。") % words_)
        return reports.path_of(made)

    lead = _("报告提交后送应颁发该证照的部门核查档案：有档案的补发，已有电子证照的告知标识，查无的说明理由。")
    return save(request, form, act, **words(_("报告缺失证照"), lead, BACK, _("提交报告")))


def from_case(request: HttpRequest) -> dict[str, Any]:
    """Return what a report starts with: type and case of a material that was not found. Codes of parties are not kept there."""
    try:
        case, material = UUID(request.GET.get("case", "")), request.GET.get("material", "")
    except ValueError:
        return {}
    part = reading.missing_part(case_uid=case, material=material, actor=actor(request))
    if part is None:
        return {}
    note = _("办理“%(matter)s”（办件编号 %(case)s）取“%(material)s”时没有查到电子证照。")
    told = {"matter": part.fetch.matter.name, "case": part.fetch.case.case_number, "material": part.title}
    return {"kind": MissingKind.NOT_FOUND, "type_code": part.type_code, "note": note % told}


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One report: who has the ball until when, what was done, and the buttons of whoever has it."""
    who = actor(request)
    found = reports.get_visible(uid, who)
    commands = allowed(found.state, checking.parties_of(who, found))
    asks = frozenset(ASKS[command] for command in commands if command in ASKS)
    form = StepForm(request.POST or None, initial={"revision": found.revision}, asks=asks)

    def act() -> str:
        given = form.cleaned_data
        receiver = given["department"]
        done = reissuing.carry_out(
            uid=uid, revision=given["revision"], command=form.command, text=given["text"], actor=who, now=timezone.now(),
            identifier=given["identifier"], department_uid=receiver.uid if receiver else None,
        )  # fmt: skip
        state, next_one = done.get_state_display(), ball(done)
        told = _("现为“%(state)s”，下一步由%(who)s办理。") if next_one else _("现为“%(state)s”，报告人已收到通知。")
        messages.success(request, told % {"state": state, "who": next_one})
        return BACK if form.command is Command.HAND_OVER else request.path

    shows_code = who.department_id == found.department_id
    mask = Mask.CITIZEN_ID if found.holder_code_type == PERSON else Mask.NONE
    context: dict[str, Any] = {
        "report": found,
        "holder_code": found.holder_code if shows_code else mask_value(mask, found.holder_code),
        "ball": ball(found),
        "steps": steps_of(found),
        "commands": [(command, COMMAND_TITLES[command]) for command in commands],
        "joined_count": found.joined.count(),
    }
    return save(request, form, act, "portal/missing_licenses/detail.html", **context)


def ball(report: MissingReport) -> str:
    """Who has the ball, in words; nothing when the report is closed."""
    desk = DESKS.get(report.state)
    return f"{report.department.short_name} · {PARTY_TITLES[desk]}" if desk else ""


def steps_of(report: MissingReport) -> list[Step]:
    """Return what was done and who has the ball, as the timeline shows it."""
    titles = {reports.REPORT: _("提交报告"), **{command.value: str(title) for command, title in COMMAND_TITLES.items()}}
    done = [
        Step(
            titles[step.command],
            ENDED.get(MissingState(step.state), "done"),
            f"{step.department_name} {step.actor_name}",
            step.at,
            note=step.note,
        )
        for step in report.steps.all()
    ]
    if report.state in DESKS:
        done.append(Step(report.get_state_display(), "current", ball(report), due_at=report.due_at))
    return done
