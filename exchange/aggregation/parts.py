"""Shares of a run (并行分片): a table's keys cut into ranges, each with a checkpoint and a lease of its own.

Any worker takes any free share; one that dies leaves its share to the next, which goes on at its checkpoint. A share opens a later
snapshot than the one its run was cut in: it goes no further than the cursor found there and must agree with its own snapshot. What
changes meanwhile is for the next run, which starts at that cursor. Batches are judged side by side and merged one after another.
Lock order: share, dataset, plan and run. The last share to end ends the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable
from uuid import UUID, uuid4

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet

from basedb import ingest
from exchange.aggregation.connector import Reading
from exchange.aggregation.ending import (
    HIGHEST,
    TALLIED,
    end,
    finish,
    is_within_limits,
    locked,
    manifest_fault,
    note_batch,
    stage_next,
    stop_before,
)
from exchange.aggregation.plans import PART_TASK
from exchange.models import AggregationPart, AggregationRun, RunState

Clock = Callable[[], datetime]
Opener = Callable[[AggregationRun], Reading]
LEASE = timedelta(seconds=30)
_NEXT, _EXPECTED = "next", "expected"  # of the manifest of a run, of a share


class ShareLost(Exception):
    """Another worker has this share, or its run has ended; nothing may be written."""


@runtime_checkable
class Divisible(Protocol):
    """A reading that can be cut into shares of keys."""

    highest: str | None

    def boundaries(self, parts: int) -> list[str]:
        """Return the last keys of all shares but the last; needs an open reading."""
        ...

    def limit_to(self, after: str | None, upto: str | None, until: str | None) -> None:
        """Read only keys after the first, up to and including the second, of rows the whole knew of; called before `begin`."""
        ...

    def checkpoint_of_whole(self) -> dict[str, Any]:
        """Return where the next run of the plan starts when all shares have been read."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """The right to work on a share."""

    part_id: int
    run_id: int
    number: int
    token: UUID


def is_divided(run: AggregationRun, reading: Reading) -> bool:
    """Return whether a run is to be worked in shares."""
    if run.is_replay or not isinstance(reading, Divisible):
        return False
    return run.parts.exists() or (run.plan.parts > 1 and not run.checkpoint)  # begun whole it goes on whole


def lay_out(run: AggregationRun, reading: Reading) -> None:
    """Cut a held run into shares, once, and hand them to the workers on commit; the run's own lease is over."""
    if not run.parts.exists() and isinstance(reading, Divisible):
        ends = list(dict.fromkeys(reading.boundaries(run.plan.parts)))
        AggregationPart.objects.bulk_create(
            AggregationPart(run=run, number=number, after=after, upto=upto)
            for number, (after, upto) in enumerate(zip([None, *ends], [*ends, None], strict=True), 1)
        )
        run.expected_count = reading.expected
        run.manifest = {HIGHEST: reading.highest, _NEXT: reading.checkpoint_of_whole()}
    run.lease_token = run.lease_until = None
    run.message = ""
    run.save(update_fields=["lease_token", "lease_until", "expected_count", "manifest", "message"])
    numbers = list(run.parts.values_list("number", flat=True))
    transaction.on_commit(lambda: _send(run.uid, numbers), robust=True)


def _send(run_uid: UUID, numbers: list[int]) -> None:
    for number in numbers:
        current_app.send_task(PART_TASK, [str(run_uid), number], retry=False)


@transaction.atomic(durable=True)
def take(*, run_uid: UUID, number: int, now: datetime) -> Share | None:
    """Take the lease of a free share of a run under way; None when there is nothing to take."""
    open_states = (RunState.QUEUED, RunState.RUNNING)
    parts = AggregationPart.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    part = parts.filter(run__uid=run_uid, run__state=RunState.RUNNING, number=number, state__in=open_states).first()
    if part is None or (part.lease_until is not None and part.lease_until > now) or _gives_way(part, now):
        return None
    part.state, part.lease_token, part.lease_until = RunState.RUNNING, uuid4(), now + LEASE
    part.save(update_fields=["state", "lease_token", "lease_until"])
    return Share(part.pk, part.run_id, part.number, part.lease_token)


def _gives_way(part: AggregationPart, now: datetime) -> bool:
    """Whether a worker does more elsewhere: shares of one dataset wait for each other's writing, runs of others do not."""
    if not AggregationPart.objects.filter(run_id=part.run_id, lease_until__gt=now, state=RunState.RUNNING).exists():
        return False
    queued = AggregationRun.objects.filter(state=RunState.QUEUED, lease_until=None)
    return queued.exclude(plan__source__dataset=part.run.plan.source.dataset).exists()


def open_share(share: Share, opener: Opener) -> Reading:
    """Return the reading of a share, standing at its checkpoint."""
    part = AggregationPart.objects.select_related("run__plan__source").get(pk=share.part_id)
    run = part.run
    run.checkpoint, run.read_count = part.checkpoint, part.read_count  # what a reading goes by; never saved
    reading = opener(run)
    if isinstance(reading, Divisible):
        reading.limit_to(part.after, part.upto, run.manifest.get(HIGHEST))
    return reading


@transaction.atomic(durable=True)
def take_batch(share: Share, reading: Reading, clock: Clock) -> bool:
    """Take one batch of a share, all or nothing, and return whether there may be another."""
    intake, staged = stage_next(share.run_id, f"run_{share.run_id}_{share.number}", reading, clock())
    part = _held(share)
    counts = ingest.merge(intake, staged, may_load=lambda rejected: is_within_limits(_as_counted(share), staged, rejected))
    if not counts.is_loaded:
        stop_before(_locked(share.run_id), counts, reading, clock())
        return False
    part.checkpoint, part.lease_until = reading.state, clock() + LEASE
    part.read_count += counts.read
    part.manifest = {_EXPECTED: reading.expected}
    if reading.is_exhausted:
        part.state, part.lease_token, part.lease_until = RunState.SUCCEEDED, None, None
    part.save()
    run = _locked(share.run_id)
    note_batch(run, staged, counts, reading.state, part=share.number)
    run.save(update_fields=TALLIED)
    if reading.is_exhausted:
        _end_share(run, part, reading, clock())
    return not reading.is_exhausted


def _as_counted(share: Share) -> AggregationRun:
    """Return the run as it stands; with the lock of its dataset held no other share adds rejected rows to it."""
    return AggregationRun.objects.select_related("plan").get(pk=share.run_id)


def _held(share: Share) -> AggregationPart:
    part = AggregationPart.objects.select_for_update(no_key=True).get(pk=share.part_id)
    if part.lease_token != share.token or part.state != RunState.RUNNING:
        raise ShareLost
    return part


def _locked(run_id: int) -> AggregationRun:
    """Return the run with its plan, both locked, if it is still under way."""
    run = locked(run_id)
    if run.state != RunState.RUNNING:
        raise ShareLost
    return run


def _end_share(run: AggregationRun, part: AggregationPart, reading: Reading, now: datetime) -> None:
    """A share must agree with its snapshot; the last one ends the run, and the next starts where the whole was cut."""
    if fault := manifest_fault(reading, reading.expected, part.read_count):
        end(run, RunState.FAILED, fault, reading, now)
    elif not run.parts.exclude(state=RunState.SUCCEEDED).exists():
        run.expected_count = sum(manifest[_EXPECTED] for manifest in run.parts.values_list("manifest", flat=True))
        run.plan.checkpoint = run.manifest[_NEXT]
        run.save(update_fields=["expected_count"])
        run.plan.save(update_fields=["checkpoint"])
        finish(run, reading, now)


@transaction.atomic(durable=True)
def let_wait(share: Share, now: datetime) -> None:
    """Give a share back for a while: its source or the platform is away."""
    AggregationPart.objects.filter(pk=share.part_id, lease_token=share.token).update(lease_token=None, lease_until=now + LEASE)


def unattended(*, now: datetime) -> list[tuple[UUID, int]]:
    """Return the shares no worker holds, of runs under way."""
    return list(_free(now).values_list("run__uid", "number"))


def free_of(*, run_uid: UUID, now: datetime) -> list[int]:
    """Return the shares of a run under way that no worker holds."""
    return list(_free(now).filter(run__uid=run_uid).values_list("number", flat=True))


def _free(now: datetime) -> QuerySet[AggregationPart]:
    open_ones = AggregationPart.objects.filter(run__state=RunState.RUNNING, state__in=(RunState.QUEUED, RunState.RUNNING))
    return open_ones.filter(lease_until=None) | open_ones.filter(lease_until__lte=now)
