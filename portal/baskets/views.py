"""Views of the basket and of bundles: put aside, ask for all in one step, follow all parts on one page."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from basedb.masking import MASK_TITLES
from core.errors import DomainError
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from core.texts import headed
from exchange.models import AccessRequest, RequestBundle, RequestState
from exchange.requests import baskets, desks
from portal.actor import BUSINESS, actor, roles_required
from portal.baskets.forms import AddForm, BasketForm, EndorseAllForm
from portal.forms import FilterForm
from portal.requests import words

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def basket(request: HttpRequest) -> HttpResponse:
    """Everything put aside, grouped by provider, and the one form that asks for all of it."""
    who = actor(request)
    entries = list(baskets.basket_of(who))
    form = BasketForm(request.POST if request.method == "POST" else None, entries=entries, actor=who)
    if request.method == "POST" and form.is_valid():

        def make() -> str:
            return str(baskets.submit(asks=form.asks(), actor=who, now=timezone.now(), from_basket=True).uid)

        try:
            token = form.common.cleaned_data["submission"]
            uid, _is_new = once(owner=f"user:{who.user_id}", token=token, digest=digest_of(form.cleaned()), make=make)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("已整篮提交，等待本部门负责人同意。每项申请的进度都在这一页。"))
            return redirect("portal:request-bundle", uid=uid)
    groups = [
        {"provider": provider, "parts": list(parts)}
        for provider, parts in groupby(form.parts, key=lambda part: part.entry.resource.provider)
    ]
    context = {
        "form": form.common,
        "groups": groups,
        "count": len(entries),
        "mask_titles": {mask.value: title for mask, title in MASK_TITLES.items()},
    }
    return render(request, "portal/baskets/basket.html", context, status=form.status)


@require_POST
@roles_required(Role.OPERATOR)
def add(request: HttpRequest, resource_uid: UUID) -> HttpResponse:
    """Put a resource into the basket and open the basket."""
    form = AddForm(request.POST)
    if form.is_valid():
        baskets.put_in(resource_uid=resource_uid, actor=actor(request), now=timezone.now())
        messages.success(request, _("已加入资源篮。可以继续到目录中挑选，也可以现在填写并提交。"))
    return redirect("portal:basket-detail")


@require_POST
@roles_required(Role.OPERATOR)
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a resource out of the basket."""
    baskets.take_out(entry_uid=uid, actor=actor(request))
    messages.success(request, _("已移出资源篮。"))
    return redirect("portal:basket-detail")


@require_GET
@roles_required(*SEERS)
def bundle_list(request: HttpRequest) -> HttpResponse:
    """The bundles one may see a part of."""
    form = FilterForm(request.GET)
    who = actor(request)
    found = page(baskets.bundles_visible_to(who), order=("-id",), cursor=request.GET.get("after", ""))
    lines = [{"bundle": row, **progress(list(baskets.parts_of(row, who)))} for row in found.items]
    context = {"page": found, "lines": lines, "form": form}
    return render(request, "portal/baskets/bundles.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def bundle(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One bundle with all its parts: state, who has the ball, until when."""
    return _bundle_page(request, baskets.visible_bundle(uid, actor(request)))


@require_POST
@roles_required(*SEERS)
def endorse(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Agree to every part that waits for the requester's head."""
    who = actor(request)
    found = baskets.visible_bundle(uid, who)
    form = EndorseAllForm(request.POST)
    if not form.is_valid():
        return _bundle_page(request, found, form)
    results = baskets.endorse_all(bundle_uid=uid, seen=form.cleaned_data["seen"], actor=who, now=timezone.now())
    for result in results:
        if result.error:
            messages.warning(request, headed(f"{result.part.number} {result.part.resource.title}", result.error))
    done = sum(1 for result in results if not result.error)
    if done:
        text = _("已同意 %(done)s 项，共 %(all)s 项待同意。各项已转下一步办理。") % {"done": done, "all": len(results)}
        messages.success(request, text)
    return redirect("portal:request-bundle", uid=uid)


def _bundle_page(request: HttpRequest, found: RequestBundle, form: EndorseAllForm | None = None) -> HttpResponse:
    who = actor(request)
    parts = list(baskets.parts_of(found, who))
    centre = desks.data_centre_name()
    waiting = [part for part in parts if part.state == RequestState.SUBMITTED]
    context: dict[str, Any] = {
        "bundle": found,
        "lines": [{"request": part, "ball": words.ball(part, centre=centre)} for part in parts],
        **progress(parts),
        "may_endorse": baskets.may_endorse(parts, who),
        "waiting_count": len(waiting),
        "form": form or EndorseAllForm(initial={"seen": ",".join(f"{part.uid}:{part.revision}" for part in waiting)}),
    }
    return render(request, "portal/baskets/bundle.html", context, status=422 if form is not None else 200)


def progress(parts: list[AccessRequest]) -> dict[str, Any]:
    """Return how many parts there are, how many are decided and granted, and the nearest deadline."""
    decided = sum(1 for part in parts if part.decided_at is not None)
    return {
        "part_count": len(parts),
        "decided_count": decided,
        "granted_count": sum(1 for part in parts if part.state == RequestState.APPROVED),
        "percent": round(100 * decided / len(parts)) if parts else 0,
        "next_due": min((part.due_at for part in parts if part.due_at is not None), default=None),
        "provider_count": len({part.resource.provider_id for part in parts}),
    }
