"""The inbox (待办、已办、我的申请) and the lists of deadlines: filters in the URL, saved ones beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from catalog.models import Grade
from core.audit import Actor
from core.errors import NotFound
from core.keyset import page
from core.roles import Role
from exchange.models import AccessRequest, RequestState
from exchange.requests import desks, saved_filters
from exchange.requests import inbox as lists
from exchange.requests.supervision import SOON
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import FilterForm, PortalForm
from portal.requests import words

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
TABS = {"todo": gettext_lazy("待办"), "handled": gettext_lazy("已办"), "mine": gettext_lazy("我的申请")}
DUE = {"overdue": gettext_lazy("已超期"), "soon": gettext_lazy("即将到期"), "stopped": gettext_lazy("时限暂停")}
CLAIMED = {"me": gettext_lazy("我认领的"), "others": gettext_lazy("同事认领的"), "nobody": gettext_lazy("无人认领")}
KINDS = {"overdue": DUE["overdue"], "soon": DUE["soon"]}
ALL = ("", gettext_lazy("全部"))


class InboxFilter(FilterForm):
    """What the inbox is narrowed to."""

    tab = forms.ChoiceField(choices=[ALL, *TABS.items()], widget=forms.HiddenInput)
    q = forms.CharField(label=gettext_lazy("编号或资源名称"), max_length=100)
    state = forms.ChoiceField(label=gettext_lazy("状态"), choices=[ALL, *RequestState.choices])
    due = forms.ChoiceField(label=gettext_lazy("时限"), choices=[ALL, *DUE.items()])
    requester = forms.UUIDField(label=gettext_lazy("申请方"), widget=forms.Select)
    grade = forms.ChoiceField(label=gettext_lazy("分级"), choices=[ALL, *Grade.choices])
    claimed = forms.ChoiceField(label=gettext_lazy("认领"), choices=[ALL, *CLAIMED.items()])

    def asked(self) -> lists.Asked:
        """Return the filters for the rules."""
        return lists.Asked(**{name: value for name, value in self.chosen().items() if name != "tab"})

    def say_counts(self, counts: dict[str, dict[str, int]], requesters: list[tuple[str, str]]) -> None:
        """Write beside every choice how many rows it would show; choices without any are left out unless chosen."""
        known: dict[str, Iterable[tuple[str, Any]]] = {
            "state": RequestState.choices,
            "due": list(DUE.items()),
            "requester": requesters,
            "grade": Grade.choices,
            "claimed": list(CLAIMED.items()),
        }
        for name, choices in known.items():
            chosen = self[name].value()
            shown = [
                (key, f"{title} ({counts[name].get(key, 0)})")
                for key, title in choices
                if counts[name].get(key) or str(key) == str(chosen)
            ]
            select: Any = self.fields[name].widget
            select.choices = [ALL, *shown]


class SaveForm(PortalForm):
    """Keep what the page is narrowed to under a name."""

    name = forms.CharField(label=gettext_lazy("名称"), max_length=saved_filters.LONGEST_NAME)
    query = forms.CharField(max_length=1000, required=False, widget=forms.HiddenInput)
    page = forms.ChoiceField(choices=[(key, key) for key in saved_filters.KNOWN], widget=forms.HiddenInput)
    is_default = forms.BooleanField(label=gettext_lazy("打开页面时默认使用"), required=False)


PAGES = {"inbox": "portal:request-inbox", "list": "portal:request-list"}


@require_GET
@roles_required(*BUSINESS)
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for the signed-in person, what left the own desk, and what the person asked for."""
    who, now = actor(request), timezone.now()
    usual = "" if request.GET else saved_filters.default_query(who, "inbox")
    if usual:
        return redirect(f"{request.path}?{usual}")
    form = InboxFilter(request.GET)
    tab, asked = (form.chosen().get("tab") or "todo"), form.asked()
    found = page(
        lists.rows(actor=who, tab=tab, asked=asked, now=now),
        order=lists.ORDER if tab == "todo" else lists.NEWEST,
        cursor=request.GET.get("after", ""),
    )
    form.say_counts(lists.counts(actor=who, tab=tab, asked=asked, now=now), lists.requesters(actor=who, tab=tab))
    numbers = lists.tab_counts(who)
    context = {
        "form": form,
        "page": found,
        "lines": lines(found.items, who),
        "tabs": [(key, label, numbers[key]) for key, label in TABS.items()],
        "tab": tab,
        "stand_ins": who.stands_in_for,
        "clear_url": f"{request.path}?tab={tab}",
        **saved_context(request, who, "inbox"),
    }
    return render(request, "portal/requests/inbox.html", context, status=422 if form.errors else 200)


def lines(rows: list[AccessRequest], who: Actor) -> list[dict[str, Any]]:
    """Return what a list shows of each row: who has the ball, how the clock stands, who claimed it."""
    centre, now = desks.data_centre_name(), timezone.now()
    return [
        {
            "request": row,
            "ball": words.ball(row, centre=centre),
            "clock": clock(row, now),
            "claim": lists.open_claim_of(row),
            "is_mine": (held := lists.open_claim_of(row)) is not None and held.claimed_by_id == who.user_id,
        }
        for row in rows
    ]


def clock(row: AccessRequest, now: Any) -> str:
    """Return how the clock of a row stands: overdue, soon, stopped, or nothing to say."""
    if row.state == RequestState.RETURNED:
        return "stopped"
    if row.due_at is None or row.decided_at is not None:
        return ""
    return "overdue" if row.due_at <= now else "soon" if row.due_at <= now + SOON else ""


def saved_context(request: HttpRequest, who: Actor, name: str) -> dict[str, Any]:
    """Return the saved filters of a page and the form that keeps what it shows now."""
    query = saved_filters.cleaned(name, request.GET.urlencode())
    return {
        "saved": list(saved_filters.saved(who, name)),
        "save_form": SaveForm(initial={"page": name, "query": query}) if query else None,
        "saved_page": reverse(PAGES[name]),
    }


@require_POST
@roles_required(*SEERS)
def save_filter(request: HttpRequest) -> HttpResponse:
    """Keep a filter."""
    form = SaveForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/requests/saved.html", {"form": form}, status=form.status)
    given = form.cleaned_data
    row = saved_filters.save(actor=actor(request), **given)
    messages.success(request, _("已保存常用筛选“%(name)s”。") % {"name": row.name})
    return redirect(f"{reverse(PAGES[row.page])}?{row.query}")


@require_POST
@roles_required(*SEERS)
def change_filter(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let the page open with a saved filter, no longer, or delete it."""
    who, action = actor(request), request.POST.get("action", "")
    if action == "forget":
        row = saved_filters.forget(actor=who, uid=uid)
    else:
        row = saved_filters.set_default(actor=who, uid=uid, is_default=action == "default")
    messages.success(request, _("常用筛选已更新。"))
    return redirect(f"{reverse(PAGES[row.page])}?tab=" + ("todo" if row.page == "inbox" else "open"))


@require_GET
@roles_required(*SEERS)
def deadlines(request: HttpRequest) -> HttpResponse:
    """What is late or due within a day, over all departments the reader may see."""
    kind = _kind(request)
    who, now = actor(request), timezone.now()
    rows = lists.deadlines(actor=who, kind=kind, now=now)
    found = page(rows, order=lists.ORDER, cursor=request.GET.get("after", ""))
    context = {
        "page": found,
        "lines": lines(found.items, who),
        "kind": kind,
        "kinds": [(k, label, lists.deadlines(actor=who, kind=k, now=now).count()) for k, label in KINDS.items()],
    }
    return render(request, "portal/requests/deadlines.html", context)


@require_GET
@roles_required(*SEERS)
def export_deadlines(request: HttpRequest) -> StreamingHttpResponse:
    """The same list as a CSV file."""
    kind, now = _kind(request), timezone.now()
    text = lists.export_deadlines(actor=actor(request), kind=kind, now=now)
    response = StreamingHttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}-{timezone.localtime(now):%Y%m%d-%H%M%S}.csv"'
    return response


def back_to(request: HttpRequest) -> str:
    """Return the page of the inbox a decision was opened from, or nothing: no other address is followed."""
    given = request.POST.get("next", "") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if is_ours and given.split("?")[0] == reverse("portal:request-inbox") else ""


def _kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "overdue")
    if kind not in KINDS:
        raise NotFound("request.not_found", _("没有这个页面。"))
    return kind
