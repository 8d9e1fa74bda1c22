"""The rules: the list, changing one, adding one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.dictionary import DATASETS
from basedb.models import QualityRule
from basedb.quality import rulebook
from basedb.quality.measures import MEASURES
from core.errors import Conflict, Invalid
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from portal.actor import actor, roles_required
from portal.quality.forms import DatasetFilter, NewRuleForm, RuleForm
from portal.quality.views import SEERS, field_title, title_of

FIRST = {"warn_below": 99, "fail_below": 95, "weight": 1, "is_active": True}


@require_GET
@roles_required(*SEERS)
def rule_list(request: HttpRequest) -> HttpResponse:
    """The rules in force."""
    form = DatasetFilter(request.GET)
    rules = QualityRule.objects.filter(retired_at=None, **form.chosen())
    found = page(rules, order=("dataset", "code", "id"), cursor=request.GET.get("after", ""), size=50)
    lines = [
        {"rule": rule, "title": title_of(rule.dataset), "field": field_title(rule.dataset, rule.field)} for rule in found.items
    ]
    context = {"form": form, "page": found, "lines": lines, "may_change": actor(request).has(Role.REVIEWER)}
    return render(request, "portal/quality/rules.html", context)


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def add(request: HttpRequest) -> HttpResponse:
    """A rule of a new code."""
    form = NewRuleForm(request.POST or None, initial=FIRST | {"dataset": request.GET.get("dataset", "")})
    if request.method == "POST" and form.is_valid() and _save(request, form, None):
        messages.success(request, _("规则已生效，下次检查时执行。"))
        return redirect("portal:quality-rule-list")
    return _page(request, form, None)


@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The next version of a rule."""
    rule = rulebook.current_rule(uid)
    form = RuleForm(request.POST or None, initial=RuleForm.initial_of(rule))
    if request.method == "POST" and form.is_valid() and _save(request, form, rule):
        messages.success(request, _("新版本已生效，以前的检查结果仍按原版本解释。"))
        return redirect("portal:quality-rule-list")
    return _page(request, form, rule)


def _save(request: HttpRequest, form: RuleForm, rule: QualityRule | None) -> bool:
    """Write the rule once; return whether it was taken."""
    who, now = actor(request), timezone.now()

    def make() -> str:
        if rule is not None:
            return str(rulebook.change_rule(uid=rule.uid, actor=who, now=now, **form.rule()).uid)
        named = {name: form.cleaned_data[name] for name in ("dataset", "code")}
        return str(rulebook.add_rule(actor=who, now=now, **named, **form.rule()).uid)

    digest = digest_of({name: str(value) for name, value in form.cleaned_data.items() if name != "submission"})
    try:
        once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
    except (Conflict, Invalid) as error:
        form.add_domain_error(error)
        return False
    return True


def _page(request: HttpRequest, form: RuleForm, rule: QualityRule | None) -> HttpResponse:
    dataset = DATASETS.get(rule.dataset if rule else str(form["dataset"].value() or ""))
    context = {"form": form, "rule": rule, "dataset": dataset, "measures": sorted(MEASURES)}
    return render(request, "portal/quality/rule.html", context, status=form.status if form.is_bound else 200)
