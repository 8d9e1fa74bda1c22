"""Licenses about to expire (证照到期提醒): their issuer is told; nothing is changed, expiry follows from the date alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from core import notifications
from core.calendar import SHANGHAI
from core.roles import Role
from licenses.models import License, LicenseState

AHEAD: Final = timedelta(days=30)


@transaction.atomic
def remind(*, now: datetime) -> int:
    """Tell each issuer how many of its licenses expire thirty days from now; return how many those are."""
    day = now.astimezone(SHANGHAI).date() + AHEAD
    due = License.objects.filter(is_current=True, state=LicenseState.VALID, valid_to=day)
    counts = dict(due.order_by().values_list("issuer").annotate(count=Count("id")))
    for department_id, count in sorted(counts.items()):
        title = _("有 %(count)d 份证照将于 %(day)s 到期，可提醒持证主体办理延续") % {"count": count, "day": day.isoformat()}
        path = f"/licenses/?expires_on={day.isoformat()}"
        notifications.notify_role(Role.OPERATOR, department_id=department_id, title=title, path=path, now=now)
    return sum(counts.values())
