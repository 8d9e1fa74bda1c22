"""Views of remarks and attachments: parse, call one process function, go back to the request's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.errors import DomainError, NotFound
from core.roles import Role
from core.submissions import digest_of, once
from exchange.models import AccessRequest
from exchange.querysets import access_requests_visible_to
from exchange.requests import remarks
from exchange.requests.attachments import keeping
from exchange.requests.attachments.serving import headers_of
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.remark_reading import reads_private
from portal.actor import BUSINESS, actor, roles_required
from portal.remarks.forms import AttachForm, RedactForm, RemarkForm, uploads_of

SEERS = (*BUSINESS, Role.AUDIT_ADMINISTRATOR)


@require_POST
@roles_required(*SEERS)
def remark(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add a remark to a request."""
    access_request, who = _visible(request, uid), actor(request)
    form = RemarkForm(request.POST, request.FILES, reads_private=reads_private(access_request, who))
    if form.is_valid():
        given = form.cleaned_data
        uploads = uploads_of(given["file"])
        said = {"text": given["text"], "is_private": given.get("is_private", False)}
        try:
            with Shelf() as shelf:

                def make() -> str:
                    now = timezone.now()
                    return str(remarks.add(request_uid=uid, uploads=uploads, actor=who, now=now, on=shelf, **said).uid)

                digest = digest_of({"request": str(uid), "files": [upload.mark() for upload in uploads], **said})
                once(owner=f"user:{who.user_id}", token=given["submission"], digest=digest, make=make)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("备注已保存，仅审核方可见。") if said["is_private"] else _("备注已保存，双方都看得到。"))
            return redirect("portal:request-detail", uid=uid)
    return _page(request, access_request, form, _("写备注"))


@require_POST
@roles_required(Role.OPERATOR)
def attach(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Attach files to a draft."""
    access_request, who = _visible(request, uid), actor(request)
    form = AttachForm(request.POST, request.FILES)
    if form.is_valid():
        uploads = uploads_of(form.cleaned_data["file"])
        try:
            with Shelf() as shelf:

                def make() -> str:
                    now = timezone.now()
                    return str(keeping.attach(request_uid=uid, uploads=uploads, actor=who, now=now, on=shelf)[0].uid)

                digest = digest_of({"request": str(uid), "files": [upload.mark() for upload in uploads]})
                once(owner=f"user:{who.user_id}", token=form.cleaned_data["submission"], digest=digest, make=make)
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("附件已上传。提交前只有本部门看得到。"))
            return redirect("portal:request-edit", uid=uid)
    return _page(request, access_request, form, _("上传附件"))


@require_GET
@roles_required(*SEERS)
def download(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Hand a file out; the download is written down first."""
    attachment, content = keeping.open_one(attachment_uid=uid, actor=actor(request), now=timezone.now())
    return HttpResponse(content, headers=headers_of(attachment))


@require_POST
@roles_required(Role.OPERATOR)
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a file off a draft."""
    access_request = keeping.remove(attachment_uid=uid, actor=actor(request), now=timezone.now())
    messages.success(request, _("附件已移除。"))
    return redirect("portal:request-edit", uid=access_request.uid)


@require_POST
@roles_required(*SEERS)
def redact(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take the content of a file away for good."""
    who = actor(request)
    found = keeping.attachments_visible_to(who).select_related("access_request").filter(uid=uid).first()
    if found is None:
        raise NotFound("attachment.not_found", _("没有这个附件，或您无权查看。"))
    form = RedactForm(request.POST)
    if form.is_valid():
        try:
            keeping.redact(attachment_uid=uid, reason=form.cleaned_data["reason"], actor=who, now=timezone.now())
        except DomainError as error:
            if error.status != 422:
                raise
            form.add_domain_error(error)
        else:
            messages.success(request, _("附件内容已删除，文件名和理由保留。"))
            return redirect("portal:request-detail", uid=found.access_request.uid)
    return _page(request, found.access_request, form, _("删除附件内容"))


def _visible(request: HttpRequest, uid: UUID) -> AccessRequest:
    rows = access_requests_visible_to(actor(request)).select_related("resource__provider", "requester")
    found = rows.filter(uid=uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


def _page(request: HttpRequest, access_request: AccessRequest, form: Any, title: str) -> HttpResponse:
    """Show the form alone with its faults; what was typed stays, files have to be chosen again."""
    context = {"access_request": access_request, "form": form, "title": title}
    return render(request, "portal/remarks/form.html", context, status=form.status)
