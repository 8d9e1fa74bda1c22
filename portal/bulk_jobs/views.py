"""Views of bulk jobs (批量作业): people watch and cancel; jobs are opened by systems, which answer for what they fetch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.errors import NotFound
from core.keyset import page
from core.roles import Role
from exchange.bulk_jobs import jobs
from exchange.calls.refusals import REFUSALS
from exchange.models import BulkFetch, BulkJob, Credential
from exchange.models.bulk_job import HELD, UNFINISHED
from exchange.querysets import grants_visible_to
from portal.actor import BUSINESS, actor, roles_required

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
FETCHES_SHOWN = 100


@require_GET
@roles_required(*SEERS)
def job_list(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The jobs of one grant."""
    grant = grants_visible_to(actor(request)).select_related("resource", "system__department").filter(uid=uid).first()
    if grant is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    found = page(BulkJob.objects.filter(grant=grant), order=("-id",), cursor=request.GET.get("after", ""))
    lines = [{"job": job, **_progress(job)} for job in found.items]
    return render(request, "portal/bulk_jobs/list.html", {"grant": grant, "page": found, "lines": lines})


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One job: progress, parts with their digests, and who fetched them."""
    job = _visible(request, uid)
    fetches = BulkFetch.objects.filter(part__job=job).select_related("part")[:FETCHES_SHOWN]
    keys = dict(Credential.objects.filter(pk__in={fetch.credential_id for fetch in fetches}).values_list("pk", "key"))
    found = page(job.parts.all(), order=("number",), cursor=request.GET.get("after", ""))
    context = {
        "page": found,
        "parts": [(part, bytes(part.sha256).hex(), bytes(part.sm3).hex()) for part in found.items],
        "fetches": [(fetch, keys.get(fetch.credential_id, "—")) for fetch in fetches],
        "titles": _titles(job),
        "may_cancel": job.state in HELD and actor(request).has(*BUSINESS),
    }
    return render(request, "portal/bulk_jobs/detail.html", context | _context(job))


@require_GET
@roles_required(*SEERS)
def progress(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The part of the page that is asked for every two seconds."""
    return render(request, "portal/bulk_jobs/progress.html", _context(_visible(request, uid)))


@require_POST
@roles_required(*BUSINESS)
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Cancel a job."""
    jobs.cancel(job_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("批量作业已取消，文件已清除；使用方系统可以重新发起。"))
    return redirect("portal:bulk-detail", uid=uid)


def _titles(job: BulkJob) -> list[str]:
    """Return what the items are called in the catalogue; one that is no longer there keeps its name."""
    known = dict(job.grant.resource.items.values_list("name", "title"))
    return [known.get(name, name) for name in job.fields]


def _context(job: BulkJob) -> dict[str, Any]:
    return {"job": job, "grant": job.grant, **_progress(job)}


def _progress(job: BulkJob) -> dict[str, Any]:
    verdict = REFUSALS.get(job.reason)
    return {
        "is_live": job.state in UNFINISHED,
        "percent": min(100, 100 * job.row_count // job.expected_count) if job.expected_count else None,
        "why": str(verdict.message) if verdict else "",
    }


def _visible(request: HttpRequest, uid: UUID) -> BulkJob:
    rows = BulkJob.objects.select_related("grant__resource__provider", "grant__system__department")
    job = rows.filter(uid=uid, grant__in=grants_visible_to(actor(request))).first()
    if job is None:
        raise NotFound("job.not_found", _("没有这个批量作业，或您无权查看。"))
    return job
