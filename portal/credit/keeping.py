"""What the window of credit keeps: versions of the catalogue, shields; and the chart of timeliness."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb.credit import catalog as catalogues
from basedb.credit import records, standing, timeliness
from basedb.dictionary import DATASETS
from basedb.identifiers import normalize_uscc, uscc_valid
from basedb.models import CreditCatalogVersion
from core.calendar import today_in_shanghai
from core.errors import Invalid
from core.keyset import page
from core.roles import Role
from exchange.subject_keys import subject_key_of
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, created, save, words
from portal.credit.forms import CatalogForm, ShieldForm, SpanFilter
from portal.monitoring.charts import GREEN, RED

KEEPERS = (Role.REVIEWER, Role.AUDIT_ADMINISTRATOR)
USUAL_SPAN = timedelta(days=90)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def catalog(request: HttpRequest) -> HttpResponse:
    """The versions with their items; the window loads a new version."""
    form = CatalogForm(request.POST or None, request.FILES or None)

    def act() -> str:
        content = form.cleaned_data["file"].read(catalogues.LARGEST + 1)
        made = catalogues.load_version(content=content, actor=actor(request), now=timezone.now())
        told = _("已载入《%(title)s》，自 %(day)s 起按新目录归集。")
        messages.success(request, told % {"title": made.title, "day": made.effective.lower})
        return request.path

    versions = [
        (version, [(item, DATASETS[item.dataset].title) for item in version.items.all()])
        for version in CreditCatalogVersion.objects.prefetch_related("items")
    ]
    context = {"versions": versions, "may_load": records.is_window(actor(request))}
    return save(request, form, act, "portal/credit/catalog.html", **context)


@require_GET
@roles_required(*SEERS)
def timeliness_page(request: HttpRequest) -> HttpResponse:
    """How many decisions each department published within seven working days."""
    form = SpanFilter(request.GET)
    today = today_in_shanghai(timezone.now())
    first, last = form.span(first=today - USUAL_SPAN, last=today)
    last = min(last, today)
    if is_too_long := last - first > timeliness.LONGEST:
        form.add_error("first_day", _("一次最多统计 %(days)s 天，请缩短时间段。") % {"days": timeliness.LONGEST.days})
    is_empty = is_too_long or last < first
    lines = [] if is_empty else timeliness.by_department(actor=actor(request), first_day=first, until=last)
    context = {
        "form": form,
        "lines": [(line, DATASETS[line.dataset].title) for line in lines],
        "chart": _chart(lines),
        "first": first,
        "last": last,
    }
    return render(request, "portal/credit/timeliness.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*KEEPERS)
def shield_list(request: HttpRequest) -> HttpResponse:
    """The shields, the newest first."""
    found = page(standing.shields_visible_to(actor(request)), order=("-id",), cursor=request.GET.get("after", ""))
    today = today_in_shanghai(timezone.now())
    lines = [(one, _last_day(one), not one.period.isempty and (one.period.upper or today) > today) for one in found.items]
    return render(request, "portal/credit/shields.html", {"page": found, "lines": lines, "may": records.is_window(actor(request))})


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@roles_required(Role.REVIEWER)
def place_shield(request: HttpRequest) -> HttpResponse:
    """Shield an entity."""
    form = ShieldForm(request.POST or None)

    def act() -> str:
        given = {name: form.cleaned_data[name] for name in ("court", "case_number", "first_day", "last_day")}
        code = normalize_uscc(form.cleaned_data["code"])
        key = subject_key_of(code) if uscc_valid(code) else None
        if key is None:
            text = _("统一社会信用代码的形式或校验位不正确。")
            raise Invalid("shield.code", text, {"code": [text]})
        created(request, form, lambda: standing.shield(subject_key=key, actor=actor(request), now=timezone.now(), **given))
        messages.success(request, _("屏蔽已登记，屏蔽期内该主体的信用记录不再公示。"))
        return "/credit/shields/"

    lead = _("法院裁定批准重整计划或认可和解协议后，屏蔽期内不公示该主体的信用记录；期满自动恢复。")
    return save(request, form, act, **words(_("临时屏蔽"), lead, "/credit/shields/", _("登记")))


@require_POST
@roles_required(Role.REVIEWER)
def end_shield(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a shield today."""
    standing.end_shield(uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("屏蔽已解除，记录从今天起恢复公示。"))
    return redirect("portal:credit-shield-list")


def _last_day(shield: Any) -> Any:
    return shield.period.upper - timedelta(days=1) if shield.period.upper else None


def _chart(lines: list[timeliness.Timeliness]) -> dict[str, Any]:
    """In time and late by department, both kinds together."""
    totals: dict[str, list[int]] = {}
    for line in lines:
        total = totals.setdefault(line.department, [0, 0])
        total[0] += line.in_time
        total[1] += line.late
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0},
        "grid": {"left": 8, "right": 32, "top": 32, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "inverse": True, "data": list(totals), "axisLabel": {"width": 140, "overflow": "break"}},
        "series": [
            {"name": _("按时公示"), "type": "bar", "stack": "all", "color": GREEN, "data": [t[0] for t in totals.values()]},
            {"name": _("超期公示"), "type": "bar", "stack": "all", "color": RED, "data": [t[1] for t in totals.values()]},
        ],
    }
