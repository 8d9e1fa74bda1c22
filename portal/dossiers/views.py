"""Pages of dossiers: opened by POST with a purpose, read under a handle of the session, at any day and knowledge."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid
from exchange.dossiers import opening
from exchange.dossiers.opening import LONGEST_MATTER
from exchange.dossiers.reading import read_dossier, read_history, read_section
from exchange.dossiers.rights import DossierKind, Purpose, Reason
from portal.actor import BUSINESS, actor, roles_required
from portal.dossiers import handles, words
from portal.forms import FilterForm, PortalForm

_DAY = forms.DateInput(format="%Y-%m-%d")
_KINDS = [(DossierKind.PERSON, gettext_lazy("一人一档")), (DossierKind.ENTERPRISE, gettext_lazy("一企一档"))]


class OpenForm(PortalForm):
    """Whose dossier, and what for."""

    kind = forms.ChoiceField(label=gettext_lazy("档案类别"), choices=_KINDS)
    identifier = forms.CharField(
        label=gettext_lazy("公民身份号码或统一社会信用代码"),
        max_length=18,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("只用于定位档案，不进入网址和日志。"),
    )
    reason = forms.ChoiceField(label=gettext_lazy("调阅事由"), choices=[("", gettext_lazy("请选择")), *Reason.choices])
    matter = forms.CharField(
        label=gettext_lazy("事项编号"), max_length=LONGEST_MATTER, help_text=gettext_lazy("办件、校核单或检查任务的编号。")
    )


class MomentForm(FilterForm):
    """Which day in the world, and what the platform knew on which day."""

    as_of = forms.DateField(label=gettext_lazy("情况截至"), widget=_DAY)
    known_at = forms.DateField(label=gettext_lazy("按平台当时所知"), widget=_DAY)

    def moments(self, now: datetime) -> dict[str, datetime | None]:
        """Return the ends of the days chosen; today and later is now."""
        return {name: _end_of(self.chosen().get(name), now) for name in ("as_of", "known_at")}


def _end_of(chosen: date | None, now: datetime) -> datetime | None:
    if chosen is None or chosen >= now.astimezone(SHANGHAI).date():
        return None
    return datetime.combine(chosen + timedelta(days=1), time.min, tzinfo=SHANGHAI) - timedelta(microseconds=1)


@sensitive_post_parameters("identifier")
@require_http_methods(["GET", "POST"])
@roles_required(*BUSINESS)
def open_one(request: HttpRequest) -> HttpResponse:
    """The form; an answer leads to a page whose address says nothing of whom it is about."""
    who, now = actor(request), timezone.now()
    form = OpenForm(request.POST or None, initial={"kind": DossierKind.PERSON})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        purpose = Purpose(given["reason"], given["matter"])
        try:
            opened = opening.open_dossier(
                kind=DossierKind(given["kind"]), identifier=given["identifier"], purpose=purpose, actor=who, now=now
            )
            if opened is not None:
                return redirect("portal:dossier-detail", handle=handles.keep(request, opened, now))
            form.add_error(None, _("没有找到档案，或本部门没有报送过该对象的数据。"))
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            form.add_error(None, error.message)
    else:
        opening.check_may_open(who)
    return _private(render(request, "portal/dossiers/open.html", {"form": form}, status=422 if form.errors else 200))


@require_POST
@roles_required(*BUSINESS)
def open_related(request: HttpRequest, handle: UUID) -> HttpResponse:
    """Go on to somebody a dossier names, for the same purpose; it is an opening of its own."""
    who, now = actor(request), timezone.now()
    current = handles.held(request, handle, now)
    kind, key = handles.named(request.POST.get("subject", ""), who.user_id)
    opened = opening.open_related(kind=kind, subject_key=key, purpose=current.purpose, actor=who, now=now)
    if opened is None:
        messages.warning(request, _("基础库中没有该对象的档案。"))
        return redirect("portal:dossier-detail", handle=handle)
    return redirect("portal:dossier-detail", handle=handles.keep(request, opened, now))


@require_GET
@roles_required(*BUSINESS)
def detail(request: HttpRequest, handle: UUID) -> HttpResponse:
    """The dossier at the moments chosen."""
    who, now, form = actor(request), timezone.now(), MomentForm(request.GET)
    opened = handles.held(request, handle, now)
    dossier = read_dossier(
        kind=opened.kind, entity_key=opened.entity_key, actor=who, purpose=opened.purpose, now=now, **form.moments(now)
    )
    context = words.presented(dossier, lambda kind, key: handles.token_of(kind, key, who.user_id))
    context |= _frame(request, handle, now) | {"form": form}
    return _private(render(request, "portal/dossiers/detail.html", context, status=422 if form.errors else 200))


@require_GET
@roles_required(*BUSINESS)
def history(request: HttpRequest, handle: UUID, name: str) -> HttpResponse:
    """The periods of one value."""
    who, now = actor(request), timezone.now()
    opened = handles.held(request, handle, now)
    told = read_history(kind=opened.kind, entity_key=opened.entity_key, name=name, actor=who, purpose=opened.purpose, now=now)
    return _private(render(request, "portal/dossiers/history.html", _frame(request, handle, now) | {"told": told}))


@require_GET
@roles_required(*BUSINESS)
def section(request: HttpRequest, handle: UUID, dataset: str) -> HttpResponse:
    """One section with all its rows."""
    who, now, form = actor(request), timezone.now(), MomentForm(request.GET)
    opened = handles.held(request, handle, now)
    if not form.is_valid():
        raise Invalid("dossier.moment_invalid", _("请填写有效的日期，例如 2026-01-31。"), form.errors)
    shown = read_section(
        kind=opened.kind,
        entity_key=opened.entity_key,
        dataset=dataset,
        actor=who,
        purpose=opened.purpose,
        now=now,
        **form.moments(now),
    )
    part = words.presented_section(shown, lambda kind, key: handles.token_of(kind, key, who.user_id))
    return _private(render(request, "portal/dossiers/section.html", _frame(request, handle, now) | {"part": part}))


def _frame(request: HttpRequest, handle: UUID, now: datetime) -> dict[str, Any]:
    opened = handles.held(request, handle, now)
    reason = Reason(opened.purpose.reason).label
    return {
        "handle": handle,
        "opened": opened,
        "reason": reason,
        "may_follow": actor(request).is_data_centre,
        "query": request.GET.urlencode(),
    }


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
