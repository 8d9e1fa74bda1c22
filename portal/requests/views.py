"""Views of access requests: parse, call one process function, present."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb.masking import MASK_TITLES, Mask
from catalog.models import DataItem, Resource, ResourceState, SharingMode
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from exchange.granting import grants
from exchange.models import AccessRequest, Desk, RequestState
from exchange.querysets import access_requests_visible_to, grants_visible_to
from exchange.requests import access_requests, desks, saved_filters
from exchange.requests.capacities import seats_held
from exchange.requests.workflow import Command, Seat
from exchange.upstream import authorizations
from portal.actor import BUSINESS, actor, roles_required
from portal.forms import PortalForm
from portal.requests import case, words
from portal.requests.desk_work import claim_box
from portal.requests.forms import DecisionForm, EditRequestForm, NewRequestForm, RequestFilter, TermsForm, initial_of
from portal.requests.inbox import back_to, saved_context

OPEN = ("SUBMITTED", "ENDORSED", "CHECKED", "CLEARED", "RETURNED", "CONFIRMING")
TABS = (
    ("open", gettext_lazy("办理中"), Q(state__in=OPEN)),
    ("draft", gettext_lazy("草稿"), Q(state=RequestState.DRAFTED)),
    ("approved", gettext_lazy("已授权"), Q(state=RequestState.APPROVED)),
    ("closed", gettext_lazy("未同意或撤回"), Q(state__in=("REFUSED", "WITHDRAWN"))),
    ("archived", gettext_lazy("已办结归档"), Q(state=RequestState.CLOSED)),
    ("all", gettext_lazy("全部"), Q()),
)
SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)


@require_GET
@roles_required(*SEERS)
def request_list(request: HttpRequest) -> HttpResponse:
    """The requests one may see, by tab and filter."""
    usual = "" if request.GET else saved_filters.default_query(actor(request), "list")
    if usual:
        return redirect(f"{request.path}?{usual}")
    form = RequestFilter(request.GET)
    chosen = form.chosen()
    tabs = {key: condition for key, _label, condition in TABS}
    tab = chosen.get("tab") if chosen.get("tab") in tabs else "open"
    rows = _with_names(access_requests_visible_to(actor(request)).filter(tabs[str(tab)]))
    if "q" in chosen:
        rows = rows.filter(Q(number__icontains=chosen["q"]) | Q(resource__title__icontains=chosen["q"]))
    if "mode" in chosen:
        rows = rows.filter(mode=chosen["mode"])
    found = page(rows, order=("-id",), cursor=request.GET.get("after", ""))
    centre = desks.data_centre_name()
    context = {
        "form": form,
        "page": found,
        "lines": [{"request": r, "ball": words.ball(r, centre=centre)} for r in found.items],
        "tabs": [(key, label) for key, label, _condition in TABS],
        "tab": tab,
        "clear_url": f"{request.path}?tab={tab}",
        **saved_context(request, actor(request), "list"),
    }
    return render(request, "portal/requests/list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new(request: HttpRequest, resource_uid: UUID) -> HttpResponse:
    """Ask to use items of a resource: one page, saved as a draft or submitted at once."""
    resource = _resource(resource_uid)
    who = actor(request)
    form = NewRequestForm(_posted(request), resource=resource, actor=who)
    if request.method == "POST" and form.is_valid():
        submit = form.pressed == "submit"

        def make() -> str:
            made = access_requests.draft(
                resource_uid=resource.uid, terms=form.terms(), actor=who, now=timezone.now(), submit=submit
            )
            return str(made.uid)

        try:
            digest = digest_of({**form.cleaned_data, "submit": submit, "resource": str(resource.uid)})
            uid, _is_new = once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, words.AFTERWARDS[Command.SUBMIT] if submit else _("草稿已保存。"))
            return redirect("portal:request-detail", uid=uid)
    return _form_page(request, form, resource)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a draft."""
    access_request = visible(request, uid)
    who = actor(request)
    form = EditRequestForm(_posted(request), initial=initial_of(access_request), resource=access_request.resource, actor=who)
    if request.method == "POST" and form.is_valid():
        submit = form.pressed == "submit"
        try:
            access_requests.edit(
                request_uid=uid,
                revision=form.cleaned_data["revision"],
                terms=form.terms(),
                actor=who,
                now=timezone.now(),
                submit=submit,
            )
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            fresh = visible(request, uid)
            if error.code != "revision.stale" or fresh.state not in (RequestState.DRAFTED, RequestState.RETURNED):
                raise
            form.overtake(error, initial_of(fresh))
        else:
            messages.success(request, words.saved(access_request, is_submitted=submit))
            return redirect("portal:request-detail", uid=uid)
    return _form_page(request, form, access_request.resource, access_request)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One request: what is asked, the timeline, who has the ball, and the decision when it is the reader's turn."""
    return detail_page(request, visible(request, uid))


@require_POST
@roles_required(*SEERS)
def decide(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give a command to a request."""
    access_request = visible(request, uid)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return detail_page(request, access_request, form)
    command = Command(form.cleaned_data["command"])
    try:
        done = access_requests.carry_out(
            request_uid=uid,
            command=command,
            actor=actor(request),
            now=timezone.now(),
            revision=form.cleaned_data["revision"],
            reason=form.cleaned_data["reason"],
        )
    except DomainError as error:
        if error.status != 422:
            raise
        form.add_domain_error(error)
        return detail_page(request, visible(request, uid), form)
    messages.success(request, words.afterwards(command, done))
    back = back_to(request)
    if back:
        return redirect(back)
    grant = grants_visible_to(actor(request)).filter(access_request=done).first()
    return redirect("portal:grant-detail", uid=grant.uid) if grant else redirect("portal:request-detail", uid=uid)


def detail_page(
    request: HttpRequest,
    access_request: AccessRequest,
    form: DecisionForm | None = None,
    bound: Mapping[str, PortalForm] | None = None,
) -> HttpResponse:
    """Show a request; `form` is a decision that was refused, `bound` another form of its case."""
    who = actor(request)
    commands = access_requests.commands_for(access_request, who)
    items = {item.name: item for item in access_request.resource.items.order_by("position")}
    steps = list(access_request.steps.all())
    opinions = [s for s in steps if s.command == Command.CHECK and s.reason]
    seats, centre = seats_held(who, access_request), desks.data_centre_name()
    awaited = authorizations.awaited(access_request)
    shown = [c for c in words.BUTTONS if c in commands and not (awaited and c in (Command.APPROVE, Command.CONFIRM))]
    context = {
        "access_request": access_request,
        "items": [_item_line(items.get(name), name) for name in access_request.fields],
        "steps": words.timeline(access_request, steps, centre=centre),
        "ball": words.ball(access_request, centre=centre),
        "next_step": words.next_step(access_request, awaited),
        "above": awaited[0] if awaited and awaited[1] else "",
        "claim": claim_box(access_request, who),
        "back": back_to(request),
        "is_mine": access_request.desk in seats and access_request.desk != Desk.NOBODY,
        "buttons": [(c.value, *words.BUTTONS[c]) for c in shown],
        "may_edit": Command.EDIT in commands,
        "may_repeat": access_request.state in ("REFUSED", "WITHDRAWN", "CLOSED") and Seat.REQUESTER_OPERATOR in seats,
        "opinion": opinions[-1] if opinions else None,
        "form": form or DecisionForm(initial={"revision": access_request.revision}),
        "grant": getattr(access_request, "grant", None),
        "now": timezone.now(),
        **case.context(access_request, who, now=timezone.now(), bound=bound),
    }
    return render(request, "portal/requests/detail.html", context, status=422 if form is not None or bound else 200)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _item_line(item: DataItem | None, name: str) -> dict[str, Any]:
    if item is None:
        return {"name": name, "title": name, "grade": "—", "mask": "—"}
    mask = grants.masks_of([item]).get(name, Mask.NONE)
    return {"name": name, "title": item.title, "grade": item.get_grade_display(), "mask": MASK_TITLES[Mask(mask)]}


def _form_page(
    request: HttpRequest, form: TermsForm, resource: Resource, access_request: AccessRequest | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "resource": resource,
        "access_request": access_request,
        "mask_titles": {mask.value: title for mask, title in MASK_TITLES.items()},
        "bulk": SharingMode.BULK in resource.sharing_modes,
    }
    return render(request, "portal/requests/form.html", context, status=form.status)


def _resource(uid: UUID) -> Resource:
    rows = Resource.objects.filter(uid=uid, state=ResourceState.PUBLISHED).select_related("provider", "region")
    found = rows.first()
    if found is None:
        raise NotFound("resource.not_found", _("没有这项资源，或尚未发布。"))
    return found


def visible(request: HttpRequest, uid: UUID) -> AccessRequest:
    """Return a request the signed-in person may see, or raise NotFound."""
    found = _with_names(access_requests_visible_to(actor(request))).filter(uid=uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


def _with_names(rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    return rows.select_related("resource__provider", "resource__region", "requester", "system", "created_by")
