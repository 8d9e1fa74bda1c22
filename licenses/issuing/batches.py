"""Batches (批量签发): taken in from a page, a system or aggregation, checked by the platform, signed by a head, issued by a worker.

Every row keeps what became of it. The work itself is `batch_work`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import F, Func, IntegerField, Max
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid, NotFound
from core.ids import uuid7
from core.models import Department
from licenses import delivering
from licenses.issuing import desks
from licenses.issuing.copying import copy
from licenses.issuing.workflow import BatchCommand, decide_batch
from licenses.models import BatchSource, BatchState, IssuingBatch, IssuingRow, IssuingRowState, TypeVersion
from licenses.types import offices
from licenses.types.faults import readable
from licenses.types.reading import in_force

WORK_TASK: Final = "licenses.work_batch"
MOST_ROWS: Final = 50_000
MOST_BY_REST: Final = 2_000
REGION_DIGITS: Final = 6
Row = Mapping[str, Any]


@transaction.atomic
def take_in(
    *,
    type_code: str,
    rows: Iterable[Row],
    source: BatchSource,
    actor: Actor,
    now: datetime,
    file_name: str = "",
    system_id: int | None = None,
) -> IssuingBatch:
    """Keep the rows of a batch and have them checked. A person's page import waits for its maker, others go on to who signs."""
    department = desks.own_department(actor) if system_id is None else _department_of(actor)
    today = now.astimezone(SHANGHAI).date()
    version = in_force(type_code, today)
    offices.check_entrusted(version, department, today)
    batch = open_batch(
        version, department, source=source, file_name=file_name, now=now,
        made_by_id=actor.user_id, made_by_name=actor.name, system_id=system_id,
    )  # fmt: skip
    batch.row_count = keep_rows(batch, _whole(rows, department))
    if not batch.row_count:
        text = _("没有可以导入的行，请检查文件是否只有表头。")
        raise Invalid("batch.empty", text, {"rows": [text]})
    batch.save(update_fields=["row_count"])
    _audit("license_batch.taken_in", batch, actor, now)
    work_soon(batch)
    return batch


def open_batch(version: TypeVersion, department: Department, *, source: BatchSource, now: datetime, **values: Any) -> IssuingBatch:
    """Write the head of a batch; its number names the day."""
    uid = uuid7()
    number = f"PL{now.astimezone(SHANGHAI):%Y%m%d}-{uid.hex[-8:].upper()}"
    submitted = source != BatchSource.PAGE
    return IssuingBatch.objects.create(
        uid=uid, number=number, source=source, type_version=version, department=department, is_submitted=submitted, **values
    )


def keep_rows(batch: IssuingBatch, rows: Iterable[Row]) -> int:
    """Copy rows in as they were delivered; return how many. Too many raise Invalid, nothing of the batch stays."""
    count = 0

    def lines() -> Iterator[Sequence[Any]]:
        nonlocal count
        for count, row in enumerate(rows, start=1):  # told afterwards
            if count > MOST_ROWS:
                text = _("一批最多 %(most)s 行，请分批提交。") % {"most": MOST_ROWS}
                raise Invalid("batch.too_many_rows", text, {"rows": [text]})
            yield batch.pk, count, IssuingRowState.WAITING.value, dict(row)

    copy("licenses_issuingrow", ("batch_id", "place", "state", "content"), lines())
    return count


def _whole(rows: Iterable[Row], department: Department) -> Iterator[Row]:
    """Fill in the division of the issuer where a row names none; refuse characters no text may have."""
    region = department.region.code.ljust(REGION_DIGITS, "0")
    for place, row in enumerate(rows, start=1):
        if not all(readable(text.replace("\n", "")) for text in _texts(row)):
            text = _("第 %(line)d 行含有控制字符，请删除后重新提交。") % {"line": place}
            raise Invalid("batch.control_characters", text, {"rows": [text]})
        yield {**row, "region_code": row.get("region_code") or region}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


@transaction.atomic
def advance(*, uid: UUID, revision: int, command: BatchCommand, remark: str = "", actor: Actor, now: datetime) -> IssuingBatch:
    """Submit, cancel, return or sign a batch; a signature issues what was found good, a worker does the work."""
    batch = desks.batches_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if batch is None:
        raise _not_found()
    if batch.revision != revision:
        raise Conflict("batch.stale", _("这一批刚被办理过，请刷新页面查看最新状态。"), {"revision": batch.revision})
    seats = desks.seats_of(actor, department_id=batch.department_id, made_by_id=batch.made_by_id)
    batch.state = decide_batch(BatchState(batch.state), command, seats)
    _CARRIED_OUT[command](batch, remark, actor, now)
    batch.revision += 1
    batch.save()
    _audit(_AUDITED[command], batch, actor, now)
    return batch


def _submit(batch: IssuingBatch, _remark: str, _actor: Actor, now: datetime) -> None:
    _check_entrusted(batch, now)
    if not batch.good_count:
        raise Conflict("batch.nothing_good", _("没有一行通过校验，请修改后重新导入。"))
    desks.tell_signers(batch.department_id, title=_("有一批证照待签发"), path=path_of(batch), now=now)


def _cancel(batch: IssuingBatch, _remark: str, _actor: Actor, now: datetime) -> None:
    batch.finished_at = now


def _return(batch: IssuingBatch, remark: str, _actor: Actor, now: datetime) -> None:
    batch.remark = desks.text_of(remark, "remark", missing=_("请写明退回的原因。"))
    desks.tell_maker(batch, title=_("批量签发被退回"), path=path_of(batch), now=now)


def _sign(batch: IssuingBatch, _remark: str, actor: Actor, now: datetime) -> None:
    _check_entrusted(batch, now)
    batch.decided_by_id, batch.decided_at, batch.remark = actor.user_id, now, ""
    delivering.ensure_source(batch.department)
    work_soon(batch)


_CARRIED_OUT: Final = {
    BatchCommand.SUBMIT: _submit,
    BatchCommand.CANCEL: _cancel,
    BatchCommand.RETURN: _return,
    BatchCommand.SIGN: _sign,
}
_AUDITED: Final = {
    BatchCommand.SUBMIT: "license_batch.submitted",
    BatchCommand.CANCEL: "license_batch.cancelled",
    BatchCommand.RETURN: "license_batch.returned",
    BatchCommand.SIGN: "license_batch.signed",
}


def visible_batch(uid: UUID, actor: Actor) -> IssuingBatch:
    """Return a batch the actor may see; NotFound otherwise."""
    batch = desks.batches_visible_to(actor).filter(uid=uid).first()
    if batch is None:
        raise _not_found()
    return batch


def refused_rows(batch: IssuingBatch) -> Iterator[IssuingRow]:
    """Hand out the refused rows of a batch in their order."""
    return batch.rows.filter(state=IssuingRowState.REFUSED).order_by("place").iterator(chunk_size=500)


def most_holders(batch: IssuingBatch) -> int:
    """Return how many holders the refused row with the most of them names."""
    named = Func(F("content__holders"), function="jsonb_array_length", output_field=IntegerField())
    return int(batch.rows.filter(state=IssuingRowState.REFUSED).aggregate(most=Max(named))["most"] or 0)


def path_of(batch: IssuingBatch) -> str:
    """Return where the page of a batch is."""
    return f"/licenses/batches/{batch.uid}/"


def work_soon(batch: IssuingBatch) -> None:
    """Send a worker after the commit; the timetable sends one anyway."""
    uid = str(batch.uid)
    transaction.on_commit(lambda: current_app.send_task(WORK_TASK, [uid], retry=False), robust=True)


def _check_entrusted(batch: IssuingBatch, now: datetime) -> None:
    offices.check_entrusted(batch.type_version, batch.department, now.astimezone(SHANGHAI).date())


def _department_of(actor: Actor) -> Department:
    """Return the department a system acts for."""
    return Department.objects.select_related("region").get(pk=actor.department_id or 0)


def _not_found() -> NotFound:
    return NotFound("batch.not_found", _("没有这一批，或您无权查看。"))


def _audit(action: str, batch: IssuingBatch, actor: Actor, now: datetime) -> None:
    counts = {"rows": batch.row_count, "good": batch.good_count, "refused": batch.refused_count}
    what = {"type": batch.type_version.code, "source": batch.source, "state": batch.state}
    audit.record(actor, action, batch, at=now, department_ids=[batch.department_id], **what, **counts)
