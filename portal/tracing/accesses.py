"""The window's page "who looked at my data" (谁看过我的数据): asked by POST alone; the identifier is never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog.models import SharingMode
from core.errors import Conflict, Invalid
from exchange import accesses
from exchange.accesses import Check, Question, Reason, Told
from exchange.dossiers.rights import Reason as OpeningReason
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import PortalForm

TEMPLATE = "portal/tracing/accesses.html"


class AccessForm(PortalForm):
    """A first question."""

    citizen_id = forms.CharField(
        label=_("公民身份号码"),
        max_length=18,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text", "spellcheck": "false"}),
        help_text=_("只用于本次查询，不保存、不写入日志。"),
    )
    reason = forms.ChoiceField(label=_("查询事由"), choices=[("", _("请选择")), *Reason.choices])
    applicant_check = forms.ChoiceField(label=_("申请人身份核对"), choices=[("", _("请选择")), *Check.choices])
    number = forms.CharField(label=_("受理编号"), max_length=40, help_text=_("窗口受理单上的编号，用于审计核对。"))


@sensitive_post_parameters("citizen_id")
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def ask(request: HttpRequest) -> HttpResponse:
    """The form, the answer, and its further pages (a signed token stands for the person)."""
    who, now = actor(request), timezone.now()
    if request.method == "POST" and "page" in request.POST:
        return _answer(request, accesses.go_on(token=request.POST["page"], actor=who, now=now))
    form = AccessForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        question = Question(given["citizen_id"], given["reason"], given["applicant_check"], given["number"])
        try:
            return _answer(request, accesses.ask(question=question, actor=who, now=now))
        except Invalid as error:
            renamed = {"check": "applicant_check"}
            details = {renamed.get(name, name): texts for name, texts in error.details.items()}
            form.add_domain_error(Invalid(error.code, error.message, details))
        except Conflict as error:
            form.add_error(None, error.message)
    elif request.method == "GET":
        accesses.check_may_ask(who)
    response = render(request, TEMPLATE, {"form": form}, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, told: Told) -> HttpResponse:
    modes, reasons = dict(SharingMode.choices), dict(OpeningReason.choices)
    context: dict[str, Any] = {
        "told": told,
        "accesses": [(access, modes.get(access.mode, access.mode)) for access in told.accesses],
        "openings": [(opening, reasons.get(opening.reason, opening.reason)) for opening in told.openings],
        "copies": [(copy, modes.get(copy.mode, copy.mode)) for copy in told.copies],
    }
    response = render(request, TEMPLATE, context)
    response["Cache-Control"] = "no-store"
    return response
