"""Tasks of the base databases: they parse, call one process function, and hold no truth."""

from __future__ import annotations

from uuid import UUID

from celery import current_app, shared_task
from django.utils import timezone

from basedb import licenses
from basedb.credit import standing
from basedb.fusion import conflicts, merging
from basedb.geography import figures
from basedb.matching import desk
from basedb.quality import asking, checking
from basedb.thematic import refreshing

_SHORT = {"acks_late": True, "time_limit": 60, "soft_time_limit": 50}
_LONG = {"acks_late": True, "time_limit": 3600, "soft_time_limit": 3500}


@shared_task(name="basedb.dispatch_quality", **_SHORT)
def dispatch_quality() -> None:
    """Hand out every check no worker has in hand."""
    for uid in checking.unattended(now=timezone.now()):
        current_app.send_task(asking.CHECK_TASK, [str(uid)])


@shared_task(name=asking.CHECK_TASK, **_LONG)
def check_quality(check_uid: str) -> None:
    """Carry one check to its end."""
    checking.work(check_uid=UUID(check_uid), clock=timezone.now)


@shared_task(name="basedb.check_all_quality", **_SHORT)
def check_all_quality() -> None:
    """Queue the nightly check of every dataset."""
    asking.ask_for_all(now=timezone.now())


@shared_task(name="basedb.take_down_credit", **_LONG)
def take_down_credit() -> None:
    """Take down the credit records whose last day of being shown has ended."""
    standing.take_down(now=timezone.now())


@shared_task(name="basedb.review_licenses", **_LONG)
def review_licenses() -> None:
    """Mark the licenses that have to be looked at."""
    licenses.review(now=timezone.now())


@shared_task(name="basedb.count_divisions", **_LONG)
def count_divisions() -> None:
    """Count anew what each division holds."""
    figures.recount(now=timezone.now())


@shared_task(name="basedb.apply_fusion", **_LONG)
def apply_fusion() -> None:
    """Carry out what people decided about fusion."""
    merging.apply_due(clock=timezone.now)


@shared_task(name="basedb.remind_of_conflicts", **_SHORT)
def remind_of_conflicts() -> None:
    """Tell departments of the conflicts that wait for them."""
    conflicts.remind(now=timezone.now())


@shared_task(name="basedb.dispatch_thematic", **_SHORT)
def dispatch_thematic() -> None:
    """Queue the thematic databases that are due and hand out every refresh no worker has in hand."""
    now = timezone.now()
    refreshing.queue_due(now=now)
    for uid in refreshing.unattended(now=now):
        current_app.send_task(refreshing.REFRESH_TASK, [str(uid)])


@shared_task(name=refreshing.REFRESH_TASK, **_LONG)
def refresh_thematic(refresh_uid: str) -> None:
    """Carry one refresh to its end."""
    refreshing.work(refresh_uid=UUID(refresh_uid), clock=timezone.now)


@shared_task(name="basedb.match_records", **_LONG)
def match_records() -> None:
    """Match the records without an identifier."""
    from basedb.matching import running  # Splink and DuckDB come with it: only a worker that matches carries them

    running.match_records(clock=timezone.now)


@shared_task(name="basedb.apply_matching", **_SHORT)
def apply_matching() -> None:
    """Carry out what reviewers decided about pairs."""
    desk.apply_due(clock=timezone.now)
