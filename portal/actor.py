"""Who is at the door (操作人): the signed-in user as the actor the rules ask for, once per request."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from core.accounts import actor_of
from core.audit import Actor
from core.errors import Forbidden
from core.models import User
from core.roles import Role
from core.texts import listed
from exchange.requests.delegation import with_delegations

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

BUSINESS = (Role.OPERATOR, Role.HEAD, Role.REVIEWER)


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user; every page but the sign-in page has one (login middleware)."""
    user: Any = request.user
    if not isinstance(user, User) and not getattr(user, "pk", None):
        raise Forbidden("account.sign_in_required", _("请先登录。"))
    return user  # type: ignore[no-any-return]


def actor(request: HttpRequest) -> Actor:
    """Return the actor of this request; roles are read afresh for every request."""
    known: Actor | None = getattr(request, "_actor", None)
    if known is None:
        known = actor_of(
            user_of(request),
            client_ip=request.META.get("REMOTE_ADDR") or None,
            request_id=getattr(request, "request_id", ""),
        )
        known = with_delegations(known, now=timezone.now())
        request._actor = known  # type: ignore[attr-defined]
    return known


def roles_required(*roles: Role) -> Callable[[View[P]], View[P]]:
    """Open a page to holders of one of the roles; others get 403 with the names of the roles."""

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not actor(request).has(*roles):
                names = listed(role.label for role in roles)
                raise Forbidden("role.required", _("此页面仅限%(roles)s使用。") % {"roles": names}, {"roles": list(roles)})
            return view(request, *args, **kwargs)

        return cast(View[P], guarded)

    return wrap
