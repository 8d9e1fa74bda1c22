"""Extensions of an answer (延期): for a special reason, with the data centre's consent, the requester told (Order 809 art. 21).

The deadline moves only with the consent. One open at a time, one granted for an answer; constraints promise both.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, working_days
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.notifications import notify_role, notify_users
from core.roles import Role
from exchange.models import AccessRequest, ClockExtension, ExtensionState, Stage
from exchange.querysets import access_requests_visible_to
from exchange.requests import clocks, sla_policies
from exchange.requests.capacities import Capacity, capacity_at
from exchange.requests.desks import data_centres, notify_desk, path_of
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Seat, State

LONGEST_REASON = 500
ANSWERING = (State.ENDORSED, State.CHECKED, State.CLEARED, State.CONFIRMING)


@transaction.atomic
def ask(*, request_uid: UUID, days: int, reason: str, actor: Actor, now: datetime) -> ClockExtension:
    """Ask for more working days for the answer; the desk that has the ball asks, the data centre consents."""
    access_request = _locked(request_uid, actor)
    capacity = capacity_at(actor, access_request, access_request.desk)
    if actor.user_id is None or capacity is None or not may_ask(access_request, actor, now):
        raise _cannot_ask(access_request, actor, now)
    at_most = _at_most(access_request, now)
    faults = {}
    if not 1 <= days <= at_most:
        faults["days"] = _("可延长 1 至 %(days)d 个工作日。") % {"days": at_most}
    if fault := text_fault(reason := reason.replace("\r\n", "\n").strip(), longest=LONGEST_REASON):
        faults["reason"] = fault if reason else _("请说明须延期的特殊原因。")
    if faults:
        raise Invalid("extension.invalid", "".join(faults.values()), faults)
    extension = ClockExtension.objects.create(
        access_request=access_request,
        desk=access_request.desk,
        days=days,
        reason=reason,
        asked_by_id=actor.user_id,
        asked_by_name=capacity.actor.name,
        asked_for_id=capacity.on_behalf_of,
        asked_at=now,
        old_due_at=access_request.answer_due_at,
    )
    _record(capacity, "extension.asked", extension, now, days=days, reason=reason)
    title = _("延期待同意：%(title)s") % {"title": access_request.resource.title}
    for department_id in data_centres():
        notify_role(Role.REVIEWER, department_id=department_id, title=title, body=reason, path=path_of(access_request), now=now)
    return extension


@transaction.atomic
def decide(*, extension_uid: UUID, consent: bool, reason: str, actor: Actor, now: datetime) -> ClockExtension:
    """Consent to an extension or refuse it, as the data centre; not who asked for it. The requester is told of a consent."""
    found = ClockExtension.objects.filter(uid=extension_uid).values_list("access_request__uid", flat=True).first()
    if found is None:
        raise _not_found()
    access_request = _locked(found, actor)
    extension = access_request.extensions.get(uid=extension_uid)
    capacity = capacity_at(actor, access_request, Seat.DATA_CENTRE)
    if capacity is None:
        raise Forbidden("extension.not_yours", _("延期须经同级数据主管部门同意。"))
    if extension.state != ExtensionState.ASKED:
        raise Conflict("extension.decided", _("这项延期已经办理，请刷新页面。"), {"state": extension.state})
    if _is_own(extension, capacity):
        raise Forbidden("extension.four_eyes", _("延期须由申请延期人以外的审核人员同意。"))
    fault = text_fault(reason := reason.replace("\r\n", "\n").strip(), longest=LONGEST_REASON, may_be_empty=consent)
    if fault:
        message = fault if reason else _("不同意延期须说明理由。")
        raise Invalid("extension.reason", message, {"reason": message})
    extension.state = ExtensionState.CONSENTED if consent else ExtensionState.REFUSED
    extension.decided_by_id, extension.decided_by_name, extension.decided_at = actor.user_id, capacity.actor.name, now
    extension.decision_reason = reason
    if consent:
        _move(access_request, extension)
    extension.revision += 1
    extension.save()
    _record(capacity, f"extension.{extension.state.lower()}", extension, now, days=extension.days, reason=reason)
    _tell(access_request, extension, now)
    return extension


def lapse(access_request: AccessRequest, *, now: datetime) -> None:
    """End an open extension of a request that was answered or returned meanwhile."""
    access_request.extensions.filter(state=ExtensionState.ASKED).update(
        state=ExtensionState.REFUSED, decided_at=now, decision_reason=_("申请已办结或退回补正，延期申请自动终止。")
    )


def may_ask(access_request: AccessRequest, actor: Actor, now: datetime) -> bool:
    """Return whether the actor has the ball of an answer that is not late yet and was neither extended nor asked to be."""
    if not _is_running(access_request, now) or capacity_at(actor, access_request, access_request.desk) is None:
        return False
    return not access_request.extensions.exclude(state=ExtensionState.REFUSED).exists()


def _is_running(access_request: AccessRequest, now: datetime) -> bool:
    due_at = access_request.answer_due_at
    return access_request.state in ANSWERING and due_at is not None and due_at > now


def may_decide(extension: ClockExtension, actor: Actor) -> bool:
    """Return whether the actor may consent to an extension."""
    capacity = capacity_at(actor, extension.access_request, Seat.DATA_CENTRE)
    return extension.state == ExtensionState.ASKED and capacity is not None and not _is_own(extension, capacity)


def _is_own(extension: ClockExtension, capacity: Capacity) -> bool:
    """Return whether who consents is one of those who asked: the person, or whom the person stood in for."""
    return bool(capacity.people() & {extension.asked_by_id, extension.asked_for_id})


def _cannot_ask(access_request: AccessRequest, actor: Actor, now: datetime) -> DomainError:
    if capacity_at(actor, access_request, access_request.desk) is None:
        return Forbidden("extension.not_yours", _("延期由正在办理的岗位提出。"))
    if not _is_running(access_request, now):
        return Conflict("extension.no_clock", _("只有正在计时、尚未逾期的答复可以延期。"), {"state": access_request.state})
    return Conflict("extension.once", _("一次答复只能延期一次，已有延期申请或已经延期。"))


def _move(access_request: AccessRequest, extension: ClockExtension) -> None:
    """Move the deadlines of the answer and of the desk by the days."""
    calendar = working_days.calendar()
    for name in ("answer_due_at", "due_at"):
        due_at = getattr(access_request, name)
        if due_at is not None:
            setattr(access_request, name, clocks.extended(calendar=calendar, due_at=due_at, days=extension.days))
    extension.new_due_at = access_request.answer_due_at
    access_request.reminder = ""
    access_request.revision += 1
    access_request.save(update_fields=["answer_due_at", "due_at", "reminder", "revision", "updated_at"])


def _at_most(access_request: AccessRequest, now: datetime) -> int:
    resource = access_request.resource
    policies = sla_policies.policies_for(
        share_attribute=resource.share_attribute,
        region_code=resource.provider.region.code,
        on=now.astimezone(SHANGHAI).date(),
    )
    return policies[Stage.ANSWER].extension_days


def _locked(request_uid: UUID, actor: Actor) -> AccessRequest:
    rows = access_requests_visible_to(actor).select_for_update(of=("self",))
    found = rows.select_related("resource__provider__region", "requester").filter(uid=request_uid).first()
    if found is None:
        raise _not_found()
    return found


def _not_found() -> NotFound:
    return NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))


def _record(capacity: Capacity, action: str, extension: ClockExtension, now: datetime, *, days: int, reason: str) -> None:
    access_request = extension.access_request
    owners = [access_request.requester_id, access_request.resource.provider_id]
    detail = {"days": days, "reason": reason, **capacity.detail()}
    audit.record(capacity.actor, action, access_request, at=now, department_ids=owners, **detail)


def _tell(access_request: AccessRequest, extension: ClockExtension, now: datetime) -> None:
    title = access_request.resource.title
    if extension.state != ExtensionState.CONSENTED:
        notify_desk(access_request, title=_("延期未获同意：%(title)s") % {"title": title}, now=now)
        return
    values = {"title": title, "days": extension.days}
    text = _("答复延期 %(days)d 个工作日：%(title)s") % values
    notify_users([access_request.created_by_id], title=text, body=extension.reason, path=path_of(access_request), now=now)
    notify_desk(access_request, title=text, now=now)
