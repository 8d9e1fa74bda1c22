"""The daily digest (每日待办提醒): on working days one message for everyone with open work, with counts and the way there.

Single requests are announced when they arrive and before they are late (`supervision`); this is the day at a glance.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core import working_days
from core.accounts import actor_of
from core.calendar import SHANGHAI
from core.models import User
from core.notifications import notify_users
from exchange.models import DailyDigest
from exchange.models.desk_work import DELEGABLE
from exchange.requests.delegation import with_delegations
from exchange.requests.inbox import Asked, counts, tab_counts

PAGE = "/requests/inbox/?tab=todo"


def tell_the_day(*, now: datetime) -> int:
    """Tell everyone who has open work, once a day, and nobody on a day off. Return how many were told."""
    today = now.astimezone(SHANGHAI).date()
    if not working_days.calendar().is_working(today):
        return 0
    people = User.objects.filter(is_active=True, role_assignments__role__in=[role.value for role in DELEGABLE]).distinct()
    told = DailyDigest.objects.filter(on=today).values("user_id")
    return sum(_tell(user, now) for user in people.exclude(pk__in=told).select_related("department").order_by("id"))


@transaction.atomic
def _tell(user: User, now: datetime) -> bool:
    today = now.astimezone(SHANGHAI).date()
    actor = with_delegations(actor_of(user), now=now)
    waiting = tab_counts(actor, tabs=("todo",))["todo"]
    if not waiting:
        return False
    due = counts(actor=actor, tab="todo", asked=Asked(), now=now)["due"]
    _row, is_new = DailyDigest.objects.get_or_create(user=user, on=today)
    if not is_new:
        return False
    values = {"waiting": waiting, "overdue": due["overdue"], "soon": due["soon"]}
    title = _("今日待办申请 %(waiting)s 项，其中已超期 %(overdue)s 项，即将到期 %(soon)s 项") % values
    notify_users([user.pk], title=title, path=PAGE, now=now)
    return True
