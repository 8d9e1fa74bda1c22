"""Views of the call log: a filtered page with outcomes per day, an export, the trace of one call, counted attempts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from catalog.models import SharingMode
from core import keyset
from core.audit import Actor
from core.errors import Invalid
from core.roles import Role
from exchange import call_attempts, call_log
from exchange.call_log import CallFilter
from exchange.models import CallRecord
from exchange.statistics.figures import Day
from portal.actor import BUSINESS, actor, roles_required
from portal.calls.words import outcome_title
from portal.forms import FilterForm
from portal.requests import words

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
WATCHERS = (Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.REVIEWER)
LONGEST_SPAN_DAYS = 400


class CallFilterForm(FilterForm):
    """What to look for."""

    day_from = forms.DateField(label=gettext_lazy("开始日期"), widget=forms.DateInput())
    day_to = forms.DateField(label=gettext_lazy("结束日期"), widget=forms.DateInput())
    outcome = forms.ChoiceField(
        label=gettext_lazy("结果"),
        choices=[("", gettext_lazy("全部")), ("answered", gettext_lazy("已应答")), ("refused", gettext_lazy("已拒绝"))],
    )
    mode = forms.ChoiceField(label=gettext_lazy("方式"), choices=[("", gettext_lazy("全部")), *SharingMode.choices])
    call = forms.UUIDField(label=gettext_lazy("调用编号"))
    system = forms.UUIDField(widget=forms.HiddenInput)
    resource = forms.UUIDField(widget=forms.HiddenInput)
    grant = forms.UUIDField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Keep the span in order and bounded."""
        cleaned = super().clean()
        first, last = cleaned.get("day_from"), cleaned.get("day_to")
        if first and last and not 0 <= (last - first).days <= LONGEST_SPAN_DAYS:
            raise ValidationError(_("结束日期应不早于开始日期，且一次最多查看 %(days)s 天。") % {"days": LONGEST_SPAN_DAYS})
        if first and not last and (timezone.localdate() - first).days > LONGEST_SPAN_DAYS:
            raise ValidationError(_("一次最多查看 %(days)s 天，请填写结束日期。") % {"days": LONGEST_SPAN_DAYS})
        return cleaned


@require_GET
@roles_required(*SEERS)
def call_list(request: HttpRequest) -> HttpResponse:
    """One page of calls."""
    form = CallFilterForm(request.GET)
    chosen, now = CallFilter(**form.chosen()), timezone.now()
    who = actor(request)
    found: keyset.Page[CallRecord] = keyset.Page([], "", is_first=True)
    lines: list[call_log.CallLine] = []
    if not form.errors:
        found, lines = call_log.read_page(actor=who, chosen=chosen, now=now, cursor=request.GET.get("after", ""))
    days = call_log.outcomes_per_day(who, chosen, now) if found.is_first and not form.errors else []
    first, last = chosen.span(now)
    context = {
        "form": form,
        "page": found,
        "lines": [_line(line) for line in lines],
        "chart": _chart(days) if days else None,
        "total": (sum(day.answered for day in days), sum(day.refused for day in days)),
        "first": first,
        "last": last,
        "narrowed": bool(chosen.system or chosen.resource or chosen.grant),
        "query": request.GET.urlencode(),
    } | _tabs(who)
    return render(request, "portal/calls/list.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*WATCHERS)
def attempts(request: HttpRequest) -> HttpResponse:
    """What is counted by minute instead of recorded one by one."""
    who = actor(request)
    found, lines = call_attempts.read_attempts(actor=who, now=timezone.now(), cursor=request.GET.get("after", ""))
    shown = [{"line": line, "reason": outcome_title(line.attempt.code)} for line in lines]
    return render(request, "portal/calls/attempts.html", {"page": found, "lines": shown} | _tabs(who))


@require_GET
@roles_required(*SEERS)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The same calls as a CSV file."""
    form = CallFilterForm(request.GET)
    if not form.is_valid():
        raise Invalid(
            "call_log.filter", _("筛选条件有误，请返回修改。"), {name: list(texts) for name, texts in form.errors.items()}
        )
    now = timezone.now()
    lines = call_log.export(actor=actor(request), chosen=CallFilter(**form.chosen()), now=now)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="calls-{timezone.localtime(now):%Y%m%d-%H%M%S}.csv"'
    return response


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Who asked, who approved, who called, when, for what, which columns, how many rows."""
    trace = call_log.trace(call_id=call_id, actor=actor(request), now=timezone.now())
    access_request = trace.grant.access_request if trace.grant else None
    record = trace.line.record
    context = {
        "trace": trace,
        "line": _line(trace.line),
        "access_request": access_request,
        "steps": words.timeline(access_request, trace.steps) if access_request else [],
        "titles": _titles(trace, record),
        "digests": {
            "request": _hex(record.request_digest),
            "answer": _hex(record.answer_digest),
            "subject": _hex(record.subject_key),
        },
        "related": [(r, outcome_title(r.outcome)) for r in trace.related],
    }
    return render(request, "portal/calls/detail.html", context)


def _tabs(who: Actor) -> dict[str, bool]:
    return {"sees_calls": who.has(*SEERS), "sees_attempts": call_attempts.may_read_attempts(who)}


def _titles(trace: call_log.CallTrace, record: CallRecord) -> list[tuple[str, str]]:
    known = dict(trace.grant.resource.items.values_list("name", "title")) if trace.grant else {}
    return [(name, known.get(name, name)) for name in record.fields or []]


def _line(line: call_log.CallLine) -> dict[str, Any]:
    labels = dict(SharingMode.choices)
    record = line.record
    return {"line": line, "record": record, "outcome": outcome_title(record.outcome), "mode": labels.get(record.mode, record.mode)}


def _chart(days: list[Day]) -> dict[str, Any]:
    """Return the ECharts option of outcomes per day."""
    series = {_("已应答"): [day.answered for day in days], _("已拒绝"): [day.refused for day in days]}
    return {
        "color": ["#2fb344", "#d63939"],
        "tooltip": {"trigger": "axis"},
        "legend": {"top": 0},
        "grid": {"left": 8, "right": 16, "top": 32, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "category", "data": [f"{day.on:%m-%d}" for day in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"name": name, "type": "bar", "stack": "calls", "barMaxWidth": 48, "data": data} for name, data in series.items()
        ],
    }


def _hex(digest: bytes | memoryview | None) -> str:
    return bytes(digest).hex() if digest else ""
