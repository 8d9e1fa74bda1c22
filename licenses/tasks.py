"""Tasks of the license office: they parse, call one process function, and hold no truth."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from core.audit import PLATFORM
from licenses.reissue import checking
from licenses.status import publishing

_SHORT = {"acks_late": True, "time_limit": 60, "soft_time_limit": 50}
_LONG = {"acks_late": True, "time_limit": 3600, "soft_time_limit": 3500}


@shared_task(name="licenses.publish_status_lists", **_LONG)
def publish_status_lists() -> None:
    """Publish the status lists that are due."""
    publishing.publish_due(actor=PLATFORM, now=timezone.now())


@shared_task(name="licenses.remind_of_missing", **_SHORT)
def remind_of_missing() -> None:
    """Remind the desks of missing licenses that are due."""
    checking.remind_due(now=timezone.now())
