"""Who calls the door for systems: a signed-in person with a session and CSRF token; answers 401 and 403 in the error body.

Consumer systems sign their exchange calls elsewhere (`exchange.calls`); management calls of systems join here.
"""

from __future__ import annotations

from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication
from rest_framework.request import Request

from core.accounts import actor_of
from core.audit import Actor
from core.errors import Forbidden
from core.models import User
from exchange.requests.delegation import with_delegations
from openapi.errors import request_id_of


class SessionAuthentication(authentication.SessionAuthentication):
    """The portal's session. Unsafe methods need the CSRF token; a temporary password opens nothing."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is not None and found[0].must_change_password:
            raise Forbidden("password.must_change", _("请先在门户中修改临时密码。"))
        return found

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request 401 instead of 403."""
        return "Session"


def actor(request: Request) -> Actor:
    """Return the actor of this request; roles are read afresh for every request."""
    known: Actor | None = getattr(request._request, "_actor", None)
    if known is None:
        known = actor_of(
            cast(User, request.user), client_ip=request.META.get("REMOTE_ADDR") or None, request_id=request_id_of(request)
        )
        known = with_delegations(known, now=timezone.now())
        request._request._actor = known  # type: ignore[attr-defined]
    return known
