"""One run of a plan (归集运行): lease, batches, checkpoint, threshold, manifest, and how it ends.

A batch is one transaction: the rows, their rejects, the batch row, the counts and the checkpoint are there together or not at
all. A worker holds a lease; before it writes it locks plan and run, in this order, and checks that the lease is still its own, so
that a worker taken for dead can no longer write. Progress is the run row.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from basedb import ingest
from basedb.ingest import Counts, Staged
from core.errors import DomainError, Unavailable
from exchange.aggregation import parts
from exchange.aggregation.column_breaks import note_break
from exchange.aggregation.connector import Reading
from exchange.aggregation.connectors.registry import CONNECTORS
from exchange.aggregation.ending import TALLIED, end, finish, is_within_limits, locked, note_batch, stage_next, stop_before
from exchange.aggregation.parts import LEASE, Clock, Share, ShareLost
from exchange.aggregation.replay import ReplayReading, mark_replayed
from exchange.failures import DATABASE_ERRORS, code_of, forget_broken_connection, told_of
from exchange.models import AggregationBatch, AggregationPart, AggregationRun, RunState

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10
PATIENCE = timedelta(minutes=10)


class LeaseLost(Exception):
    """Another worker has this run now; nothing may be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run."""

    run_id: int
    token: UUID


def work(*, run_uid: UUID, clock: Clock) -> None:
    """Take a run, if it is free, and carry it to its end; every outcome is a row, nothing is raised for a bad source."""
    lease = take(run_uid=run_uid, now=clock())
    if lease is None:
        return
    try:
        _carry(lease, run_uid, clock)
    except DATABASE_ERRORS as error:  # not even the outcome could be noted: the run is found again when its lease is over
        log.error("run %s: %s", run_uid, told_of(error))
        raise Unavailable("platform.database_away", _("平台数据库暂时不可用。")) from None


def _carry(lease: Lease, run_uid: UUID, clock: Clock) -> None:
    """Read to the end; an error the rules do not know is logged without the row it quotes, and its run does not stay open."""
    reading: Reading | None = None
    numbers: list[int] = []
    try:
        with kept_alive(lease, clock):
            run = AggregationRun.objects.select_related("plan").get(pk=lease.run_id)
            reading = open_reading(run)
            reading.begin()
            if parts.is_divided(run, reading):
                divide(lease, reading)
                numbers = list(run.parts.values_list("number", flat=True))
            else:
                expect(lease, reading.expected)
                while take_batch(lease, reading, clock):
                    pass
    except LeaseLost:
        log.warning("run %s: another worker has it", run_uid)
    except SoftTimeLimitExceeded:
        log.warning("run %s: out of time, taken up again when its lease is over", run_uid)
    except Unavailable as error:
        postpone(lease, str(error.message), reading, clock())
    except DomainError as error:
        fail(lease, str(error.message), reading, clock())
        note_break(run_id=lease.run_id, error=error, now=clock())
    except DATABASE_ERRORS as error:
        log.error("run %s: %s", run_uid, told_of(error))
        forget_broken_connection()
        postpone(lease, _refused_by_platform(error), reading, clock())
    except Exception as error:
        log.error("run %s: %s", run_uid, told_of(error))
        fail(lease, _("平台内部错误，运行已停止，请联系平台管理员。"), reading, clock())
    finally:
        if reading is not None:
            reading.close()
    for number in numbers:
        work_part(run_uid=run_uid, number=number, clock=clock)


def _refused_by_platform(error: Exception) -> str:
    return _("平台数据库没有接受这批数据（错误码 %(code)s）。") % {"code": code_of(error)}


def work_parts(*, run_uid: UUID, number: int, clock: Clock) -> None:
    """Carry a share to its end, then those of its run that gave way meanwhile."""
    work_part(run_uid=run_uid, number=number, clock=clock)
    for other in parts.free_of(run_uid=run_uid, now=clock()):
        work_part(run_uid=run_uid, number=other, clock=clock)


def work_part(*, run_uid: UUID, number: int, clock: Clock) -> None:
    """Take a share of a run, if it is free, and carry it to its end."""
    share = parts.take(run_uid=run_uid, number=number, now=clock())
    if share is None:
        return
    reading: Reading | None = None
    try:
        with kept_alive(share, clock):
            reading = parts.open_share(share, open_reading)
            reading.begin()
            while parts.take_batch(share, reading, clock):
                pass
    except ShareLost:
        log.warning("run %s, share %s: another worker has it", run_uid, number)
    except SoftTimeLimitExceeded:
        log.warning("run %s, share %s: out of time", run_uid, number)
    except Unavailable as error:
        log.warning("run %s, share %s: %s", run_uid, number, error.code)
        parts.let_wait(share, clock())
        give_up_late(share.run_id, str(error.message), clock())
    except DomainError as error:
        fail_run(share.run_id, str(error.message), clock())
        note_break(run_id=share.run_id, error=error, now=clock())
    except DATABASE_ERRORS as error:
        log.error("run %s, share %s: %s", run_uid, number, told_of(error))
        forget_broken_connection()
        parts.let_wait(share, clock())
        give_up_late(share.run_id, _refused_by_platform(error), clock())
    except Exception as error:
        log.error("run %s, share %s: %s", run_uid, number, told_of(error))
        fail_run(share.run_id, _("平台内部错误，运行已停止，请联系平台管理员。"), clock())
    finally:
        if reading is not None:
            reading.close()


@transaction.atomic(durable=True)
def divide(lease: Lease, reading: Reading) -> None:
    """Cut a run into shares (分片)."""
    parts.lay_out(_held(lease), reading)


@transaction.atomic(durable=True)
def fail_run(run_id: int, message: str, now: datetime) -> None:
    """End a run of which a share failed; the workers of the others find out when they next write."""
    run = AggregationRun.objects.select_related("plan").select_for_update(of=("self",), no_key=True).get(pk=run_id)
    if run.state == RunState.RUNNING:
        end(run, RunState.FAILED, message, None, now)


def give_up_late(run_id: int, message: str, now: datetime) -> None:
    """Fail a run whose source stays away for too long."""
    if _waited_too_long(AggregationRun.objects.get(pk=run_id), now):
        fail_run(run_id, message, now)


def _waited_too_long(run: AggregationRun, now: datetime) -> bool:
    """Whether nothing came in for longer than a source is waited for; a long run that got somewhere lately has waited for none."""
    last = AggregationBatch.objects.filter(run=run).aggregate(last=Max("committed_at"))["last"] or run.started_at
    return last is not None and now - max(last, run.started_at or last) > PATIENCE


def open_reading(run: AggregationRun) -> Reading:
    """Return the reading that serves this run."""
    if run.is_replay:
        return ReplayReading(run.plan, run)
    return CONNECTORS[run.plan.connector].open(run.plan, run)


@transaction.atomic(durable=True)
def take(*, run_uid: UUID, now: datetime) -> Lease | None:
    """Take the lease of a queued run, or of one whose worker is gone; None when there is nothing to take."""
    run = AggregationRun.objects.select_for_update(no_key=True, skip_locked=True).filter(uid=run_uid).first()
    if run is None or run.state not in (RunState.QUEUED, RunState.RUNNING):
        return None
    if run.lease_until is not None and run.lease_until > now:
        return None
    run.state, run.started_at = RunState.RUNNING, run.started_at or now
    run.lease_token, run.lease_until = uuid4(), now + LEASE
    run.save(update_fields=["state", "started_at", "lease_token", "lease_until"])
    return Lease(run.pk, run.lease_token)


@contextmanager
def kept_alive(lease: Lease | Share, clock: Clock) -> Iterator[None]:
    """Renew the lease from a thread of its own while a slow source is read; a kill ends the thread with the process."""
    done = threading.Event()
    model, pk = (AggregationRun, lease.run_id) if isinstance(lease, Lease) else (AggregationPart, lease.part_id)

    def beat() -> None:
        try:
            while not done.wait(HEARTBEAT_SECONDS):
                mine = model._default_manager.filter(pk=pk, lease_token=lease.token, state=RunState.RUNNING)
                mine.update(lease_until=clock() + LEASE)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _held(lease: Lease) -> AggregationRun:
    """Return the run with its plan, both locked, if the lease is still ours."""
    run = locked(lease.run_id)
    if run.lease_token != lease.token or run.state != RunState.RUNNING:
        raise LeaseLost
    return run


@transaction.atomic(durable=True)
def expect(lease: Lease, count: int | None) -> None:
    """Note how many rows the source says there are."""
    run = _held(lease)
    run.expected_count, run.message = count, ""
    run.save(update_fields=["expected_count", "message"])


@transaction.atomic(durable=True)
def take_batch(lease: Lease, reading: Reading, clock: Clock) -> bool:
    """Take one batch, all or nothing, and return whether there may be another."""
    intake, staged = stage_next(lease.run_id, f"run_{lease.run_id}", reading, clock())
    run = _held(lease)
    counts = ingest.merge(intake, staged, may_load=partial(is_within_limits, run, staged))
    if not counts.is_loaded:
        stop_before(run, counts, reading, clock())
        return False
    if run.is_replay and counts.read:
        mark_replayed(run, reading.state["id"])
    _advance(run, reading, staged, counts, clock())
    if not reading.is_exhausted:
        return True
    finish(run, reading, clock())
    return False


def _advance(run: AggregationRun, reading: Reading, staged: Staged, counts: Counts, now: datetime) -> None:
    """Write what the batch changes beside its rows."""
    note_batch(run, staged, counts, reading.state)
    run.checkpoint, run.lease_until = reading.state, now + LEASE
    run.save(update_fields=[*TALLIED, "checkpoint", "lease_until"])
    if not run.is_replay:
        run.plan.checkpoint = reading.plan_checkpoint()
        run.plan.save(update_fields=["checkpoint"])


@transaction.atomic(durable=True)
def fail(lease: Lease, message: str, reading: Reading | None, now: datetime) -> None:
    """End a run that somebody has to look at."""
    try:
        end(_held(lease), RunState.FAILED, message, reading, now)
    except LeaseLost:
        log.warning("run %s: lost before its failure was noted", lease.run_id)


@transaction.atomic(durable=True)
def postpone(lease: Lease, message: str, reading: Reading | None, now: datetime) -> None:
    """Let a run wait for a source that is away and try again; after some minutes give up."""
    try:
        run = _held(lease)
    except LeaseLost:
        return
    if _waited_too_long(run, now):
        end(run, RunState.FAILED, message, reading, now)
        return
    run.message = _("%(what)s 稍后自动重试。") % {"what": message}
    run.lease_token, run.lease_until = None, now + LEASE
    run.save(update_fields=["message", "lease_token", "lease_until"])


def unattended(*, now: datetime) -> list[UUID]:
    """Return the runs no worker holds, the oldest first: left by a worker that is gone, then queued and never taken."""
    waiting = AggregationRun.objects.filter(state=RunState.QUEUED, queued_at__lte=now - timedelta(seconds=5)).order_by(
        "queued_at", "id"
    )
    left = AggregationRun.objects.filter(state=RunState.RUNNING, lease_until__lte=now).order_by("queued_at", "id")
    return [*left.values_list("uid", flat=True), *waiting.values_list("uid", flat=True)]
