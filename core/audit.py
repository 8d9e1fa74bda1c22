"""The one way to write an audit entry (留痕), and who acts.

An entry is written in the transaction of the decision it records. What was exchanged is evidence, not audit: see `exchange`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import models

from core.models import AuditEntry
from core.roles import Role

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody who is away and left one role to a colleague; only rules that ask for it let the colleague act on it."""

    user_id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user with roles in a department, a consumer system, or the platform itself (`user_id` None).

    `stands_in_for` never counts as a role: `has` does not see it.
    """

    name: str
    user_id: int | None = None
    department_id: int | None = None
    department: str = ""
    roles: frozenset[str] = frozenset()
    is_data_centre: bool = False
    client_ip: str | None = None
    request_id: str = ""
    stands_in_for: tuple[StandIn, ...] = ()

    def has(self, *roles: Role) -> bool:
        """Return whether the actor holds any of the roles."""
        return any(role in self.roles for role in roles)

    def on_behalf_of(self, away: StandIn) -> Actor:
        """Return the same person under the name of both, as steps and entries show who acted for whom."""
        return replace(self, name=f"{self.name} 代 {away.name}"[:LONGEST_NAME])


PLATFORM = Actor(name="平台")


def record(
    actor: Actor,
    action: str,
    obj: models.Model | None,
    *,
    at: datetime,
    department_ids: Iterable[int | None] = (),
    **detail: Any,
) -> None:
    """Append one entry: `action` is `noun.participle`; `department_ids` own the object and will see the entry.

    `detail` must be JSON and must hold no personal data and no secrets.
    """
    AuditEntry.objects.bulk_create([entry(actor, action, obj, at=at, department_ids=department_ids, detail=detail)])


def entry(
    actor: Actor,
    action: str,
    obj: models.Model | None,
    *,
    at: datetime,
    department_ids: Iterable[int | None] = (),
    detail: Mapping[str, Any],
) -> AuditEntry:
    """Build the entry `record` writes; for rules that write many at once."""
    return AuditEntry(
        at=at,
        action=action,
        actor_id=actor.user_id,
        actor_name=actor.name,
        actor_department_id=actor.department_id,
        actor_department=actor.department,
        object_kind=obj._meta.model_name or "" if obj is not None else "",
        object_uid=str(getattr(obj, "uid", obj.pk)) if obj is not None else "",
        object_title=_title_of(obj)[:200] if obj is not None else "",
        department_ids=sorted({i for i in department_ids if i is not None}),
        detail=dict(detail),
        client_ip=actor.client_ip,
        request_id=actor.request_id,
    )


def _title_of(obj: models.Model) -> str:
    """Return how an object calls itself; one without a name is told by its number, its kind stands beside it."""
    return str(obj) if type(obj).__str__ is not models.Model.__str__ else f"#{obj.pk}"
