"""Bulk decisions (批量办理): up to fifty requests of one desk are passed on with one opinion, each in its own transaction.

Refusing is not offered: each refusal has its own reason. Data of the highest grade and second approvals are looked at
one by one. A row that changed since the person saw it is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from exchange.models import AccessRequest, BulkDecision, BulkLine, BulkOutcome, Desk
from exchange.querysets import access_requests_visible_to
from exchange.requests import access_requests
from exchange.requests.inbox import with_lines
from exchange.requests.request_terms import text_fault
from exchange.requests.snapshots import needs_two
from exchange.requests.workflow import Command

AT_MOST = 50
FORWARD = (Command.ENDORSE, Command.CHECK, Command.CLEAR, Command.APPROVE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of one request: a command, or why it cannot be done here."""

    access_request: AccessRequest
    command: Command | None
    why_not: str = ""


def plan(*, request_uids: Sequence[UUID], actor: Actor) -> list[Plan]:
    """Return what a bulk decision would do to each request, in the order of their deadlines."""
    if not request_uids:
        text = _("请先勾选要办理的申请。")
        raise Invalid("bulk.nothing", text, {"rows": text})
    if len(set(request_uids)) > AT_MOST:
        text = _("一次最多办理 %(count)s 项，请减少勾选后再试。") % {"count": AT_MOST}
        raise Invalid("bulk.too_many", text, {"rows": text})
    found = access_requests_visible_to(actor).filter(uid__in=request_uids).order_by("due_at", "id")
    requests = list(with_lines(found))
    if not requests:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    desk = next((row.desk for row in requests if row.desk != Desk.NOBODY), "")
    return [_plan_one(row, desk, actor) for row in requests]


def open_bulk(*, chosen: Sequence[tuple[UUID, int]], reason: str, token: str, actor: Actor, now: datetime) -> BulkDecision:
    """Write down what is to be decided, as the person saw it; the same token again returns the same decision."""
    if actor.user_id is None:
        raise Forbidden("bulk.not_yours", _("批量办理须由本人登录后进行。"))
    fault = text_fault(reason, longest=access_requests.LONGEST_REASON, may_be_empty=True)
    if fault:
        raise Invalid("bulk.reason", fault, {"reason": fault})
    plans = plan(request_uids=[uid for uid, _revision in chosen], actor=actor)
    seen = dict(chosen)
    try:
        with transaction.atomic():
            made = BulkDecision.objects.create(decided_by_id=actor.user_id, token=token, reason=reason, at=now)
            BulkLine.objects.bulk_create(
                BulkLine(bulk=made, access_request=p.access_request, revision=seen[p.access_request.uid], **_outcome(p))
                for p in plans
            )
            audit.record(actor, "bulk.decided", None, at=now, department_ids=[actor.department_id], count=len(plans))
    except IntegrityError:
        known = BulkDecision.objects.filter(decided_by_id=actor.user_id, token=token).first()
        if known is None:
            raise
        decided = set(known.lines.values_list("access_request__uid", "revision"))
        if known.reason != reason or not decided <= set(chosen):
            raise Conflict("submission.reused", _("该提交标识已用于其他内容，请刷新页面后重试。")) from None
        return known
    return made


def _outcome(planned: Plan) -> dict[str, str]:
    """Return how a line stands before it is worked off: what the plan leaves out is never decided."""
    if planned.command is not None:
        return {}
    return {"outcome": BulkOutcome.DECLINED, "code": "bulk.one_by_one", "message": planned.why_not}


def work_off(*, bulk: BulkDecision, actor: Actor, now: datetime) -> BulkDecision:
    """Decide every line that is still open, each with its outcome in one transaction of its own."""
    if bulk.decided_by_id != actor.user_id:
        raise Forbidden("bulk.not_yours", _("只能继续本人发起的批量办理。"))
    for line in bulk.lines.filter(outcome=BulkOutcome.PENDING).order_by("id"):
        try:
            _decide_one(line.pk, bulk, actor, now)
        except DomainError as error:
            _decline(line.pk, error)
    return bulk


def bulk_of(actor: Actor, uid: UUID) -> BulkDecision:
    """Return an own bulk decision."""
    found = BulkDecision.objects.filter(decided_by_id=actor.user_id, uid=uid).first()
    if found is None:
        raise NotFound("bulk.not_found", _("没有这次批量办理，或不是您办理的。"))
    return found


@transaction.atomic
def _decide_one(line_id: int, bulk: BulkDecision, actor: Actor, now: datetime) -> None:
    """Carry out one line; a line somebody else's process works off already is left to it."""
    line = BulkLine.objects.select_for_update(skip_locked=True).filter(pk=line_id, outcome=BulkOutcome.PENDING).first()
    if line is None:
        return
    row = access_requests_visible_to(actor).select_related("resource").filter(pk=line.access_request_id).first()
    if row is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    planned = _plan_one(row, row.desk, actor)
    if row.revision == line.revision and planned.command is None:
        raise Conflict("bulk.one_by_one", planned.why_not)
    access_requests.carry_out(
        request_uid=row.uid,
        command=planned.command or Command.APPROVE,
        actor=actor,
        now=now,
        revision=line.revision,
        reason=bulk.reason,
    )
    line.outcome = BulkOutcome.DONE
    line.save(update_fields=["outcome"])


@transaction.atomic
def _decline(line_id: int, error: DomainError) -> None:
    line = BulkLine.objects.select_for_update().get(pk=line_id)
    line.outcome = BulkOutcome.DECLINED
    line.code, line.message = error.code[:60], str(error.message)[:500]
    line.save(update_fields=["outcome", "code", "message"])


def _plan_one(row: AccessRequest, desk: str, actor: Actor) -> Plan:
    allowed = access_requests.commands_for(row, actor)
    command = next((known for known in FORWARD if known in allowed), None)
    if row.desk != desk:
        return Plan(row, None, _("不在同一办理岗位，请分开批量办理。"))
    if Command.CONFIRM in allowed:
        return Plan(row, None, _("第二人复核须逐项办理。"))
    if command is None:
        return Plan(row, None, _("现在不由您办理，或须由另一位同事办理。"))
    if needs_two(row):
        return Plan(row, None, _("含四级(高敏感)数据，须逐项办理。"))
    return Plan(row, command)
