"""Usage records: what a grant owes, its records with their corrections, and inspections."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.errors import Forbidden, NotFound
from core.keyset import page
from core.roles import Role
from core.working_days import calendar
from exchange.care import usage_records
from exchange.models import Grant, UsageInspection, UsageRecord
from exchange.querysets import grants_visible_to, seats_on_grant
from exchange.requests.workflow import Seat
from portal.actor import actor, roles_required
from portal.care.forms import CorrectionForm, InspectionForm, UsageForm
from portal.care.pages import SEERS, created, save, words
from portal.grants.access import visible

INSPECTORS = frozenset({Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD, Seat.DATA_CENTRE})


@require_GET
@roles_required(*SEERS)
def usage_list(request: HttpRequest) -> HttpResponse:
    """The grants that owe a record of the last quarter, and one page of the records one may see."""
    who = actor(request)
    quarter = usage_records.quarter_before(timezone.localdate())
    owing = usage_records.owing(quarter).filter(pk__in=grants_visible_to(who)).select_related("resource", "system__department")
    found = page(usage_records.usage_visible_to(who), order=("-id",), cursor=request.GET.get("after", ""))
    context = {
        "page": found,
        "owing": owing.order_by("id")[:50],
        "quarter": quarter,
        "due_at": usage_records.due_on(quarter, calendar()),
    }
    return render(request, "portal/care/usage_list.html", context)


@require_GET
@roles_required(*SEERS)
def of_grant(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Everything written down about the use of one grant."""
    grant = visible(request, uid)
    records = UsageRecord.objects.filter(grant=grant)
    found = page(records.select_related("corrects"), order=("-id",), cursor=request.GET.get("after", ""))
    seats = seats_on_grant(actor(request), grant)
    context = {
        "grant": grant,
        "page": found,
        "inspections": UsageInspection.objects.filter(grant=grant),
        "may_record": Seat.REQUESTER_OPERATOR in seats,
        "may_inspect": bool(INSPECTORS & seats),
        "corrected": set(records.exclude(corrects=None).values_list("corrects_id", flat=True)),
    }
    return render(request, "portal/care/usage.html", context)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Write down the use of a period."""
    who, grant = actor(request), visible(request, uid)
    _only(grant, Seat.REQUESTER_OPERATOR in seats_on_grant(who, grant), _("使用记录由使用方经办人登记。"))
    quarter = usage_records.quarter_before(timezone.localdate())
    form = UsageForm(request.POST or None, initial={"first_day": quarter, "scenario": grant.access_request.scenario})

    def act() -> str:
        created(request, form, lambda: usage_records.record(grant_uid=uid, usage=form.usage(), actor=who, now=timezone.now()))
        messages.success(request, _("使用记录已登记。提供方和数据中心可以查看和检查。"))
        return f"/grants/{uid}/usage/"

    lead = _("按国务院令第809号第二十九条登记，至少保存三年，登记后不能修改，有误的另行更正。")
    return save(request, form, act, **words(_("登记使用记录"), lead, f"/grants/{uid}/usage/", _("登记")))


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def correct(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a record right by a new one."""
    who = actor(request)
    first = usage_records.usage_visible_to(who).filter(uid=uid).first()
    if first is None:
        raise NotFound("usage.not_found", _("没有这条使用记录，或您无权查看。"))
    _only(first.grant, Seat.REQUESTER_OPERATOR in seats_on_grant(who, first.grant), _("使用记录由使用方经办人登记。"))
    names = ("first_day", "last_day", *usage_records.LONGEST)
    form = CorrectionForm(request.POST or None, initial={name: getattr(first, name) for name in names})
    back = f"/grants/{first.grant.uid}/usage/"

    def act() -> str:
        reason = form.cleaned_data["correction_reason"]
        created(
            request,
            form,
            lambda: usage_records.correct(record_uid=uid, usage=form.usage(), reason=reason, actor=who, now=timezone.now()),
        )
        messages.success(request, _("更正已登记，原记录保留。"))
        return back

    return save(request, form, act, **words(_("更正使用记录"), _("原记录保留，更正另存一条并写明原因。"), back, _("登记更正")))


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def inspect(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Write down what an inspection found."""
    who, grant = actor(request), visible(request, uid)
    _only(grant, bool(INSPECTORS & seats_on_grant(who, grant)), _("使用情况由数据提供方和数据中心检查。"))
    form = InspectionForm(request.POST or None)

    def act() -> str:
        given = {name: form.cleaned_data[name] for name in ("findings", "put_right_by")}
        created(request, form, lambda: usage_records.inspect(grant_uid=uid, actor=who, now=timezone.now(), **given))
        messages.success(request, _("检查情况已登记，使用方已收到通知。"))
        return f"/grants/{uid}/usage/"

    lead = _("提供方和数据中心都可以检查使用情况；写明限期整改的，使用方须在期限前重新登记使用记录。")
    return save(request, form, act, **words(_("登记使用检查"), lead, f"/grants/{uid}/usage/", _("登记")))


def _only(grant: Grant, is_let_in: bool, text: str) -> None:  # read as a sentence where it is called
    if not is_let_in:
        raise Forbidden("usage.not_yours", text)
