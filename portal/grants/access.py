"""Finding a grant for a page: those who see it, and those who may give a command to it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.errors import Forbidden, NotFound
from core.roles import Role
from exchange.granting.grant_workflow import GrantCommand, GrantStanding, decide_grant
from exchange.models import Grant
from exchange.querysets import grants_visible_to, seats_on_grant
from portal.actor import BUSINESS, actor

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)


def visible(request: HttpRequest, uid: UUID) -> Grant:
    """Return a grant the person may see; NotFound otherwise."""
    rows = grants_visible_to(actor(request)).select_related("resource__provider", "system__department", "access_request")
    found = rows.filter(uid=uid).first()
    if found is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    return found


def open_for(request: HttpRequest, uid: UUID, command: GrantCommand) -> Grant:
    """Return a grant the person may give this command to now; Forbidden or Conflict otherwise."""
    grant = visible(request, uid)
    seats = seats_on_grant(actor(request), grant)
    if not seats:
        raise Forbidden("grant.not_yours", _("您的岗位不能办理这项授权。"))
    decide_grant(GrantStanding(grant.state), command, seats, state_desk=grant.state_desk)
    return grant
