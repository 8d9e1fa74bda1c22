"""Alerts: the list, one alert with what is usual beside today's use, and what is done about it."""

from __future__ import annotations

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
from exchange.care import alerts
from exchange.care.unusual_use import HABIT_DAYS
from exchange.models import Alert
from exchange.models.alert import UNSETTLED
from exchange.statistics import periods
from exchange.statistics.figures import CallScope, per_day
from portal.actor import actor, roles_required
from portal.calls.words import outcome_title
from portal.care.forms import AlertFilter, HandleForm
from portal.care.pages import SEERS
from portal.monitoring import charts

EVIDENCE = {
    "rows": gettext_lazy("行数"),
    "copies": gettext_lazy("复制次数"),
    "broken_off": gettext_lazy("中途断开次数"),
    "asked": gettext_lazy("查询次数"),
    "missed": gettext_lazy("查无此人或号码无效"),
    "subjects": gettext_lazy("不同对象数"),
    "invalid": gettext_lazy("请求有误"),
    "calls": gettext_lazy("今日调用次数"),
    "usual_calls": gettext_lazy("平时每日调用次数"),
    "usual_rows": gettext_lazy("平时每日行数"),
    "refused": gettext_lazy("拒绝次数"),
}


@require_GET
@roles_required(*SEERS)
def alert_list(request: HttpRequest) -> HttpResponse:
    """The alerts one may see, the newest first."""
    form, who = AlertFilter(request.GET), actor(request)
    rows = alerts.alerts_visible_to(who).filter(**form.chosen())
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    waiting = alerts.alerts_visible_to(who).filter(state__in=UNSETTLED).count()
    context = {"form": form, "page": found, "waiting": waiting}
    return render(request, "portal/care/alerts.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One alert."""
    return _page(request, _visible(request, uid))


@require_POST
@roles_required(*SEERS)
def handle(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Dismiss an alert, suspend its grant, or say that it is looked into."""
    form, who, now = HandleForm(request.POST), actor(request), timezone.now()
    if not form.is_valid():
        return _page(request, _visible(request, uid), form)
    given = form.cleaned_data
    try:
        if form.pressed == "suspend":
            alerts.suspend(alert_uid=uid, reason=given["reason"], put_right_by=given["put_right_by"], actor=who, now=now)
            messages.success(request, _("授权已暂停，下一次调用即被拒绝，双方部门已收到通知。整改完毕后在授权页恢复。"))
        elif form.pressed == "acknowledge":
            alerts.acknowledge(alert_uid=uid, actor=who, now=now)
            messages.success(request, _("已记为核查中，同事会看到由您核查。"))
        else:
            alerts.dismiss(alert_uid=uid, reason=given["reason"], actor=who, now=now)
            messages.success(request, _("告警已排除。一天内用量再翻倍时会重新告警。"))
    except DomainError as error:
        if error.status != 422:
            raise
        form.add_domain_error(error)
        return _page(request, _visible(request, uid), form)
    return redirect("portal:alert-detail", uid=uid)


def _visible(request: HttpRequest, uid: UUID) -> Alert:
    found = alerts.alerts_visible_to(actor(request)).filter(uid=uid).first()
    if found is None:
        raise NotFound("alert.not_found", _("没有这条告警，或您无权查看。"))
    return found


def _page(request: HttpRequest, alert: Alert, form: HandleForm | None = None) -> HttpResponse:
    who, now = actor(request), timezone.now()
    context: dict[str, Any] = {
        "alert": alert,
        "evidence": [(EVIDENCE.get(name) or outcome_title(name), count) for name, count in alert.evidence.items()],
        "may_handle": alerts.may_handle(alert, who) and alert.state in UNSETTLED,
        "form": form or HandleForm(initial={"put_right_by": alerts.usual_day(now)}),
    }
    if alert.grant is not None:
        scope = CallScope(periods.last_days(HABIT_DAYS + 1, now), grant=alert.grant.uid)
        days = per_day(actor=who, scope=scope)
        labels = [f"{day.on:%m-%d}" for day in days]
        context["days"] = days
        context["option"] = charts.trend(labels, [day.answered for day in days], [day.refused for day in days])
    return render(request, "portal/care/alert.html", context, status=form.status if form is not None else 200)
