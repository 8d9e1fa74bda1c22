"""Supervision (督办): what is late, reminding the desk that has the ball, and notices of the data centre it must reply to.

Deadlines are set when a request arrives at a desk (`steps`); nothing here moves a request. Counting is in `lateness`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_users
from core.roles import Role
from exchange.models import AccessRequest, Reminder, SupervisionNotice
from exchange.querysets import access_requests_visible_to, is_reviewer
from exchange.requests.capacities import capacity_at
from exchange.requests.desks import data_centres, notify_desk, path_of
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Seat

SOON = timedelta(hours=24)
AT_ONCE = 500
LONGEST_TEXT = 500
_PROVIDERS = (Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD)


def overdue_requests(actor: Actor, now: datetime) -> QuerySet[AccessRequest]:
    """Return the requests the actor may see whose desk is late, the latest first."""
    rows = access_requests_visible_to(actor).filter(due_at__lte=now, decided_at=None)
    return rows.select_related("resource", "requester").order_by("due_at", "id")


@transaction.atomic
def remind_overdue(now: datetime) -> int:
    """Remind the desks of what is due within a day or late already; each desk once of each. Return how many were reminded."""
    rows = (
        AccessRequest.objects.filter(due_at__lte=now + SOON, decided_at=None)
        .exclude(reminder=Reminder.OVERDUE)
        .exclude(reminder=Reminder.SOON, due_at__gt=now)
        .select_related("resource", "requester")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("due_at")[:AT_ONCE]
    )
    count = 0
    for access_request in rows:
        is_late = access_request.due_at is not None and access_request.due_at <= now
        access_request.reminder = Reminder.OVERDUE if is_late else Reminder.SOON
        access_request.save(update_fields=["reminder"])
        title = _("已超期，请尽快办理：%(title)s") if is_late else _("将于今日内到期：%(title)s")
        notify_desk(access_request, title=title % {"title": access_request.resource.title}, now=now)
        count += 1
    return count


def may_supervise(access_request: AccessRequest, actor: Actor, now: datetime) -> bool:
    """Return whether the actor may issue a notice: for the centre, on what is late or due within a day, one a desk."""
    is_due = access_request.due_at is not None and access_request.due_at <= now + SOON and access_request.decided_at is None
    if not is_due or not is_reviewer(actor):
        return False
    return not access_request.supervision_notices.filter(desk=access_request.desk, replied_at=None).exists()


@transaction.atomic
def issue_notice(*, request_uid: UUID, text: str, actor: Actor, now: datetime) -> SupervisionNotice:
    """Ask the desk that has the ball why it is late, or soon will be; its people are told and must reply."""
    access_request = _locked(request_uid, actor)
    if actor.user_id is None or not is_reviewer(actor):
        raise Forbidden("supervision.not_yours", _("督办由数据主管部门的审核人员发出。"))
    if access_request.due_at is None or not may_supervise(access_request, actor, now):
        raise Conflict("supervision.not_due", _("只能督办已超期或一天内到期的申请，同一岗位未回复前不重复督办。"))
    notice = SupervisionNotice.objects.create(
        access_request=access_request,
        desk=access_request.desk,
        department_id=_department_of(access_request),
        text=_text(text, _("请写明督办意见。")),
        due_at=access_request.due_at,
        issued_by_id=actor.user_id,
        issued_by_name=actor.name,
        issued_at=now,
    )
    _record(actor, "supervision.issued", notice, now, text=notice.text)
    notify_desk(access_request, title=_("督办，请回复：%(title)s") % {"title": access_request.resource.title}, now=now)
    return notice


@transaction.atomic
def reply(*, notice_uid: UUID, text: str, actor: Actor, now: datetime) -> SupervisionNotice:
    """Reply to a notice, as somebody of the desk it was issued to; once."""
    request_uid = SupervisionNotice.objects.filter(uid=notice_uid).values_list("access_request__uid", flat=True).first()
    if request_uid is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    access_request = _locked(request_uid, actor)
    notice = access_request.supervision_notices.get(uid=notice_uid)
    capacity = capacity_at(actor, access_request, notice.desk)
    if capacity is None:
        raise Forbidden("supervision.not_yours", _("督办由被督办岗位的人员回复。"))
    if notice.replied_at is not None:
        raise Conflict("supervision.replied", _("这项督办已经回复，请刷新页面。"))
    notice.reply = _text(text, _("请写明原因和预计办结时间。"))
    notice.replied_by_id, notice.replied_by_name, notice.replied_at = actor.user_id, capacity.actor.name, now
    notice.revision += 1
    notice.save()
    _record(capacity.actor, "supervision.replied", notice, now, text=notice.reply, **capacity.detail())
    title = _("督办已回复：%(title)s") % {"title": access_request.resource.title}
    notify_users([notice.issued_by_id], title=title, body=notice.reply, path=path_of(access_request), now=now)
    return notice


def may_reply(notice: SupervisionNotice, actor: Actor) -> bool:
    """Return whether the actor sits at the desk a notice waits for."""
    return notice.replied_at is None and capacity_at(actor, notice.access_request, notice.desk) is not None


def notices_visible_to(actor: Actor) -> QuerySet[SupervisionNotice]:
    """Return the notices to the own department; all for the centre's reviewers and the auditor."""
    rows = SupervisionNotice.objects.select_related("access_request__resource", "department")
    if is_reviewer(actor) or actor.has(Role.AUDIT_ADMINISTRATOR):
        return rows
    own = Q(department_id=actor.department_id) if actor.has(Role.OPERATOR, Role.HEAD) else Q(pk__in=[])
    return rows.filter(own)


def _department_of(access_request: AccessRequest) -> int:
    if access_request.desk == Seat.DATA_CENTRE:
        return data_centres()[0]
    return access_request.resource.provider_id if access_request.desk in _PROVIDERS else access_request.requester_id


def _text(text: str, when_empty: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if fault := text_fault(text, longest=LONGEST_TEXT):
        message = fault if text else when_empty
        raise Invalid("supervision.text", message, {"text": message})
    return text


def _locked(request_uid: UUID, actor: Actor) -> AccessRequest:
    rows = access_requests_visible_to(actor).select_for_update(of=("self",)).select_related("resource", "requester")
    found = rows.filter(uid=request_uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


def _record(actor: Actor, action: str, notice: SupervisionNotice, now: datetime, **detail: str | int) -> None:
    owners = [notice.access_request.requester_id, notice.department_id]
    audit.record(actor, action, notice.access_request, at=now, department_ids=owners, desk=notice.desk, **detail)
