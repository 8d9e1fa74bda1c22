"""Orders for a bulk copy (批量作业办理): opened and cancelled by systems, cancelled by people, expired in time.

Who may call was decided before (`exchange.calls`); who may see, by the visibility of the grant. Writing is in `writing`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from basedb.parts import Rows
from core import audit
from core.audit import Actor
from core.errors import Conflict, NotFound
from exchange.bulk_jobs import files, permission
from exchange.bulk_jobs.formats import EXCEL_ROWS
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Signed, Terms
from exchange.care import holds
from exchange.models import BulkFetch, BulkJob, BulkPart, FileFormat, Grant, JobState
from exchange.models.bulk_job import HELD, UNFINISHED
from exchange.querysets import grants_visible_to

GONE = (JobState.STOPPED, JobState.CANCELLED, JobState.EXPIRED)


def count_rows(rows: Rows, form: str) -> int:
    """Return how many rows a job will hold; refuse what does not fit into a sheet of Excel."""
    at_most = EXCEL_ROWS + 1 if form == FileFormat.EXCEL else None
    row = connections.run(rows.count_sql("<<at_most>>"), (("at_most", "bigint"),), {"at_most": at_most})
    counted = int(row[0]) if row else 0
    if form == FileFormat.EXCEL and counted > EXCEL_ROWS:
        raise Refusal("job.too_many_rows", {"format": "use_csv_or_jsonl"})
    return counted


def unfinished_of(terms: Terms) -> BulkJob | None:
    """Return the job of a grant that is not finished."""
    return BulkJob.objects.filter(grant_id=terms.grant_id, state__in=UNFINISHED).first()


def check_no_other(terms: Terms, rows: Rows, form: str) -> None:
    """Refuse when a job of another content is being written for this grant."""
    job = unfinished_of(terms)
    if job is not None and not _is_alike(job, rows, form):
        raise Refusal("job.running", {"job": "finish_or_cancel_it_first"})


def _is_alike(job: BulkJob, rows: Rows, form: str) -> bool:
    return job.format == form and bytes(job.terms_digest) == permission.digest_of(rows)


@transaction.atomic
def open_job(*, signed: Signed, terms: Terms, rows: Rows, form: str, expected_count: int, now: datetime) -> BulkJob:
    """Open a job; one of the same content that is still being written is returned instead (an order sent twice is one order)."""
    Grant.objects.select_for_update(no_key=True).get(pk=terms.grant_id)
    check_no_other(terms, rows, form)
    running = unfinished_of(terms)
    if running is not None:
        return running
    return BulkJob.objects.create(
        grant_id=terms.grant_id,
        credential_id=signed.caller.credential_id,
        opened_call_id=signed.call_id,
        grant_version=terms.version,
        terms_digest=permission.digest_of(rows),
        fields=list(rows.selection.items),
        format=form,
        rows_a_part=EXCEL_ROWS if form == FileFormat.EXCEL else settings.BULK_ROWS_A_PART,
        expected_count=expected_count,
        opened_at=now,
        expires_at=now + timedelta(hours=settings.BULK_KEPT_HOURS),
    )


def job_of(terms: Terms, uid: str) -> BulkJob:
    """Return a job of this grant."""
    job = BulkJob.objects.filter(grant_id=terms.grant_id, uid=uid).first()
    if job is None:
        raise Refusal("job.not_found")
    return job


def part_of(job: BulkJob, number: int, now: datetime) -> BulkPart:
    """Return a part that can be handed over now."""
    if job.state in GONE or (job.state == JobState.READY and now >= job.expires_at):
        raise Refusal("job.gone")
    part = BulkPart.objects.filter(job=job, number=number).first()
    if part is None:
        raise Refusal("job.not_ready" if job.state in UNFINISHED else "job.not_found")
    return part


def note_fetch(*, part: BulkPart, signed: Signed, first_byte: int, byte_count: int, now: datetime) -> None:
    """Note who is handed which bytes of a part."""
    BulkFetch.objects.create(
        part=part,
        call_id=signed.call_id,
        credential_id=signed.caller.credential_id,
        first_byte=first_byte,
        byte_count=byte_count,
        fetched_at=now,
    )


@transaction.atomic
def cancel_called(*, terms: Terms, uid: str, now: datetime) -> BulkJob:
    """Cancel a job by its receiver's system; one that has ended is left as it is."""
    job = BulkJob.objects.select_for_update().filter(grant_id=terms.grant_id, uid=uid).first()
    if job is None:
        raise Refusal("job.not_found")
    if job.state in HELD:
        _end(job, JobState.CANCELLED, now)
    return job


@transaction.atomic
def cancel(*, job_uid: UUID, actor: Actor, now: datetime) -> BulkJob:
    """Cancel a job by somebody of either department or the data centre; its files are removed."""
    rows = BulkJob.objects.select_for_update(of=("self",)).select_related("grant__system", "grant__resource")
    job = rows.filter(uid=job_uid, grant__in=grants_visible_to(actor)).first()
    if job is None:
        raise NotFound("job.not_found", _("没有这个批量作业，或您无权查看。"))
    if job.state not in HELD:
        raise Conflict("job.ended", _("批量作业已经结束（%(state)s），不用再取消。") % {"state": job.get_state_display()})
    _end(job, JobState.CANCELLED, now)
    owners = [job.grant.system.department_id, job.grant.resource.provider_id]
    audit.record(actor, "bulk_job.cancelled", job.grant, at=now, department_ids=owners, job=str(job.uid))
    return job


def expire_due(*, now: datetime) -> int:
    """Remove the files of jobs that were kept long enough; return how many. A legal hold keeps them, unread by anybody."""
    due = BulkJob.objects.filter(state__in=HELD, expires_at__lte=now).values_list("pk", flat=True)
    count = sum(_expire(pk, now) for pk in list(due))
    _sweep_released()
    return count


@transaction.atomic
def _expire(job_id: int, now: datetime) -> bool:
    job = BulkJob.objects.select_for_update().filter(pk=job_id, state__in=HELD, expires_at__lte=now).first()
    if job is not None:
        _end(job, JobState.EXPIRED, now)
    return job is not None


def _end(job: BulkJob, state: JobState, now: datetime) -> None:
    job.state, job.lease_token, job.lease_until = state, None, None
    job.finished_at = job.finished_at or now
    job.save(update_fields=["state", "lease_token", "lease_until", "finished_at"])
    drop_files(job)


def drop_files(job: BulkJob) -> None:
    """Remove the files of a job that has ended, with the caller's transaction; those under a legal hold stay."""
    if not _is_held(job):
        transaction.on_commit(lambda: files.remove_folder(job.uid))


def _is_held(job: BulkJob) -> bool:
    return holds.is_held(grant_id=job.grant_id, at=job.opened_at)


def _sweep_released() -> None:
    """Remove the files of jobs that ended under a legal hold which has been released since."""
    for job in BulkJob.objects.filter(uid__in=files.kept(), state__in=GONE):
        with transaction.atomic():
            drop_files(job)


def manifest(job: BulkJob) -> dict[str, Any]:
    """Return what a receiver is told of a job: its state, whom it is for, and every part with its digests."""
    grant = job.grant
    return {
        "job": str(job.uid),
        "state": job.state,
        "reason": job.reason,
        "format": job.format,
        "fields": list(job.fields),
        "grant": str(grant.uid),
        "grant_version": job.grant_version,
        "purpose": grant.purpose,
        "receiver": f"{grant.system.department.name} {grant.system.name}",
        "opened_at": job.opened_at.isoformat(),
        "expires_at": job.expires_at.isoformat(),
        "expected_rows": job.expected_count,
        "rows": job.row_count,
        "parts": [
            {
                "number": part.number,
                "rows": part.row_count,
                "bytes": part.byte_count,
                "sha256": bytes(part.sha256).hex(),
                "sm3": bytes(part.sm3).hex(),
                "mark": part.mark,
                "as_of": part.as_of.isoformat(),
            }
            for part in job.parts.all()
        ],
    }
