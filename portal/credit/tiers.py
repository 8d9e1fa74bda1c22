"""Tiers of repair (信用修复规则): all versions with their citation, and a new version of one from a day on."""

from __future__ import annotations

from dataclasses import fields

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.credit import records, tier_versions
from basedb.credit.tier_versions import Terms
from basedb.models import CreditTier
from core.calendar import today_in_shanghai
from core.errors import NotFound
from core.roles import Role
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, save, words
from portal.credit.forms import TierForm


@require_GET
@roles_required(*SEERS)
def tier_list(request: HttpRequest) -> HttpResponse:
    """All versions of all tiers, those in force marked."""
    today = today_in_shanghai(timezone.now())
    lines = [(tier, today in tier.effective) for tier in CreditTier.objects.order_by("code", "-effective")]
    context = {"lines": lines, "may_change": records.is_window(actor(request))}
    return render(request, "portal/credit/tiers.html", context)


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def change(request: HttpRequest, code: str) -> HttpResponse:
    """A new version of a tier; the form starts with what is in force."""
    tier = CreditTier.objects.filter(code=code, effective__upper_inf=True).first()
    if tier is None:
        raise NotFound("credit_tier.not_found", _("没有这个失信程度。"))
    names = [field.name for field in fields(Terms)]
    form = TierForm(request.POST or None, initial={name: getattr(tier, name) for name in names})

    def act() -> str:
        given = form.cleaned_data
        tier_versions.change(
            code=code,
            terms=Terms(**{name: given[name] for name in names}),
            citation=given["citation"],
            effective_from=given["effective_from"],
            actor=actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("新版本已登记，自 %(day)s 起施行。") % {"day": given["effective_from"]})
        return reverse("portal:credit-tier-list")

    lead = _("新版本施行之日，现行版本自动终止；已经办理的修复仍按当时的规则。")
    title = _("调整信用修复规则：%(name)s") % {"name": tier.name}
    return save(request, form, act, **words(title, lead, reverse("portal:credit-tier-list"), _("登记")))
