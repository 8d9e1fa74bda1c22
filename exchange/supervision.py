"""Supervision (督办): what is late, and reminding the desk that has the ball, once before and once after its deadline.

Deadlines are set when a request arrives at a desk (`clocks`); nothing here moves a request.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.audit import Actor
from exchange.desks import notify_desk
from exchange.models import AccessRequest, Reminder
from exchange.querysets import access_requests_visible_to

SOON = timedelta(hours=24)
AT_ONCE = 500


def overdue_requests(actor: Actor, now: datetime) -> QuerySet[AccessRequest]:
    """Return the requests the actor may see whose desk is late, the latest first."""
    rows = access_requests_visible_to(actor).filter(due_at__lte=now, decided_at=None)
    return rows.select_related("resource", "requester").order_by("due_at", "id")


@transaction.atomic
def remind_overdue(now: datetime) -> int:
    """Remind the desks of what is due within a day or late already; each desk once of each. Return how many were reminded."""
    rows = (
        AccessRequest.objects.filter(due_at__lte=now + SOON, decided_at=None)
        .exclude(reminder=Reminder.OVERDUE)
        .exclude(reminder=Reminder.SOON, due_at__gt=now)
        .select_related("resource", "requester")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("due_at")[:AT_ONCE]
    )
    count = 0
    for access_request in rows:
        is_late = access_request.due_at is not None and access_request.due_at <= now
        access_request.reminder = Reminder.OVERDUE if is_late else Reminder.SOON
        access_request.save(update_fields=["reminder"])
        title = _("已超期，请尽快办理：%(title)s") if is_late else _("将于今日内到期：%(title)s")
        notify_desk(access_request, title=title % {"title": access_request.resource.title}, now=now)
        count += 1
    return count
