"""Telling people inside the application (站内消息) that they have the ball, or what became of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from core.models import Notification, RoleAssignment
from core.roles import Role


def notify_users(user_ids: Iterable[int], *, title: str, path: str, now: datetime, body: str = "") -> None:
    """Write one message for each user, in the caller's transaction."""
    Notification.objects.bulk_create(
        Notification(user_id=user_id, title=title[:200], body=body[:500], path=path, created_at=now)
        for user_id in sorted(set(user_ids))
    )


def notify_role(role: Role, *, department_id: int, title: str, path: str, now: datetime, body: str = "") -> None:
    """Write one message for each active holder of a role in a department."""
    holders = RoleAssignment.objects.filter(role=role, user__department_id=department_id, user__is_active=True)
    notify_users(holders.values_list("user_id", flat=True), title=title, path=path, now=now, body=body)


def mark_read(*, user_id: int, uid: UUID | None, now: datetime) -> int:
    """Mark one message of a user read, or all of them; return how many were unread."""
    unread = Notification.objects.filter(user_id=user_id, read_at=None)
    return (unread if uid is None else unread.filter(uid=uid)).update(read_at=now)
