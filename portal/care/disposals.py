"""Disposal: what is to be done with the data of grants that have ended, reporting it and confirming it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.errors import NotFound
from core.keyset import page
from exchange.care import disposals
from exchange.models import Disposal
from portal.actor import actor, roles_required
from portal.care.forms import DecisionForm, DisposalFilter, ReportForm
from portal.care.pages import SEERS, save
from portal.forms import PortalForm


@require_GET
@roles_required(*SEERS)
def disposal_list(request: HttpRequest) -> HttpResponse:
    """The disposals one may see, the newest first."""
    form = DisposalFilter(request.GET)
    rows = disposals.disposals_visible_to(actor(request)).filter(**form.chosen())
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    return render(request, "portal/care/disposals.html", {"form": form, "page": found}, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One disposal: who has the ball, and the form for whoever has it."""
    return _page(request, _visible(request, uid), None)


@require_POST
@roles_required(*SEERS)
def report(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Report what became of the data."""
    form = ReportForm(request.POST)

    def act() -> str:
        disposals.report(disposal_uid=uid, actor=actor(request), now=timezone.now(), **form.cleaned_data)
        messages.success(request, _("已报告，转提供方确认。"))
        return f"/disposals/{uid}/"

    return _post(request, uid, form, act)


@require_POST
@roles_required(*SEERS)
def decide(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Confirm a report, or send it back."""
    form = DecisionForm(request.POST)

    def act() -> str:
        do = disposals.confirm if form.pressed == "confirm" else disposals.send_back
        done = do(disposal_uid=uid, opinion=form.cleaned_data["opinion"], actor=actor(request), now=timezone.now())
        messages.success(request, _("现为“%(state)s”，使用方已收到通知。") % {"state": done.get_state_display()})
        return f"/disposals/{uid}/"

    return _post(request, uid, form, act)


def _post(request: HttpRequest, uid: UUID, form: PortalForm, act: object) -> HttpResponse:
    found = _visible(request, uid)
    return save(request, form, act, "portal/care/disposal.html", **_context(request, found, form))  # type: ignore[arg-type]


def _visible(request: HttpRequest, uid: UUID) -> Disposal:
    found = disposals.disposals_visible_to(actor(request)).filter(uid=uid).first()
    if found is None:
        raise NotFound("disposal.not_found", _("没有这项数据处置，或您无权查看。"))
    return found


def _page(request: HttpRequest, found: Disposal, form: PortalForm | None) -> HttpResponse:
    return render(request, "portal/care/disposal.html", _context(request, found, form))


def _context(request: HttpRequest, found: Disposal, form: PortalForm | None) -> dict[str, object]:
    who = actor(request)
    may_report, may_decide = disposals.may_report(found, who), disposals.may_decide(found, who)
    usual: PortalForm = DecisionForm() if may_decide else ReportForm()
    return {"disposal": found, "may_report": may_report, "may_decide": may_decide, "form": form or usual}
