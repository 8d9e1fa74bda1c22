"""Rules of authority: all versions with their law, and a new one with a preview of what it would change."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from basedb.dictionary import PERSON, Dataset
from basedb.fusion import rule_versions
from core.errors import Invalid, NotFound
from core.submissions import digest_of, once
from core.texts import listed
from portal.actor import actor, roles_required, user_of
from portal.fusion.forms import RuleFilter, RuleForm, collector_title


def _dataset(request: HttpRequest) -> Dataset:
    code = request.GET.get("dataset") or PERSON.code
    known = rule_versions.masters().get(code)
    if known is None:
        raise NotFound("dataset.not_found", _("没有这个数据集，或它不做融合。"))
    return known


@require_GET
@roles_required(*rule_versions.SEERS)
def rule_list(request: HttpRequest) -> HttpResponse:
    """All versions of a dataset's rules, field by field; a field without one follows its lead collector."""
    dataset, now = _dataset(request), timezone.now()
    rows = list(rule_versions.versions(dataset.code))
    lines = []
    for field in dataset.fields:
        of_field = [row for row in rows if row.field == field.name]
        shown = [(row, listed(map(collector_title, row.collectors)), now in row.effective) for row in of_field]
        lines.append((field, collector_title(field.source), shown))
    context = {
        "form": RuleFilter({"dataset": dataset.code}),
        "dataset": dataset,
        "lines": lines,
        "may_add": actor(request).has(*rule_versions.KEEPERS),
    }
    return render(request, "portal/fusion/rules.html", context)


@require_http_methods(["GET", "POST"])
@roles_required(*rule_versions.KEEPERS)
def new(request: HttpRequest) -> HttpResponse:
    """Add a version of a rule; counting comes before."""
    dataset, who, now = _dataset(request), actor(request), timezone.now()
    form = RuleForm(request.POST or None, dataset=dataset.code)
    counted = None
    if request.method == "POST" and form.is_valid():
        try:
            if form.pressed == "preview":
                counted = rule_versions.preview(proposal=form.proposal(), actor=who, now=now)
            else:
                _add(request, form)
                messages.success(request, _("新规则已登记，生效时自动重新取值。"))
                return redirect(f"{reverse('portal:authority-rule-list')}?dataset={dataset.code}")
        except Invalid as error:
            form.add_domain_error(error)
    context = {"form": form, "dataset": dataset, "counted": counted}
    status = 200 if counted is not None or request.method == "GET" else form.status
    return render(request, "portal/fusion/rule.html", context, status=status)


def _add(request: HttpRequest, form: RuleForm) -> None:
    values = {name: value for name, value in form.cleaned_data.items() if name != "submission"} | {"dataset": form.dataset}
    once(
        owner=f"user:{user_of(request).pk}",
        token=form.cleaned_data["submission"],
        digest=digest_of(values),
        make=lambda: str(rule_versions.add(proposal=form.proposal(), actor=actor(request), now=timezone.now()).uid),
    )
