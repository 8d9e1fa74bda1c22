"""Views of a case: asking for an extension and consenting to it, supervision notices and replies, and the list of notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError, NotFound
from core.keyset import page
from core.roles import Role
from exchange.models import AccessRequest, ClockExtension, SupervisionNotice
from exchange.querysets import access_requests_visible_to, is_reviewer
from exchange.requests import extensions, lateness, supervision
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import PortalForm
from portal.requests.case import ConsentForm, ExtensionForm, NoticeForm, ReplyForm
from portal.requests.views import detail_page, visible

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
YEAR = timedelta(days=365)
TABS = (("open", gettext_lazy("待回复")), ("replied", gettext_lazy("已回复")), ("all", gettext_lazy("全部")))


@require_POST
@roles_required(*SEERS)
def ask_extension(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask for more days for an answer."""
    visible(request, uid)
    form = ExtensionForm(request.POST)

    def do() -> None:
        given = form.cleaned_data
        extensions.ask(request_uid=uid, days=given["days"], reason=given["reason"], actor=actor(request), now=timezone.now())

    return _done(request, uid, form, do, _("延期申请已报数据中心，同意前时限不变。"))


@require_POST
@roles_required(*SEERS)
def decide_extension(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Consent to an extension or refuse it."""
    request_uid = _request_of(request, ClockExtension.objects.filter(uid=uid).values_list("access_request__uid", flat=True).first())
    form = ConsentForm(request.POST)
    consent = form.pressed == "consent"

    def do() -> None:
        reason = form.cleaned_data["reason"]
        extensions.decide(extension_uid=uid, consent=consent, reason=reason, actor=actor(request), now=timezone.now())

    text = _("已同意延期，时限已顺延并告知申请方。") if consent else _("未同意延期，时限不变，已告知办理岗位。")
    return _done(request, request_uid, form, do, text)


@require_POST
@roles_required(*SEERS)
def issue_notice(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Issue a supervision notice."""
    visible(request, uid)
    form = NoticeForm(request.POST)

    def do() -> None:
        supervision.issue_notice(request_uid=uid, text=form.cleaned_data["text"], actor=actor(request), now=timezone.now())

    return _done(request, uid, form, do, _("督办已发出，办理岗位须回复。"))


@require_POST
@roles_required(*SEERS)
def reply_notice(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Reply to a supervision notice."""
    found = SupervisionNotice.objects.filter(uid=uid).values_list("access_request__uid", flat=True).first()
    request_uid = _request_of(request, found)
    form = ReplyForm(request.POST)

    def do() -> None:
        supervision.reply(notice_uid=uid, text=form.cleaned_data["text"], actor=actor(request), now=timezone.now())

    return _done(request, request_uid, form, do, _("已回复督办，数据中心已收到。"))


@require_GET
@roles_required(*SEERS)
def notice_list(request: HttpRequest) -> HttpResponse:
    """The supervision notices one may see, and for the centre who was late how often within a year."""
    who, now = actor(request), timezone.now()
    tab = request.GET.get("tab", "open")
    tab = tab if tab in dict(TABS) else "open"
    rows = supervision.notices_visible_to(who)
    if tab != "all":
        rows = rows.filter(replied_at__isnull=tab == "open")
    is_overseer = is_reviewer(who) or who.has(Role.AUDIT_ADMINISTRATOR)
    late = lateness.by_department(since=now - YEAR, until=now, now=now) if is_overseer else []
    context = {
        "page": page(rows, order=("-id",), cursor=request.GET.get("after", "")),
        "tabs": TABS,
        "tab": tab,
        "late": late,
        "option": _bars(late),
    }
    return render(request, "portal/requests/supervision.html", context)


def _bars(late: list[lateness.Lateness]) -> dict[str, Any]:
    shown = late[:20]
    series = ((_("逾期答复"), "late_answers"), (_("逾期未答复"), "owed_answers"), (_("逾期办理环节"), "late_steps"))
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 8, "right": 16, "top": 8, "bottom": 40, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "inverse": True, "data": [line.department.short_name for line in shown]},
        "series": [
            {"name": title, "type": "bar", "barMaxWidth": 24, "data": [getattr(line, name) for line in shown]}
            for title, name in series
        ],
    }


def _request_of(request: HttpRequest, uid: UUID | None) -> UUID:
    if uid is None or not access_requests_visible_to(actor(request)).filter(uid=uid).exists():
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return uid


def _done(request: HttpRequest, uid: UUID, form: PortalForm, do: Callable[[], None], text: str) -> HttpResponse:
    """Carry a command out and return to the request; a form that is refused is shown again in its place."""
    if form.is_valid():
        try:
            do()
        except DomainError as error:
            if error.status != 422:
                raise
            form.add_domain_error(error)
        else:
            messages.success(request, text)
            return redirect("portal:request-detail", uid=uid)
    access_request: AccessRequest = visible(request, uid)
    return detail_page(request, access_request, bound={str(form.prefix): form})
