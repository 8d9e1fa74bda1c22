"""The holder's side of missing licenses: reporting the own license from the phone, what became of it, withdrawing."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict, DomainError, Forbidden, Invalid
from core.submissions import digest_of, once
from licenses import subject_keys
from licenses.models import MissingState
from licenses.presenting.holders import name_of
from licenses.presenting.sessions import Session
from licenses.reissue import checking, reports
from portal.holder.session import actor_of, for_holder, shown_name
from portal.missing_licenses.forms import HolderReportForm

SHOWN = 20
WITHDRAWABLE = (MissingState.REPORTED, MissingState.CHECKING)


@sensitive_post_parameters("holder_code")
@require_http_methods(["GET", "POST"])
@for_holder
def report(request: HttpRequest, session: Session) -> HttpResponse:
    """Report an own license that is missing, lost or wrong; what was reported before stands beneath."""
    _refuse_agents(session)
    form = HolderReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _report(request, session, form)
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("报告已提交，颁发部门核查档案后在本页答复。"))
            return redirect("portal:holder-missing")
    found = reports.reports_of(session.subject_key)[:SHOWN]
    context = {
        "session": session,
        "holder": shown_name(session),
        "section": "missing",
        "form": form,
        "lines": [(line, line.is_by_holder and line.state in WITHDRAWABLE) for line in found],
    }
    return render(request, "portal/missing_licenses/holder.html", context, status=form.status if request.method == "POST" else 200)


@require_POST
@for_holder
def withdraw(request: HttpRequest, session: Session, uid: UUID) -> HttpResponse:
    """Withdraw an own report."""
    _refuse_agents(session)
    checking.withdraw_by_holder(uid=uid, subject_key=session.subject_key, now=timezone.now())
    messages.success(request, _("报告已撤回。"))
    return redirect("portal:holder-missing")


def _refuse_agents(session: Session) -> None:
    if session.agent_id is not None:
        raise Forbidden("missing.not_agent", _("缺失证照由本人或法定代表人报告，代办人不能报告。"))


def _report(request: HttpRequest, session: Session, form: HolderReportForm) -> None:
    """Report once, whatever is tapped twice; the code that is typed must be the session's own."""
    given = {name: value for name, value in form.cleaned_data.items() if name != "submission"}
    found = subject_keys.key_of(given["holder_code"])
    if found is None or found[1] != session.subject_key:
        text = _("与登录的身份不符，请填写您本人（本企业）的号码。")
        raise Invalid("missing.not_own", text, {"holder_code": [text]})
    name = name_of(session.subject_key, session.subject_kind)
    actor, now = actor_of(request, session), timezone.now()

    def make() -> str:
        made = reports.report_missing(**given, holder_name=name, is_by_holder=True, actor=actor, now=now)
        return str(made.uid)

    try:
        once(owner=f"holder:{session.uid.hex}", token=form.cleaned_data["submission"], digest=digest_of(given), make=make)
    except DomainError as error:
        if error.code == "submission.reused":
            form.renew()
        raise
