"""How a batch of a run or a share begins, what it leaves behind beside its rows, and how a run ends (批次记账与收尾).

All but the staging happens in the caller's transaction on a run it holds locked. Leases are in `runs`, shares of a run in `parts`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from basedb import ingest
from basedb.ingest import Counts, Intake, Staged
from basedb.intake.vanished import TooManyVanished, ends_of_vanished
from core import audit
from core.audit import PLATFORM
from core.calendar import today_in_shanghai
from core.notifications import notify_role, notify_users
from core.roles import Role
from core.texts import headed
from exchange.aggregation.connector import ListsKeys, Reading, TellsHighest, dataset_of, fields_of, limit_passed
from exchange.aggregation.replay import sink_of
from exchange.models import AggregationBatch, AggregationPlan, AggregationRun, DeleteMode, RunState
from exchange.systems import key_ring

COUNTED = ("read", "accepted", "changed", "rejected", "unchanged", "deleted")
_CHECKSUM, HIGHEST = "checksum", "highest"
_MODULUS = 2**64
_STATEMENT_TIMEOUT = "15min"


def intake_of(run: AggregationRun, now: datetime) -> Intake:
    """Return what the batches of a run have in common."""
    return Intake(
        dataset=dataset_of(run.plan),
        source=run.plan.source,
        fields=fields_of(run.plan),
        run_id=run.pk,
        subject_key=key_ring().subject_key,
        rejects=sink_of(run),
        today=today_in_shanghai(now),
        now=now,
    )


def locked(run_id: int) -> AggregationRun:
    """Return a run with its plan, both locked, the plan first."""
    plans = AggregationPlan.objects.select_related("source").select_for_update(of=("self",), no_key=True)
    plan = plans.get(runs=run_id)
    run = AggregationRun.objects.select_for_update(no_key=True).get(pk=run_id)
    run.plan = plan
    return run


def stage_next(run_id: int, table: str, reading: Reading, now: datetime) -> tuple[Intake, Staged]:
    """Stage the next batch of a reading, which may take long, before anything is locked."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")
    run = AggregationRun.objects.select_related("plan__source").get(pk=run_id)
    intake = intake_of(run, now)
    return intake, ingest.stage(intake, table, reading.batch(run.plan.batch_size))


def note_batch(run: AggregationRun, staged: Staged, counts: Counts, checkpoint: dict[str, Any], *, part: int | None = None) -> None:
    """Write the batch row and add its counts to the run; the caller saves the run with `TALLIED`."""
    if counts.read or counts.deleted:
        AggregationBatch.objects.create(
            run=run,
            sequence=AggregationBatch.objects.filter(run=run).count() + 1,
            part=part,
            checkpoint=checkpoint,
            **{f"{name}_count": getattr(counts, name) for name in COUNTED},
        )
    for name in COUNTED:
        setattr(run, f"{name}_count", getattr(run, f"{name}_count") + getattr(counts, name))
    summed = (int(run.manifest.get(_CHECKSUM, "0"), 16) + staged.checksum) % _MODULUS
    run.manifest = {**run.manifest, _CHECKSUM: f"{summed:016x}"}
    if part is None and "cursor" in checkpoint:  # of a run in shares it is known before they are read
        run.manifest[HIGHEST] = checkpoint["cursor"]


TALLIED = (*(f"{name}_count" for name in COUNTED), "manifest")


def is_within_limits(run: AggregationRun, staged: Staged, rejected: int) -> bool:
    """Return whether a run may load a batch of which so many rows were rejected."""
    if run.is_replay or not staged.read:
        return True
    return not limit_passed(run.plan, run.rejected_count + rejected, run.read_count + staged.read)


def stop_before(run: AggregationRun, counts: Counts, reading: Reading, now: datetime) -> None:
    """Stop a run at a batch that went past a limit: its rejected rows are kept, the next run starts before it."""
    run.read_count += counts.read
    run.rejected_count += counts.rejected
    run.held_back_count += counts.held_back
    run.save(update_fields=["read_count", "rejected_count", "held_back_count"])
    said = {
        "rejected": run.rejected_count,
        "read": run.read_count,
        "limit": limit_passed(run.plan, run.rejected_count, run.read_count),
        "batch": counts.read,
    }
    text = _(
        "读取 %(read)s 行，其中拒收 %(rejected)s 行，超过拒收上限 %(limit)s，已停止。最后一批 %(batch)s 行没有入库，"
        "拒收记录已列出；下次从这一批之前继续。"
    )
    end(run, RunState.STOPPED, text % said, reading, now)


def finish(run: AggregationRun, reading: Reading, now: datetime) -> None:
    """End a run whose source has no more rows: its manifest must agree, and what the source no longer lists ends with it."""
    if fault := manifest_fault(reading, run.expected_count, run.read_count):
        end(run, RunState.FAILED, fault, reading, now)
        return
    try:
        _end_vanished(run, reading, now)
    except TooManyVanished as error:
        told = {"vanished": error.vanished, "held": error.held, "limit": run.plan.delete_limit_percent}
        text = _(
            "数源已不再列出 %(vanished)s 条记录，占现有 %(held)s 条的比例超过删除上限 %(limit)s%%，未删除任何记录，"
            "请与数源部门核实。"
        )
        end(run, RunState.STOPPED, text % told, reading, now)
        return
    end(run, RunState.SUCCEEDED, "", reading, now)


def manifest_fault(reading: Reading, expected: int | None, read: int) -> str:
    """Return where what was read, by a run or by one share of it, differs from what the source said lay ahead."""
    if expected is not None and expected != read:
        return _("清单不符：数源 %(expected)s 行，实际读取 %(read)s 行。") % {"expected": expected, "read": read}
    highest = reading.highest if isinstance(reading, TellsHighest) else None
    reached = reading.state.get("cursor")
    if highest is not None and highest != reached:
        return _("清单不符：数源增量字段最大值 %(expected)s，实际读到 %(read)s。") % {"expected": highest, "read": reached}
    return ""


def _end_vanished(run: AggregationRun, reading: Reading, now: datetime) -> None:
    plan = run.plan
    if plan.delete_mode != DeleteMode.FULL_KEYS or run.is_replay or not isinstance(reading, ListsKeys):
        return
    keys = reading.keys()
    if keys is None:
        return
    intake, table = intake_of(run, now), f"ends_{run.pk}"
    ends = ends_of_vanished(plan.source, keys, table, limit_percent=plan.delete_limit_percent)
    for first in range(0, len(ends), plan.batch_size):
        staged = ingest.stage(intake, table, ends[first : first + plan.batch_size])
        ended = ingest.merge(intake, staged)
        note_batch(run, Staged(table, 0, 0), Counts(0, 0, 0, 0, deleted=ended.deleted), run.checkpoint)
    run.save(update_fields=TALLIED)


def end(run: AggregationRun, state: RunState, message: str, reading: Reading | None, now: datetime) -> None:
    """Close a held run, audit it and tell those who have to act."""
    note = reading.settle(run, done=state == RunState.SUCCEEDED, now=now) if reading is not None else ""
    run.state, run.finished_at = state, now
    told = headed(note, message) if note and message and note not in message else message or note
    run.message = told[:500]
    run.lease_token = run.lease_until = None
    run.save(update_fields=["state", "finished_at", "message", "lease_token", "lease_until"])
    counts = {name: getattr(run, f"{name}_count") for name in (*COUNTED, "held_back")}
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
