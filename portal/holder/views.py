"""Pages of a holder: entering, the own licenses, a code and what becomes of it, who used the licenses, stopping, leaving."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.errors import DomainError
from exchange.license_uses import lists
from licenses.models import BlockedBy, PresentingCode
from licenses.presenting import blocking, codes, sessions
from licenses.presenting.code_text import in_groups, read_code
from licenses.presenting.holding import held_by
from licenses.presenting.sessions import Session
from licenses.presenting.workflow import CODE_LIVES, is_over
from portal.holder.session import actor_of, cookie_of, for_holder, give_cookie, refused, shown_name, take_cookie, token_of

SHOWN = "holder_code"  # the text of a code, for its own page alone, as long as it lives
POLL_SECONDS = 2


@login_not_required
@never_cache
@require_GET
def enter(request: HttpRequest, ticket: str) -> HttpResponse:
    """Open a session by the address the identity application gave, once."""
    try:
        token, _session = sessions.enter(ticket=ticket, now=timezone.now())
    except DomainError as error:
        return refused(request, error)
    response = redirect("portal:holder-home")
    give_cookie(request, response, token)
    return response


@require_GET
@for_holder
def home(request: HttpRequest, session: Session) -> HttpResponse:
    """The own licenses, the live ones first."""
    held = held_by(session, today=timezone.localdate())
    tries = codes.recent_tries(session)
    return _page(
        request,
        session,
        "home",
        {"live": [h for h in held if h.is_live], "other": [h for h in held if not h.is_live], "tries": tries},
    )


@require_GET
@for_holder
def license_detail(request: HttpRequest, session: Session, row: str) -> HttpResponse:
    """One license with its face."""
    found = held_by(session, today=timezone.localdate(), row=row)
    if not found:
        raise Http404
    return _page(request, session, "license", {"held": found[0]})


@require_POST
@for_holder
def code_create(request: HttpRequest, session: Session) -> HttpResponse:
    """Make a code, of all licenses or of some, and go to its page."""
    text, uid, _until = codes.create(token=token_of(request), chosen=request.POST.getlist("licenses"), now=timezone.now())
    address = reverse("portal:holder-code", kwargs={"uid": uid})
    response = redirect(address)
    response.set_cookie(SHOWN, text, max_age=int(CODE_LIVES.total_seconds()), path=address, **cookie_of(request))  # type: ignore[arg-type]
    return response


@require_GET
@for_holder
def code_detail(request: HttpRequest, session: Session, uid: UUID) -> HttpResponse:
    """The code to show, then what a desk asks, then what became of it."""
    now = timezone.now()
    code = codes.own_code(session=session, uid=uid)
    context = _standing(code, now) | {"code": code, "chosen": codes.own_licenses(session, code.chosen)}
    if context["place"] == "SCANNED":
        numbers = {held.row: held.number for held in held_by(session, today=timezone.localdate())}
        context["asked"] = [one | {"number": numbers.get(one["row"], "")} for one in code.asked]
    text = read_code(request.COOKIES.get(SHOWN, ""))
    if context["place"] == "CREATED" and text:
        qr = segno.make(text, error="m", micro=False)
        context |= {"qr": qr.svg_data_uri(scale=6, border=3, dark="#000000", light="#ffffff"), "text": in_groups(text)}
    return _page(request, session, "code", context)


@require_GET
@for_holder
def code_state(request: HttpRequest, session: Session, uid: UUID) -> HttpResponse:
    """Tell the page whether there is something new: 204, or the order to load it again."""
    place = _standing(codes.own_code(session=session, uid=uid), timezone.now())["place"]
    if place == request.GET.get("seen"):
        return HttpResponse(status=204)
    return HttpResponse(status=200, headers={"HX-Refresh": "true"})


@require_POST
@for_holder
def code_answer(request: HttpRequest, session: Session, uid: UUID) -> HttpResponse:
    """Take the holder's yes or no."""
    token, now = token_of(request), timezone.now()
    if request.POST.get("action") == "refuse":
        codes.refuse(token=token, uid=uid, now=now)
    else:
        codes.confirm(token=token, uid=uid, given=_given(request), now=now)
        messages.success(request, _("已确认。窗口读取一次后即失效。"))
    return redirect("portal:holder-code", uid=uid)


@require_GET
@for_holder
def use_list(request: HttpRequest, session: Session) -> HttpResponse:
    """Who used the own licenses, for what; on the first page the copies of whole tables as well, which name nobody."""
    key, types, now = session.subject_key, session.type_codes, timezone.now()
    page = lists.of_holder(subject_key=key, type_codes=types, now=now, cursor=request.GET.get("after", ""))
    copies = lists.copies_of_holder(subject_key=key, type_codes=types, now=now) if page.is_first else []
    return _page(request, session, "uses", {"page": page, "copies": copies})


@require_http_methods(["GET", "POST"])
@for_holder
def stop(request: HttpRequest, session: Session) -> HttpResponse:
    """Stop everything at once, as after the loss of a phone."""
    if request.method == "GET":
        return _page(request, session, "stop", {})
    who, reason = actor_of(request, session), _("本人在手机上停用")
    key = session.subject_key if session.agent_id is None else session.person_key
    blocking.block_holder(subject_key=key, by=BlockedBy.HOLDER, reason=reason, actor=who, now=timezone.now())
    response = render(request, "portal/holder/stopped.html", {})
    take_cookie(response)
    return response


@login_not_required
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the session."""
    if token := token_of(request):
        sessions.end(token=token, now=timezone.now())
    response = render(request, "portal/holder/left.html", {})
    take_cookie(response)
    return response


def _page(request: HttpRequest, session: Session, name: str, context: dict[str, Any]) -> HttpResponse:
    known = {"session": session, "holder": shown_name(session), "section": name}
    return render(request, f"portal/holder/{name}.html", known | context)


def _standing(code: PresentingCode, now: datetime) -> dict[str, Any]:
    """Return where a code stands in words of the page; EXPIRED is computed."""
    standing = codes.standing_of(code)
    over = is_over(standing, now)
    place = "EXPIRED" if over and code.state in ("CREATED", "SCANNED", "CONFIRMED") else code.state
    return {"place": place, "waits": not over, "poll": POLL_SECONDS}


def _given(request: HttpRequest) -> dict[str, list[str]]:
    """Return what was ticked: rows of licenses with the names of items; required ones come as hidden fields."""
    given: dict[str, list[str]] = {row: [] for row in request.POST.getlist("licenses")}
    for ticked in request.POST.getlist("items"):
        row, _separator, name = ticked.partition(":")
        if row in given:
            given[row].append(name)
    return given
