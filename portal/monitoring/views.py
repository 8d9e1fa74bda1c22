"""Op-monitoring (运行监测): calls by service and consumer, failures by side, durations, sizes, and how requests get on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from catalog.models import SharingMode
from core.calendar import SHANGHAI
from core.models import Department
from core.roles import Role
from exchange.models import Grain
from exchange.statistics import periods
from exchange.statistics.figures import CallScope, Figures, Tally, figures
from exchange.statistics.funnel import Stage, funnel, late_answers
from exchange.statistics.names import Names, names_of
from exchange.statistics.periods import Period
from exchange.statistics.sides import Side
from portal.actor import BUSINESS, actor, roles_required
from portal.calls.words import outcome_title
from portal.forms import FilterForm
from portal.monitoring import charts

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
LINES_SHOWN = 50
USUAL = "7"
PERIODS = {
    periods.HOUR: gettext_lazy("最近一小时"),
    periods.DAY: gettext_lazy("最近 24 小时"),
    "7": gettext_lazy("最近 7 天"),
    "30": gettext_lazy("最近 30 天"),
    "90": gettext_lazy("最近 90 天"),
    "365": gettext_lazy("最近一年"),
}
SIDES = {
    Side.CREDENTIAL: gettext_lazy("调用方凭证"),
    Side.GRANT: gettext_lazy("授权"),
    Side.QUOTA: gettext_lazy("调用量限制"),
    Side.QUESTION: gettext_lazy("请求内容"),
    Side.PROVIDER: gettext_lazy("提供方"),
    Side.UPSTREAM: gettext_lazy("上级接口"),
    Side.PLATFORM: gettext_lazy("平台"),
}
STAGES = {
    "submitted": gettext_lazy("已提交"),
    "endorsed": gettext_lazy("本部门同意"),
    "cleared": gettext_lazy("提供方同意"),
    "approved": gettext_lazy("已授权"),
    "called": gettext_lazy("已首次调用"),
}
LABELS = {Grain.MINUTE: "%H:%M", Grain.HOUR: "%m-%d %H:00", Grain.DAY: "%m-%d"}


class MonitoringForm(FilterForm):
    """Which calls are counted; without a period the last seven days."""

    period = forms.ChoiceField(label=gettext_lazy("时段"), choices=[*PERIODS.items()])
    day_from = forms.DateField(label=gettext_lazy("开始日期"), widget=forms.DateInput())
    day_to = forms.DateField(label=gettext_lazy("结束日期"), widget=forms.DateInput())
    department = forms.ModelChoiceField(
        label=gettext_lazy("部门"), queryset=Department.objects.filter(valid_to=None), to_field_name="uid"
    )
    mode = forms.ChoiceField(label=gettext_lazy("方式"), choices=[("", gettext_lazy("全部")), *SharingMode.choices])
    resource = forms.UUIDField(widget=forms.HiddenInput)
    system = forms.UUIDField(widget=forms.HiddenInput)
    grant = forms.UUIDField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Keep days in order and bounded; both are needed, or none."""
        cleaned = super().clean()
        first, last = cleaned.get("day_from"), cleaned.get("day_to")
        if bool(first) != bool(last):
            raise ValidationError(_("开始日期和结束日期须同时填写；都不填时按时段统计。"))
        if first and last and not 0 <= (last - first).days <= periods.LONGEST_SPAN_DAYS:
            days = periods.LONGEST_SPAN_DAYS
            raise ValidationError(_("结束日期应不早于开始日期，且一次最多查看 %(days)s 天。") % {"days": days})
        return cleaned

    def scope(self, now: Any) -> CallScope:
        """Return what was chosen."""
        chosen = self.chosen()
        first, last = chosen.pop("day_from", None), chosen.pop("day_to", None)
        name = chosen.pop("period", USUAL)
        department = chosen.pop("department", None)
        period = periods.of_days(first, last) if first and last else periods.named(name, now)
        return CallScope(period, department=department and department.uid, **chosen)


@require_GET
@roles_required(*SEERS)
def overview(request: HttpRequest) -> HttpResponse:
    """One page of figures; they are those of this moment."""
    form = MonitoringForm(request.GET if request.GET else {"period": USUAL})
    now, who = timezone.now(), actor(request)
    if form.errors:
        return render(request, "portal/monitoring/overview.html", {"form": form}, status=422)
    scope = form.scope(now)
    found = figures(actor=who, scope=scope)
    context = {"form": form, "found": found, "as_of": now, "narrowed": bool(scope.resource or scope.system or scope.grant)}
    context |= _calls(found, names_of(found)) | _requests(funnel(actor=who, period=scope.period))
    context["late"] = late_answers(actor=who, period=scope.period, now=now)
    return render(request, "portal/monitoring/overview.html", context)


def _calls(found: Figures, names: Names) -> dict[str, Any]:
    services = [
        (names.resources.get(resource) or _("未识别的授权"), names.departments.get(provider, "—"), tally)
        for (resource, provider), tally in found.services.items()
        if tally.calls
    ]
    consumers = [
        (names.departments.get(department, "—"), names.systems.get(system, "—"), tally)
        for (department, system), tally in found.consumers.items()
        if tally.calls
    ]
    flows = sorted(
        (
            (names.departments.get(provider, "—"), names.departments.get(consumer, "—"), calls)
            for (provider, consumer), calls in found.flows.items()
        ),
        key=lambda line: -line[2],
    )
    steps = _steps(found)
    return {
        "total": found.total,
        "latency": found.total.latency,
        "success": _share(found.total),
        "sides": [(label, found.sides().get(side, 0)) for side, label in SIDES.items()],
        "outcomes": sorted(((outcome_title(code), code, n) for code, n in found.outcomes.items()), key=lambda line: -line[2]),
        "services": services[:LINES_SHOWN],
        "consumers": consumers[:LINES_SHOWN],
        "flows": flows[:LINES_SHOWN],
        "steps": steps,
        "heat_rows": [
            (day, [found.heat.get((number, hour), 0) for hour in range(24)])
            for number, day in enumerate(charts.weekdays(), start=1)
        ],
        "hours": range(24),
        "trend_chart": charts.trend([s[0] for s in steps], [s[1] for s in steps], [s[2] for s in steps]),
        "heat_chart": charts.heat(found.heat),
        "side_chart": charts.bars([(str(label), found.sides().get(side, 0)) for side, label in SIDES.items()]),
        "consumer_chart": charts.bars([(f"{department} · {system}", tally.calls) for department, system, tally in consumers]),
        "flow_chart": charts.flows(flows),
    }


def _steps(found: Figures) -> list[tuple[str, int, int]]:
    period: Period = found.scope.period
    form = LABELS[period.grain]
    return [(f"{at.astimezone(SHANGHAI):{form}}", *found.trend.get(at, (0, 0))) for at in period.steps()]


def _share(total: Tally) -> str:
    return f"{100 * total.answered / total.calls:.1f}%" if total.calls else "—"


def _requests(stages: list[Stage]) -> dict[str, Any]:
    return {
        "stages": [(STAGES[stage.name], stage) for stage in stages],
        "funnel_chart": charts.funnel([(str(STAGES[stage.name]), stage.count) for stage in stages]),
        "has_requests": any(stage.count for stage in stages),
    }
