"""The tracing page (溯源): one vertical chain from a call to where its data came from; and from the other links to their calls."""

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
from core.audit import Actor
from core.roles import Role
from exchange import tracing
from exchange.accesses import may_ask
from exchange.models import AggregationRun
from exchange.querysets import is_auditor, is_reviewer
from exchange.tracing import Chain, Start
from portal.actor import BUSINESS, actor, roles_required
from portal.calls.words import outcome_title
from portal.forms import FilterForm
from portal.grants.words import lines_of
from portal.requests import words

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
KINDS = {
    "call": gettext_lazy("调用编号"),
    "grant": gettext_lazy("授权"),
    "request": gettext_lazy("共享申请"),
    "run": gettext_lazy("归集批次"),
    "subject": gettext_lazy("查询对象代号"),
}


class TraceForm(FilterForm):
    """Where to begin."""

    call = forms.UUIDField(label=gettext_lazy("调用编号"))
    grant = forms.UUIDField(widget=forms.HiddenInput)
    request = forms.UUIDField(widget=forms.HiddenInput)
    run = forms.UUIDField(widget=forms.HiddenInput)
    subject = forms.RegexField(
        "^[0-9a-f]{32}$",
        label=gettext_lazy("查询对象代号"),
        error_messages={"invalid": gettext_lazy("查询对象代号是 32 位十六进制数，见调用记录；不要填写证件号码。")},
    )

    def clean(self) -> dict[str, Any]:
        """Begin at one place."""
        cleaned = super().clean()
        if sum(bool(cleaned.get(name)) for name in KINDS) > 1:
            raise ValidationError(_("一次只能从一处开始溯源，请只保留一项。"))
        return cleaned


@require_GET
@roles_required(*SEERS)
def trace(request: HttpRequest) -> HttpResponse:
    """The chain of a call, or the calls that hang on another start."""
    form, who, now = TraceForm(request.GET), actor(request), timezone.now()
    chosen = form.chosen()
    sees_subjects = is_auditor(who) or is_reviewer(who)
    if not sees_subjects:
        form.fields["subject"].widget = forms.HiddenInput()
    context: dict[str, Any] = {"form": form, "may_ask": may_ask(who), "sees_subjects": sees_subjects}
    if "call" in chosen:
        context |= _chain(tracing.trace(call_id=chosen["call"], actor=who, now=now))
    elif chosen:
        context |= _calls(chosen, who, request.GET.get("after", ""))
    return render(request, "portal/tracing/trace.html", context, status=422 if form.errors else 200)


def _calls(chosen: dict[str, Any], who: Actor, cursor: str) -> dict[str, Any]:
    subject = bytes.fromhex(chosen["subject"]) if "subject" in chosen else None
    start = Start(chosen.get("grant"), chosen.get("request"), chosen.get("run"), subject)
    found = tracing.calls_from(start=start, actor=who, now=timezone.now(), cursor=cursor)
    is_run = isinstance(found.origin, AggregationRun)
    return {
        "found": found,
        "run": found.origin if is_run else None,
        "grant": None if is_run else found.origin,
        "lines": [
            {"line": line, "outcome": outcome_title(line.record.outcome), "mode": _mode(line.record.mode)} for line in found.lines
        ],
        "page": found,
    }


def _chain(chain: Chain) -> dict[str, Any]:
    """Return the links of a chain as the template shows them."""
    record, grant = chain.call.line.record, chain.call.grant
    titles = dict(grant.resource.items.values_list("name", "title")) if grant else {}
    access_request = grant.access_request if grant else None
    return {
        "chain": chain,
        "record": record,
        "line": chain.call.line,
        "outcome": outcome_title(record.outcome),
        "mode": _mode(record.mode),
        "items": [titles.get(name, name) for name in record.fields or []],
        "access_request": access_request,
        "steps": words.timeline(access_request, chain.call.steps) if access_request else [],
        "terms": lines_of(chain.granted.terms, titles) if chain.granted else [],
        "subject": bytes(record.subject_key).hex() if record.subject_key else "",
    }


def _mode(mode: str) -> Any:
    return dict(SharingMode.choices).get(mode, mode)
