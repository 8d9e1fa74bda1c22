"""The holder at the door (持证人): the cookie of their own session, nothing of staff's. Every page but the entry needs one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from core.audit import Actor
from core.errors import DomainError
from licenses.presenting import sessions
from licenses.presenting.holders import name_of
from licenses.presenting.sessions import COOKIE, Session

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Session, P], HttpResponseBase]

__all__ = [
    "COOKIE",
    "actor_of",
    "cookie_of",
    "for_holder",
    "give_cookie",
    "refused",
    "shown_name",
    "take_cookie",
    "token_of",
]


def token_of(request: HttpRequest) -> str:
    """Return the token of the holder's cookie."""
    return request.COOKIES.get(COOKIE, "")


def cookie_of(request: HttpRequest) -> dict[str, object]:
    """Return what every cookie of a holder has."""
    return {"httponly": True, "samesite": "Lax", "secure": request.is_secure()}


def give_cookie(request: HttpRequest, response: HttpResponse, token: str) -> None:
    """Let the browser keep a session's token as long as it lasts."""
    response.set_cookie(COOKIE, token, max_age=int(sessions.SESSION_LASTS.total_seconds()), path="/", **cookie_of(request))  # type: ignore[arg-type]


def take_cookie(response: HttpResponse) -> None:
    """Take the token away again."""
    response.delete_cookie(COOKIE, path="/")


def for_holder(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Open a page to a live session and hand it over; what is refused is said on a page for phones."""

    @login_not_required
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            session = sessions.find(token=token_of(request), now=timezone.now())
            return view(request, session, *args, **kwargs)
        except DomainError as error:
            return refused(request, error)

    return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], guarded)


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the page that says why not."""
    ended = error.code in ("presenting.session_ended", "presenting.holder_blocked", "presenting.not_agent")
    response = render(request, "portal/holder/refused.html", {"error": error, "ended": ended}, status=error.status)
    if ended:
        take_cookie(response)
    return response


def actor_of(request: HttpRequest, session: Session) -> Actor:
    """Return a holder as an entry of the trail names them: without a name, by the session."""
    who = _("持证人") if session.subject_kind == "PERSON" else _("企业持证人")
    return Actor(
        name=f"{who}({str(session.uid)[-8:]})",
        client_ip=request.META.get("REMOTE_ADDR") or None,
        request_id=getattr(request, "request_id", ""),
    )


def shown_name(session: Session) -> str:
    """Return the holder's name as others over the shoulder may see it: the first character, an enterprise's whole."""
    name = name_of(session.subject_key, session.subject_kind)
    return name if session.subject_kind != "PERSON" or len(name) < 2 else name[0] + "*" * (len(name) - 1)
