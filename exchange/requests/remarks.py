"""Remarks (备注) on requests: public ones for everybody who sees the request, private ones for the reviewing sides.

Nothing is changed or taken back afterwards. A remark decides nothing; decisions are in `access_requests`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_users
from exchange.models import AccessRequest, Remark, RequestState
from exchange.querysets import access_requests_visible_to
from exchange.requests.attachments.keeping import Upload, take_in
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.capacities import capacity_at
from exchange.requests.desks import path_of
from exchange.requests.remark_reading import concerned, reads_private
from exchange.requests.request_terms import text_fault

LONGEST = 1000


@transaction.atomic
def add(
    *,
    request_uid: UUID,
    text: str,
    is_private: bool,
    actor: Actor,
    now: datetime,
    on: Shelf,
    uploads: Sequence[Upload] = (),
) -> Remark:
    """Add a remark with its files. Whoever drafted the request is told of a public one written by others."""
    rows = access_requests_visible_to(actor).select_for_update(of=("self",)).select_related("resource", "requester")
    access_request = rows.filter(uid=request_uid).first()
    if access_request is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    capacity = capacity_at(actor, access_request)
    if actor.user_id is None or capacity is None:
        raise Forbidden("remark.not_yours", _("只有申请方、提供方和数据中心的经办人员可以写备注。"))
    if is_private and not reads_private(access_request, actor):
        raise Forbidden("remark.not_reviewer", _("仅审核方可见的备注由提供方和数据中心写。"))
    if access_request.state == RequestState.DRAFTED:
        raise Conflict("remark.draft", _("草稿还没有提交，请直接修改申请内容。"))
    text = text.replace("\r\n", "\n").strip()
    if fault := text_fault(text, longest=LONGEST):
        raise Invalid("remark.text", fault, {"text": fault})
    remark = Remark.objects.create(
        access_request=access_request,
        at=now,
        author_id=actor.user_id,
        author_name=capacity.actor.name,
        author_department=actor.department,
        is_private=is_private,
        text=text,
    )
    take_in(access_request=access_request, uploads=uploads, remark=remark, actor=capacity.actor, now=now, on=on)
    owners = concerned(access_request, is_private=is_private)
    detail = {"request": access_request.number, **capacity.detail()}
    audit.record(capacity.actor, "remark.added", remark, at=now, department_ids=owners, **detail)
    if not is_private:
        _tell(access_request, actor, now)
    return remark


def may_remark(access_request: AccessRequest, actor: Actor) -> bool:
    """Return whether the actor has a seat at this request; onlookers such as the auditor have none."""
    return access_request.state != RequestState.DRAFTED and capacity_at(actor, access_request) is not None


def _tell(access_request: AccessRequest, actor: Actor, now: datetime) -> None:
    if actor.user_id == access_request.created_by_id:
        return
    title = _("申请 %(number)s 有新的备注") % {"number": access_request.number}
    notify_users([access_request.created_by_id], title=title, path=path_of(access_request), now=now)
