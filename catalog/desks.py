"""What every command on an entry begins and ends with: open it visible and locked, decide, move it to the next desk (办理环节).

Which command does what is in `publishing` and `mounting`; the table is in `workflow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from catalog.content import element_title
from catalog.models import Resource
from catalog.querysets import not_found, reviews_for_the_centre
from catalog.workflow import Command, Party, Step, decide
from core.audit import Actor
from core.errors import Conflict
from core.models import AuditEntry, Department
from core.notifications import notify_role
from core.roles import Role
from core.working_days import deadline

ROLES: Mapping[Party, Role] = {
    Party.PROVIDER_OPERATOR: Role.OPERATOR,
    Party.PROVIDER_HEAD: Role.HEAD,
    Party.DATA_CENTRE: Role.REVIEWER,
}


def parties(resource: Resource, actor: Actor) -> frozenset[Party]:
    """Return as whom the actor may act on an entry: by role and by who owns it."""
    found = set()
    if actor.department_id is not None and actor.department_id == resource.provider_id:
        found |= {party for party in (Party.PROVIDER_OPERATOR, Party.PROVIDER_HEAD) if actor.has(ROLES[party])}
    if reviews_for_the_centre(actor):
        found.add(Party.DATA_CENTRE)
    return frozenset(found)


def open_for(uid: UUID, *, actor: Actor, revision: int | None = None) -> Resource:
    """Return the entry visible to the actor and locked, its original first; a stale revision raises Conflict with what changed."""
    seen = Resource.objects.get_visible(uid, actor)
    keys = [key for key in (seen.change_of_id, seen.pk) if key is not None]
    locked = {row.pk: row for row in Resource.objects.filter(pk__in=keys).for_update()}
    resource = locked[seen.pk]
    if not Resource.objects.visible_to(actor).filter(pk=resource.pk).exists():
        raise not_found()
    if revision is not None and revision != resource.revision:
        raise Conflict(
            "resource.stale",
            _("这条目录在您打开页面后被修改过，您的操作没有执行。请核对变化后重试。"),
            {"revision": resource.revision, "state": resource.state, "changed": changes_since(resource, revision)},
        )
    return resource


def changes_since(resource: Resource, revision: int) -> list[dict[str, Any]]:
    """Return who did what to the entry after a revision, oldest first."""
    entries = AuditEntry.objects.filter(object_uid=str(resource.uid), detail__revision__gt=revision).order_by("id")
    return [
        {
            "at": entry.at.isoformat(timespec="seconds"),
            "by": entry.actor_name,
            "action": entry.action,
            "changed": [element_title(name) for name in entry.detail.get("changed", [])],
        }
        for entry in entries
    ]


def decide_for(resource: Resource, command: Command, actor: Actor) -> Step:
    """Return what the command leads to for this actor, or raise."""
    return decide(resource.state, command, parties(resource, actor))


def advance(resource: Resource, step: Step, *, now: datetime) -> None:
    """Move the entry to the step's state and desk with a new deadline, and count the change."""
    resource.state = step.state
    resource.due_at = deadline(now, step.days) if step.days is not None else None
    resource.revision += 1
    resource.save()


def page_of(resource: Resource) -> str:
    """Return the path of the entry's page, for messages."""
    return f"/catalog/{resource.uid}/"


def holder(resource: Resource, step: Step) -> list[Department]:
    """Return the departments whose desk has the ball after a step."""
    if step.desk is Party.DATA_CENTRE:
        return list(Department.objects.filter(is_data_centre=True, valid_to=None))
    return [resource.provider] if step.desk else []


def tell_holder(resource: Resource, step: Step, *, title: str, now: datetime, body: str = "") -> None:
    """Write a message to everybody at the desk that has the ball next, with the deadline."""
    if step.desk is None:
        return
    if resource.due_at is not None:
        limit = _("请于%(due)s前办理。") % {"due": resource.due_at.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M")}
        body = f"{body} {limit}".strip()
    for department in holder(resource, step):
        notify_role(ROLES[step.desk], department_id=department.pk, title=title, path=page_of(resource), now=now, body=body)


def tell_provider(resource: Resource, *, title: str, now: datetime, body: str = "") -> None:
    """Write a message to the operators and heads of the providing department."""
    for role in (Role.OPERATOR, Role.HEAD):
        notify_role(role, department_id=resource.provider_id, title=title, path=page_of(resource), now=now, body=body)
