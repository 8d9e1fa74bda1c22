"""Keeping attachments (附件办理): taking them in, handing them out, taking their content away, sweeping what belongs to nothing.

A draft's files are its department's; after submission whoever sees the request may have them, those of a private remark only
its readers. Every download leaves an audit entry. What a file may be is `kinds`, where it lies is `shelf`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from exchange.care import holds
from exchange.models import AccessRequest, Attachment, Remark
from exchange.querysets import access_requests_visible_to, is_reviewer
from exchange.requests import access_requests
from exchange.requests.attachments import kinds, shelf
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.remark_reading import concerned, remarks_visible_to
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Command

LARGEST = 10 * 1024 * 1024
MOST = 10
LONGEST_NAME = 120
LONGEST_REASON = 500
UNWANTED_IN_NAMES = set('/\\:*?"<>|')
ORPHANED_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent: its name and its whole content."""

    name: str
    content: bytes

    def mark(self) -> str:
        """Return what tells this file from another, for telling a repeated submission."""
        return f"{self.name}:{hashlib.sha256(self.content).hexdigest()}"


def attachments_visible_to(actor: Actor) -> QuerySet[Attachment]:
    """Return the files of the requests the actor may see; those of private remarks only to readers of these."""
    seen = Q(remark=None) | Q(remark__in=remarks_visible_to(actor))
    return Attachment.objects.filter(seen, access_request__in=access_requests_visible_to(actor))


@transaction.atomic
def attach(*, request_uid: UUID, uploads: Sequence[Upload], actor: Actor, now: datetime, on: Shelf) -> list[Attachment]:
    """Attach files to a request that the actor may edit, all of them or none."""
    access_request = _editable(request_uid, actor)
    return take_in(access_request=access_request, uploads=uploads, remark=None, actor=actor, now=now, on=on)


def take_in(
    *, access_request: AccessRequest, uploads: Sequence[Upload], remark: Remark | None, actor: Actor, now: datetime, on: Shelf
) -> list[Attachment]:
    """Check and keep files, in the caller's transaction; `access_request` is locked. Invalid names every file's fault."""
    if actor.user_id is None:
        raise Forbidden("attachment.not_yours", _("附件由经办人员上传。"))
    is_private = remark is not None and remark.is_private
    known = access_request.attachments.filter(remark__is_private=True) if is_private else _open_ones(access_request)
    if uploads and known.count() + len(uploads) > MOST:
        text = _("一项申请最多 %(most)s 个附件。") % {"most": MOST}
        raise Invalid("attachment.too_many", text, {"file": text})
    checked = [(upload, *_examined(upload)) for upload in uploads]
    made = []
    for upload, name, kind in checked:
        attachment = Attachment.objects.create(
            access_request=access_request,
            remark=remark,
            name=name,
            kind=kind,
            size=len(upload.content),
            sha256=hashlib.sha256(upload.content).hexdigest(),
            place=on.put(upload.content),
            uploaded_by_id=actor.user_id,
            uploaded_by_name=actor.name,
            uploaded_at=now,
        )
        _record(actor, "attachment.added", attachment, now, digest=attachment.sha256)
        made.append(attachment)
    return made


@transaction.atomic
def remove(*, attachment_uid: UUID, actor: Actor, now: datetime) -> AccessRequest:
    """Take a file off a draft again; what was submitted stays. Return the draft."""
    attachment = _visible(attachment_uid, actor)
    if attachment.remark_id is not None:
        raise Conflict("attachment.of_remark", _("备注的附件不能移除。"))
    access_request = _editable(attachment.access_request.uid, actor)
    if access_request.submitted_at is not None:
        raise Conflict("attachment.submitted", _("已随申请提交的附件不能移除，可另行补充新的附件。"))
    _check_not_held(attachment)
    _record(actor, "attachment.removed", attachment, now)
    place = attachment.place
    attachment.delete()
    transaction.on_commit(lambda: shelf.take_off(place))
    return access_request


@transaction.atomic(durable=True)
def open_one(*, attachment_uid: UUID, actor: Actor, now: datetime) -> tuple[Attachment, bytes]:
    """Return a file with its content, and write down that it was handed out before it leaves."""
    attachment = _visible(attachment_uid, actor)
    if attachment.redacted_at is not None:
        raise Conflict("attachment.redacted", _("附件内容已由数据中心删除：%(reason)s") % {"reason": attachment.redaction_reason})
    try:
        content = shelf.content_at(attachment.place)
    except OSError as error:
        raise Unavailable("attachment.away", _("附件暂时读不到，请稍后再试或联系数据中心。")) from error
    if hashlib.sha256(content).hexdigest() != attachment.sha256:
        raise Unavailable("attachment.damaged", _("附件内容与上传时不一致，已停止下载，请联系数据中心。"))
    _record(actor, "attachment.downloaded", attachment, now, digest=attachment.sha256)
    return attachment, content


@transaction.atomic
def redact(*, attachment_uid: UUID, reason: str, actor: Actor, now: datetime) -> Attachment:
    """Take the content of a file away for good; its name and digest stay, with the reason."""
    attachment = _visible(attachment_uid, actor, lock=True)
    if not is_reviewer(actor):
        raise Forbidden("attachment.not_yours", _("附件内容由数据中心审核人员删除。"))
    if attachment.redacted_at is not None:
        raise Conflict("attachment.redacted", _("附件内容已经删除。"))
    _check_not_held(attachment)
    reason = reason.replace("\r\n", "\n").strip()
    if fault := text_fault(reason, longest=LONGEST_REASON):
        raise Invalid("attachment.reason", fault, {"reason": fault})
    attachment.redacted_at, attachment.redaction_reason, attachment.redacted_by_id = now, reason, actor.user_id
    attachment.save(update_fields=["redacted_at", "redaction_reason", "redacted_by"])
    _record(actor, "attachment.redacted", attachment, now, reason=reason)
    transaction.on_commit(lambda: shelf.take_off(attachment.place))
    return attachment


def sweep(now: datetime) -> int:
    """Remove files on disk that belong to no attachment, or to a redacted one; return how many."""
    count, lying = 0, shelf.places_before(now - ORPHANED_AFTER)
    while places := list(islice(lying, 500)):
        kept = set(Attachment.objects.filter(place__in=places, redacted_at=None).values_list("place", flat=True))
        count += shelf.sweep([place for place in places if place not in kept])
    return count


def may_attach(access_request: AccessRequest, actor: Actor) -> bool:
    """Return whether the actor may attach files to the request itself now."""
    return Command.EDIT in access_requests.commands_for(access_request, actor)


def _check_not_held(attachment: Attachment) -> None:
    if holds.is_held(access_request_id=attachment.access_request_id, at=attachment.uploaded_at):
        raise Conflict("hold.held", _("这个附件处于法律保全中，解除保全前不能删除。"))


def _open_ones(access_request: AccessRequest) -> QuerySet[Attachment]:
    return access_request.attachments.filter(Q(remark=None) | Q(remark__is_private=False))


def _editable(request_uid: UUID, actor: Actor) -> AccessRequest:
    rows = access_requests_visible_to(actor).select_for_update(of=("self",)).select_related("resource", "requester")
    access_request = rows.filter(uid=request_uid).first()
    if access_request is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    if not may_attach(access_request, actor):
        raise Conflict("attachment.not_draft", _("只有草稿和待补正的申请可以增减附件；之后请随备注上传。"))
    return access_request


def _visible(uid: UUID, actor: Actor, *, lock: bool = False) -> Attachment:
    rows = attachments_visible_to(actor).select_related("access_request__resource", "remark")
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(uid=uid).first()
    if found is None:
        raise NotFound("attachment.not_found", _("没有这个附件，或您无权查看。"))
    return found


def _examined(upload: Upload) -> tuple[str, str]:
    """Return the name to keep and the kind of a file, or raise Invalid."""
    name = unicodedata.normalize("NFC", upload.name).replace("\\", "/").rpartition("/")[2].strip()
    fault = text_fault(name, longest=LONGEST_NAME, may_have_lines=False)
    if not fault and set(name) & UNWANTED_IN_NAMES:
        fault = _("文件名含有不允许的字符。")
    if not fault and len(upload.content) > LARGEST:
        fault = _("文件超过 10 MB，请压缩图片或拆分后上传。")
    kind = ""
    if not fault:
        kind, fault = kinds.examine(name, upload.content)
    if not fault:
        fault = _threat_fault(upload.content)
    if fault:
        raise Invalid("attachment.refused", _("附件没有保存：%(fault)s") % {"fault": fault}, {"file": fault})
    return name, kind


def _threat_fault(content: bytes) -> str:
    """Ask the scanner of the installation, if it has one; a scanner that fails lets nothing in."""
    if not settings.ATTACHMENT_SCANNER:
        return ""
    try:
        threat = import_string(settings.ATTACHMENT_SCANNER)(content)
    except Exception as error:
        raise Unavailable("attachment.scanner_away", _("查毒服务暂时不可用，附件没有保存，请稍后再试。")) from error
    return _("查毒发现恶意内容。") if threat else ""


def _record(actor: Actor, action: str, attachment: Attachment, now: datetime, **detail: str) -> None:
    is_private = attachment.remark is not None and attachment.remark.is_private
    audit.record(
        actor,
        action,
        attachment,
        at=now,
        department_ids=concerned(attachment.access_request, is_private=is_private),
        request=attachment.access_request.number,
        **detail,
    )
