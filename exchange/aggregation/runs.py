"""One run of a plan (归集运行): lease, batches, checkpoint, threshold, manifest, and how it ends.

A batch is one transaction: the rows, their rejects, the batch row, the counts and the checkpoint are there together or not at
all. A worker holds a lease; before it writes it locks plan and run, in this order, and checks that the lease is still its own, so
that a worker taken for dead can no longer write. Progress is the run row.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.utils.translation import gettext as _

from basedb import ingest
from basedb.ingest import Counts, Intake
from core import audit
from core.audit import PLATFORM
from core.errors import DomainError, Unavailable
from core.notifications import notify_role, notify_users
from core.roles import Role
from exchange.aggregation.connector import Reading, dataset_of, fields_of, is_over_limit
from exchange.aggregation.connectors.registry import CONNECTORS
from exchange.aggregation.replay import ReplayReading, mark_replayed, sink_of
from exchange.failures import DATABASE_ERRORS, code_of, forget_broken_connection, told_of
from exchange.models import AggregationBatch, AggregationPlan, AggregationRun, RunState
from exchange.systems import key_ring

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
LEASE = timedelta(seconds=30)
HEARTBEAT_SECONDS = 10
PATIENCE = timedelta(minutes=10)
COUNTED = ("read", "accepted", "changed", "rejected", "unchanged", "deleted")
_STATEMENT_TIMEOUT = "15min"


class LeaseLost(Exception):
    """Another worker has this run now; nothing may be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run."""

    run_id: int
    plan_id: int
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
    try:
        with kept_alive(lease, clock):
            run = AggregationRun.objects.select_related("plan").get(pk=lease.run_id)
            reading = open_reading(run)
            reading.begin()
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
    except DATABASE_ERRORS as error:
        log.error("run %s: %s", run_uid, told_of(error))
        forget_broken_connection()
        said = _("平台数据库没有接受这批数据（错误码 %(code)s）。") % {"code": code_of(error)}
        postpone(lease, said, reading, clock())
    except Exception as error:
        log.error("run %s: %s", run_uid, told_of(error))
        fail(lease, _("平台内部错误，运行已停止，请联系平台管理员。"), reading, clock())
    finally:
        if reading is not None:
            reading.close()


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
    return Lease(run.pk, run.plan_id, run.lease_token)


@contextmanager
def kept_alive(lease: Lease, clock: Clock) -> Iterator[None]:
    """Renew the lease from a thread of its own while a slow source is read; a kill ends the thread with the process."""
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(HEARTBEAT_SECONDS):
                mine = AggregationRun.objects.filter(pk=lease.run_id, lease_token=lease.token, state=RunState.RUNNING)
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
    plan = AggregationPlan.objects.select_for_update(no_key=True).get(pk=lease.plan_id)
    run = AggregationRun.objects.select_for_update(no_key=True).get(pk=lease.run_id)
    if run.lease_token != lease.token or run.state != RunState.RUNNING:
        raise LeaseLost
    run.plan = plan
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
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")
    plan = AggregationPlan.objects.select_related("source").get(pk=lease.plan_id)
    intake = _intake(plan, lease, clock())
    staged = ingest.stage(intake, f"run_{lease.run_id}", reading.batch(plan.batch_size))
    run = _held(lease)
    counts = ingest.merge(intake, staged)
    if run.is_replay and counts.read:
        mark_replayed(run, reading.state["id"])
    _advance(run, reading, counts, clock())
    if _over_the_limit(run):
        percent = _("拒收 %(rejected)s 行，占读取 %(read)s 行的比例超过上限 %(limit)s%%，已停止。")
        said = {"rejected": run.rejected_count, "read": run.read_count, "limit": run.plan.reject_limit_percent}
        _end(run, RunState.STOPPED, percent % said, reading, clock())
        return False
    if not reading.is_exhausted:
        return True
    _finish(run, reading, clock())
    return False


def _intake(plan: AggregationPlan, lease: Lease, now: datetime) -> Intake:
    run = AggregationRun.objects.get(pk=lease.run_id)
    return Intake(
        dataset=dataset_of(plan),
        source=plan.source,
        fields=fields_of(plan),
        run_id=run.pk,
        subject_key=key_ring().subject_key,
        rejects=sink_of(run),
        today=now.date(),
        now=now,
    )


def _advance(run: AggregationRun, reading: Reading, counts: Counts, now: datetime) -> None:
    """Write what the batch changes beside its rows."""
    if counts.read:
        sequence = AggregationBatch.objects.filter(run=run).count() + 1
        AggregationBatch.objects.create(
            run=run,
            sequence=sequence,
            checkpoint=reading.state,
            read_count=counts.read,
            accepted_count=counts.accepted,
            changed_count=counts.changed,
            rejected_count=counts.rejected,
            unchanged_count=counts.unchanged,
            deleted_count=counts.deleted,
        )
    for name in COUNTED:
        setattr(run, f"{name}_count", getattr(run, f"{name}_count") + getattr(counts, name))
    run.checkpoint, run.lease_until = reading.state, now + LEASE
    run.save(update_fields=[*(f"{name}_count" for name in COUNTED), "checkpoint", "lease_until"])
    if not run.is_replay:
        run.plan.checkpoint = reading.plan_checkpoint()
        run.plan.save(update_fields=["checkpoint"])


def _over_the_limit(run: AggregationRun) -> bool:
    return not run.is_replay and is_over_limit(run.plan, run.rejected_count, run.read_count)


def _finish(run: AggregationRun, reading: Reading, now: datetime) -> None:
    """End a run whose source has no more rows: its manifest must agree."""
    if run.expected_count is not None and run.expected_count != run.read_count:
        said = {"expected": run.expected_count, "read": run.read_count}
        _end(run, RunState.FAILED, _("清单不符：数源 %(expected)s 行，实际读取 %(read)s 行。") % said, reading, now)
    else:
        _end(run, RunState.SUCCEEDED, "", reading, now)


def _end(run: AggregationRun, state: RunState, message: str, reading: Reading | None, now: datetime) -> None:
    """Close a held run, audit it and tell those who have to act."""
    note = reading.settle(run, done=state == RunState.SUCCEEDED, now=now) if reading is not None else ""
    run.state, run.finished_at = state, now
    run.message = (message if note and note in message else f"{note}{'：' if note and message else ''}{message}")[:500]
    run.lease_token = run.lease_until = None
    run.save(update_fields=["state", "finished_at", "message", "lease_token", "lease_until"])
    counts = {name: getattr(run, f"{name}_count") for name in COUNTED}
    department = run.plan.department_id
    audit.record(
        PLATFORM, f"aggregation_run.{state.lower()}", run, at=now, department_ids=[department], plan=str(run.plan.uid), **counts
    )
    path = f"/aggregation/runs/{run.uid}/"
    if state != RunState.SUCCEEDED:
        title = _("归集任务「%(plan)s」%(state)s") % {"plan": run.plan.title, "state": state.label}
        notify_role(Role.OPERATOR, department_id=department, title=title, body=run.message, path=path, now=now)
    elif run.started_by_id is not None:
        title = _("您启动的归集任务「%(plan)s」已完成") % {"plan": run.plan.title}
        notify_users([run.started_by_id], title=title, path=path, now=now)


@transaction.atomic(durable=True)
def fail(lease: Lease, message: str, reading: Reading | None, now: datetime) -> None:
    """End a run that somebody has to look at."""
    try:
        _end(_held(lease), RunState.FAILED, message, reading, now)
    except LeaseLost:
        log.warning("run %s: lost before its failure was noted", lease.run_id)


@transaction.atomic(durable=True)
def postpone(lease: Lease, message: str, reading: Reading | None, now: datetime) -> None:
    """Let a run wait for a source that is away and try again; after some minutes give up."""
    try:
        run = _held(lease)
    except LeaseLost:
        return
    if run.started_at is not None and now - run.started_at > PATIENCE:
        _end(run, RunState.FAILED, message, reading, now)
        return
    run.message = _("%(what)s 稍后自动重试。") % {"what": message}
    run.lease_token, run.lease_until = None, now + LEASE
    run.save(update_fields=["message", "lease_token", "lease_until"])


def unattended(*, now: datetime) -> list[UUID]:
    """Return the runs no worker holds: queued and never taken, or left by a worker that is gone."""
    waiting = AggregationRun.objects.filter(state=RunState.QUEUED, queued_at__lte=now - timedelta(seconds=5))
    left = AggregationRun.objects.filter(state=RunState.RUNNING, lease_until__lte=now)
    return [*waiting.values_list("uid", flat=True), *left.values_list("uid", flat=True)]
