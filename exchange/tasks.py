"""Tasks of the exchange: they parse, call one process function, and hold no truth.

The truth is rows: what a queue loses is dispatched again from the rows that are due, queued or left by a dead worker, and a
source that is away makes its row wait. Every task may run twice.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import current_app, shared_task
from django.db import connection, transaction
from django.utils import timezone

from basedb.legal_entity import verification
from core.audit import PLATFORM
from core.errors import Unavailable
from exchange import public_keys
from exchange.aggregation import parts, plans, quality, runs
from exchange.backflow import batches
from exchange.bulk_jobs import jobs, writing
from exchange.care import alerts, disposals, usage_records
from exchange.evidence import archiving, checking, retention, sealing, stamping
from exchange.license_statistics import measuring as license_statistics
from exchange.lineage import refreshing
from exchange.matters import fetching as matters
from exchange.matters import figures as matter_figures
from exchange.national import client as national
from exchange.requests import closing, renewals
from exchange.requests.attachments import keeping
from exchange.statistics import folding
from exchange.systems import key_ring
from exchange.upstream import sending
from exchange.zones import measuring

DELIVER_TASK = "exchange.deliver_backflow"
WRITE_BULK_TASK = "exchange.write_bulk_job"
_SHORT = {"acks_late": True, "time_limit": 60, "soft_time_limit": 50}
_LONG = {"acks_late": True, "time_limit": 3600, "soft_time_limit": 3500}
_AGAIN = {"autoretry_for": (Unavailable,), "retry_backoff": 5, "max_retries": 3}


@shared_task(name="exchange.dispatch_aggregation", **_SHORT, **_AGAIN)
def dispatch_aggregation() -> None:
    """Queue the plans that are due and hand out every run no worker holds."""
    now = timezone.now()
    plans.queue_due(now=now)
    for uid in runs.unattended(now=now):
        current_app.send_task(plans.RUN_TASK, [str(uid)])
    for uid, number in parts.unattended(now=now):
        current_app.send_task(plans.PART_TASK, [str(uid), number])


@shared_task(name="exchange.check_batches", **_SHORT, **_AGAIN)
def check_batches() -> None:
    """Have the quality of what runs brought lately checked."""
    quality.check_batches(now=timezone.now())


@shared_task(name=plans.RUN_TASK, **_LONG, **_AGAIN)
def run_aggregation(run_uid: str) -> None:
    """Carry one run to its end, or from where its last worker left it."""
    runs.work(run_uid=UUID(run_uid), clock=timezone.now)


@shared_task(name=plans.PART_TASK, **_LONG, **_AGAIN)
def run_aggregation_part(run_uid: str, number: int) -> None:
    """Carry one share of a run to its end, or from where its last worker left it."""
    runs.work_parts(run_uid=UUID(run_uid), number=number, clock=timezone.now)


@shared_task(name="exchange.refresh_lineage", **_SHORT, **_AGAIN)
def refresh_lineage() -> None:
    """Bring the kept lineage up to date."""
    refreshing.refresh(now=timezone.now())


@shared_task(name="exchange.dispatch_backflow", **_SHORT, **_AGAIN)
def dispatch_backflow() -> None:
    """Hand out the subscriptions that are due."""
    for uid in batches.due(now=timezone.now()):
        current_app.send_task(DELIVER_TASK, [str(uid)])


@shared_task(name=DELIVER_TASK, **_LONG, **_AGAIN)
def deliver_backflow(subscription_uid: str) -> None:
    """Deliver what changed to one receiver."""
    batches.work(subscription_uid=UUID(subscription_uid), clock=timezone.now)


@shared_task(name="exchange.dispatch_bulk_jobs", **_SHORT, **_AGAIN)
def dispatch_bulk_jobs() -> None:
    """Hand out the bulk jobs no worker holds, and remove the files of those that were kept long enough."""
    now = timezone.now()
    jobs.expire_due(now=now)
    for uid in writing.unattended(now=now):
        current_app.send_task(WRITE_BULK_TASK, [str(uid)])


@shared_task(name=WRITE_BULK_TASK, **_LONG, **_AGAIN)
def write_bulk_job(job_uid: str) -> None:
    """Write the parts of one job, from where its last worker left it."""
    writing.work(job_uid=UUID(job_uid), clock=timezone.now)


@shared_task(name="exchange.make_partitions", **_SHORT, **_AGAIN)
def make_partitions() -> None:
    """Make the partitions of the call record for this month and three ahead, by Shanghai's calendar."""
    month = timezone.localdate().replace(day=1)
    with transaction.atomic(), connection.cursor() as cursor:
        for _ahead in range(4):
            cursor.execute("SELECT exchange_make_call_record_partition(%s)", [month])
            month = (month + timedelta(days=31)).replace(day=1)


@shared_task(name="exchange.seal_records", **_SHORT, **_AGAIN)
def seal_records() -> None:
    """Seal what was appended since the last seal."""
    sealing.seal_all()


@shared_task(name="exchange.stamp_seals", **_SHORT)
def stamp_seals() -> None:
    """Have the newest seals stamped by an outside authority, if there is one; the next minute asks again."""
    stamping.stamp_due()


@shared_task(name="exchange.archive_seals", **_LONG, **_AGAIN)
def archive_seals() -> None:
    """Write the archives of the periods that have ended."""
    archiving.archive_due(now=timezone.now())


@shared_task(name="exchange.retire_records", **_LONG, **_AGAIN)
def retire_records() -> None:
    """Take the months out of the call record that are older than it keeps at hand."""
    retention.retire_due(before=None, actor=PLATFORM, now=timezone.now())


@shared_task(name="exchange.verify_evidence", **_LONG, **_AGAIN)
def verify_evidence() -> None:
    """Verify both chains and every archive from the beginning."""
    checking.verify(actor=PLATFORM, since=None, until=None, now=timezone.now())


@shared_task(name="exchange.close_ended", **_SHORT, **_AGAIN)
def close_ended() -> None:
    """Close the requests whose grants have ended."""
    closing.close_ended(now=timezone.now())


@shared_task(name="exchange.remind_overdue", **_SHORT, **_AGAIN)
def remind_overdue() -> None:
    """Remind the desks that are late."""
    from exchange.requests.supervision import remind_overdue as remind

    remind(now=timezone.now())


@shared_task(name="exchange.fold_calls", **_SHORT, **_AGAIN)
def fold_calls() -> None:
    """Fold the calls recorded since into the roll-ups."""
    folding.fold_all(now=timezone.now())


@shared_task(name="exchange.drop_expired_statistics", **_LONG, **_AGAIN)
def drop_expired_statistics() -> None:
    """Drop the finer roll-ups that are no longer kept."""
    folding.drop_expired(now=timezone.now())


@shared_task(name="exchange.remind_of_ends", **_SHORT, **_AGAIN)
def remind_of_ends() -> None:
    """Remind of the grants and of the keys of systems that end soon."""
    renewals.remind_of_ends(now=timezone.now())
    public_keys.remind_of_ends(now=timezone.now())


@shared_task(name="exchange.sweep_attachments", **_LONG, **_AGAIN)
def sweep_attachments() -> None:
    """Remove files that belong to no attachment."""
    keeping.sweep(now=timezone.now())


@shared_task(name="exchange.requests.daily_digest", **_SHORT, **_AGAIN)
def daily_digest() -> None:
    """Tell everyone with open work what the day holds; a lost run is made good by the next one of the same morning."""
    from exchange.requests.daily_digest import tell_the_day

    tell_the_day(now=timezone.now())


@shared_task(name="exchange.look_out", **_SHORT, **_AGAIN)
def look_out() -> None:
    """Raise alerts on unusual use."""
    alerts.look_out(now=timezone.now())


@shared_task(name="exchange.open_disposals", **_SHORT, **_AGAIN)
def open_disposals() -> None:
    """Ask for the disposal of the data of grants that have ended."""
    disposals.open_due(now=timezone.now())


@shared_task(name="exchange.remind_of_usage_records", **_SHORT, **_AGAIN)
def remind_of_usage_records() -> None:
    """Ask for the usage records of the quarter that has ended."""
    usage_records.remind(now=timezone.now())


@shared_task(name="exchange.refresh_national_sessions", **_SHORT, **_AGAIN)
def refresh_national_sessions() -> None:
    """Refresh our sessions at platforms above before they end."""
    national.refresh_due(now=timezone.now())


@shared_task(name="exchange.verify_entities", **_LONG, **_AGAIN)
def verify_entities() -> None:
    """Check all legal entities against the other bases."""
    verification.verify_entities(keys=None, subject_key=key_ring().subject_key, today=timezone.localdate())


@shared_task(name="exchange.relay_upward", **_LONG, **_AGAIN)
def relay_upward() -> None:
    """Send the requests that were reported upward, and ask after those without an answer."""
    sending.relay_all(now=timezone.now())


@shared_task(name="exchange.measure_zones", **_LONG)
def measure_zones() -> None:
    """Measure what every department has on the platform."""
    measuring.measure(now=timezone.now())


@shared_task(name="exchange.measure_licenses", **_LONG)
def measure_licenses() -> None:
    """Count the licenses of the city, their coverage and their uses."""
    license_statistics.measure(now=timezone.now())


@shared_task(name="exchange.measure_matters", **_SHORT)
def measure_matters() -> None:
    """Count the materials that were fetched instead of asked for."""
    matter_figures.measure(now=timezone.now())


@shared_task(name="exchange.forget_matter_answers", **_SHORT)
def forget_matter_answers() -> None:
    """Take away the answers whose time is over."""
    matters.forget_answers(now=timezone.now())
