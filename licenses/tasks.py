"""Tasks of the license office: they parse, call one process function, and hold no truth."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import current_app, shared_task
from django.utils import timezone

from core.audit import PLATFORM
from licenses import delivering
from licenses.issuing import batch_work, batches, expiring, feeding, signing, writing
from licenses.recognition import comparing, pulling, pushing, sending, status_lists
from licenses.recognition import delivering as recognition_delivering
from licenses.reissue import checking
from licenses.sealing import files
from licenses.status import publishing

_SHORT = {"acks_late": True, "time_limit": 60, "soft_time_limit": 50}
_LONG = {"acks_late": True, "time_limit": 3600, "soft_time_limit": 3500}
_SIGNING = timedelta(seconds=40)


@shared_task(name="licenses.publish_status_lists", **_LONG)
def publish_status_lists() -> None:
    """Publish the status lists that are due."""
    publishing.publish_due(actor=PLATFORM, now=timezone.now())


@shared_task(name="licenses.sweep_files", **_LONG)
def sweep_files() -> None:
    """Remove sealed files that no record names any more."""
    files.sweep(now=timezone.now())


@shared_task(name="licenses.remind_of_missing", **_SHORT)
def remind_of_missing() -> None:
    """Remind the desks of missing licenses that are due."""
    checking.remind_due(now=timezone.now())


@shared_task(name="licenses.dispatch_issuing", **_SHORT)
def dispatch_issuing() -> None:
    """Gather what aggregation brought for issuing, and hand out every batch no worker has in hand."""
    feeding.gather(now=timezone.now())
    for uid in batch_work.unattended(now=timezone.now()):
        current_app.send_task(batches.WORK_TASK, [str(uid)])


@shared_task(name=batches.WORK_TASK, **_LONG)
def work_batch(batch_uid: str) -> None:
    """Carry one batch as far as it goes without people."""
    batch_work.work(batch_uid=UUID(batch_uid), clock=timezone.now)


@shared_task(name=writing.SIGN_TASK, **_SHORT)
def sign_pending() -> None:
    """Sign what batches left unsigned, for a while; the timetable goes on."""
    signing.sign_pending(until=timezone.now() + _SIGNING, clock=timezone.now)


@shared_task(name=writing.DELIVER_TASK, **_LONG)
def deliver() -> None:
    """Deliver issued and changed licenses into the base database."""
    delivering.deliver(now=timezone.now())


@shared_task(name="licenses.remind_of_expiry", **_SHORT)
def remind_of_expiry() -> None:
    """Tell issuers what is about to expire."""
    expiring.remind(now=timezone.now())


@shared_task(name="licenses.exchange_with_nodes", **_LONG)
def exchange_with_nodes() -> None:
    """Deliver what nodes sent, and put what changed here into batches and send them."""
    recognition_delivering.deliver_due(now=timezone.now())
    pushing.make_batches(now=timezone.now())
    sending.send_due(now=timezone.now())


@shared_task(name="licenses.fetch_status_lists", **_LONG)
def fetch_status_lists() -> None:
    """Drop the foreign licenses whose time is over, and fetch the status lists of other nodes."""
    pulling.drop_expired(now=timezone.now())
    status_lists.fetch_all(now=timezone.now())


@shared_task(name="licenses.compare_nodes", **_LONG)
def compare_nodes() -> None:
    """Compare what we hold with what every node says."""
    for code in comparing.to_compare():
        current_app.send_task(comparing.COMPARE_TASK, [code])


@shared_task(name=comparing.COMPARE_TASK, **_LONG)
def compare_node(code: str) -> None:
    """Compare what we hold with what one node says."""
    comparing.work(code=code, now=timezone.now())
