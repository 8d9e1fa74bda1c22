"""Accounts (账户): who a signed-in user is when a rule asks; creating users and appointing them to roles."""

from __future__ import annotations

from core.audit import Actor
from core.models import User


def actor_of(user: User, *, client_ip: str | None = None, request_id: str = "") -> Actor:
    """Return the actor a user is: name, department and roles, read afresh for every request (two queries)."""
    department = user.department
    return Actor(
        name=user.display_name,
        user_id=user.pk,
        department_id=department.pk,
        department=department.name,
        roles=frozenset(user.role_assignments.values_list("role", flat=True)),
        is_data_centre=department.is_data_centre,
        client_ip=client_ip,
        request_id=request_id,
    )
