"""Whom a REST list is open to by role, the same as its page in the portal; what each one sees is a filter of the rules."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from core.errors import Forbidden
from core.roles import Role
from core.texts import listed
from openapi.authentication import actor


class ForBusiness(IsAuthenticated):
    """Open to people with a business role; a system or security administrator gets 403, as in the portal."""

    roles: tuple[Role, ...] = (Role.OPERATOR, Role.HEAD, Role.REVIEWER)

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the caller is signed in; raise Forbidden for a role this is not open to."""
        if not super().has_permission(request, view):
            return False
        if not actor(request).has(*self.roles):
            names = listed(role.label for role in self.roles)
            raise Forbidden("role.required", _("此操作仅限%(role)s。") % {"role": names}, {"roles": list(self.roles)})
        return True


class ForBusinessAndAudit(ForBusiness):
    """Open to the audit administrator too."""

    roles = (*ForBusiness.roles, Role.AUDIT_ADMINISTRATOR)
