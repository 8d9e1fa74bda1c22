"""Writing a bulk job (批量生成): part after part under a lease; killing the worker anywhere loses and doubles nothing.

All parts one worker writes are of one snapshot of the database. A worker that takes over a killed one's job keeps the parts that
are noted and goes on behind them with a snapshot of its own; `as_of` of each part says which. Before each part the grant is asked
again, so that a revocation stops the job within one part.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection  # noqa: N812

from basedb.parts import Rows
from core import audit
from core.audit import PLATFORM
from exchange.bulk_jobs import files, formats, jobs, permission
from exchange.bulk_jobs.formats import Piece
from exchange.bulk_jobs.marks import mark_of
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.failures import forget_broken_connection, told_of
from exchange.models import BulkJob, BulkPart, JobState
from exchange.models.bulk_job import UNFINISHED

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
LEASE: Final = timedelta(seconds=60)
AGAIN: Final = timedelta(seconds=30)
RENEWED_EVERY: Final = 10.0


class LeaseLost(Exception):
    """Another worker has the job now, or it was cancelled."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a job."""

    job_id: int
    token: UUID


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A view of the database that does not change, and its time."""

    connection: Connection
    as_of: datetime


def unattended(*, now: datetime) -> list[UUID]:
    """Return the unfinished jobs no worker holds and that are due, oldest first."""
    rows = BulkJob.objects.filter(state__in=UNFINISHED).filter(
        Q(lease_until=None) | Q(lease_until__lte=now), Q(retry_at=None) | Q(retry_at__lte=now)
    )
    return list(rows.order_by("id").values_list("uid", flat=True))


def work(*, job_uid: UUID, clock: Clock) -> None:
    """Write all parts that are missing; what goes wrong on our side is tried again later."""
    lease = take(job_uid=job_uid, now=clock())
    if lease is None:
        return
    try:
        files.sweep(job_uid)
        source = _open_snapshot()
        try:
            while _write_next(lease, source, clock):
                pass
        finally:
            source.connection.close()
    except LeaseLost:
        log.warning("bulk job %s: not ours any more", job_uid)
    except Refusal as refusal:
        if refusal.code.startswith("platform."):
            rest(lease, refusal.code, clock())
        else:
            stop(lease, refusal.code, clock())
    except Exception as error:
        log.error("bulk job %s: %s", job_uid, told_of(error))
        forget_broken_connection()
        rest(lease, "platform.unavailable", clock())


@transaction.atomic(durable=True)
def take(*, job_uid: UUID, now: datetime) -> Lease | None:
    """Take the lease of an unfinished job nobody holds; None when there is nothing to take."""
    rows = BulkJob.objects.select_for_update(no_key=True, skip_locked=True)
    job = rows.filter(uid=job_uid, state__in=UNFINISHED).first()
    if job is None or (job.lease_until is not None and job.lease_until > now):
        return None
    job.state, job.lease_token, job.lease_until, job.retry_at = JobState.RUNNING, uuid4(), now + LEASE, None
    job.save(update_fields=["state", "lease_token", "lease_until", "retry_at"])
    return Lease(job.pk, job.lease_token)


def _open_snapshot() -> Snapshot:
    """Open a reading transaction whose view stays the same until it is closed."""
    connection = connections.connect(connections.BULK_TIMEOUT_MS)
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True, autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        [(as_of,)] = cursor.fetchall()
        return Snapshot(connection, as_of)


def _held(lease: Lease) -> BulkJob:
    rows = BulkJob.objects.select_for_update(no_key=True, of=("self",)).select_related("grant__system__department")
    job = rows.get(pk=lease.job_id)
    if job.lease_token != lease.token or job.state != JobState.RUNNING:
        raise LeaseLost
    return job


@transaction.atomic(durable=True)
def renew(lease: Lease, now: datetime) -> BulkJob:
    """Hold the job a little longer."""
    job = _held(lease)
    job.lease_until = now + LEASE
    job.save(update_fields=["lease_until"])
    return job


class Renewal:
    """Called with every block that is written: renews the lease from time to time, and so notices that the job was cancelled."""

    def __init__(self, lease: Lease, clock: Clock) -> None:
        self._lease, self._clock = lease, clock
        self._last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._last > RENEWED_EVERY:
            renew(self._lease, self._clock())
            self._last = time.monotonic()


def _write_next(lease: Lease, source: Snapshot, clock: Clock) -> bool:
    """Write one part when the grant still allows it; return whether another may follow."""
    now = clock()
    job = renew(lease, now)
    rows = permission.rows_now(job, now)
    if not files.is_room_left():
        raise Refusal("platform.busy", {"disk": "full"})
    number, after = job.part_count + 1, bytes(job.after_key)
    upto = _end_of_part(source.connection, rows, after, job.rows_a_part)
    mark = mark_of(job.grant.uid, job.uid, number)
    piece = Piece(rows, after, upto, mark, f"{job.grant.system.department.name} {job.grant.system.name}", job.opened_at)
    partial = files.make_folder(job.uid) / f"{number:06d}.{lease.token}.partial"
    written = formats.write(source.connection, piece, job.format, partial, Renewal(lease, clock))
    if written.row_count == 0 and number > 1:
        partial.unlink()
        return finish(lease, None, partial, None, clock())
    part = BulkPart(
        job=job,
        number=number,
        row_count=written.row_count,
        byte_count=written.byte_count,
        sha256=written.sha256,
        sm3=written.sm3,
        mark=mark,
        as_of=source.as_of,
        written_at=clock(),
    )
    return finish(lease, part, partial, upto, clock())


def _end_of_part(connection: Connection, rows: Rows, after: bytes, size: int) -> bytes | None:
    with connection.cursor() as cursor:
        cursor.execute(rows.end_sql(after, size))
        found: Any = cursor.fetchone()
        return None if found is None else bytes(found[0])


@transaction.atomic(durable=True)
def finish(lease: Lease, part: BulkPart | None, partial: Path, upto: bytes | None, now: datetime) -> bool:
    """Note a part, and the end of the job behind the last one; return whether another part may follow.

    The file gets its name under the lock of the job: nobody who has lost the lease can put another in its place.
    """
    job = _held(lease)
    job.lease_until = now + LEASE
    if part is not None:
        part.save(force_insert=True)
        files.settle(partial, files.path_of(job.uid, part.number, job.format))
        job.part_count, job.row_count = part.number, job.row_count + part.row_count
    if upto is not None:
        job.after_key = upto
    else:
        job.state, job.finished_at, job.lease_token, job.lease_until = JobState.READY, now, None, None
        job.expires_at = now + timedelta(hours=settings.BULK_KEPT_HOURS)
        _tell(job, "bulk_job.written", now, rows=job.row_count, parts=job.part_count)
    job.save()
    return upto is not None


@transaction.atomic(durable=True)
def stop(lease: Lease, reason: str, now: datetime) -> None:
    """End a job its grant does not allow any more; its files are removed."""
    try:
        job = _held(lease)
    except LeaseLost:
        return
    job.state, job.reason, job.finished_at, job.lease_token, job.lease_until = JobState.STOPPED, reason, now, None, None
    job.save()
    _tell(job, "bulk_job.stopped", now, reason=reason)
    jobs.drop_files(job)


@transaction.atomic(durable=True)
def rest(lease: Lease, reason: str, now: datetime) -> None:
    """Give the job back; it is taken up again behind its last part."""
    try:
        job = _held(lease)
    except LeaseLost:
        return
    job.reason, job.retry_at, job.lease_token, job.lease_until = reason, now + AGAIN, None, None
    job.save(update_fields=["reason", "retry_at", "lease_token", "lease_until"])


def _tell(job: BulkJob, event: str, now: datetime, **facts: Any) -> None:
    owners = [job.grant.system.department_id, job.grant.resource.provider_id]
    audit.record(PLATFORM, event, job.grant, at=now, department_ids=owners, job=str(job.uid), **facts)
