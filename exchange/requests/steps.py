"""Taking a step (办理): the request moves on, the step is kept, the clocks start, stop and go on.

What step a command makes is `workflow`; who is told is `desks`.
"""

from __future__ import annotations

from datetime import datetime

from core import working_days
from core.audit import Actor
from core.calendar import SHANGHAI, Calendar
from exchange.models import AccessRequest, AccessRequestStep, Stage
from exchange.requests import clocks, extensions, returns, sla_policies
from exchange.requests.workflow import Command, Seat, State, Step


def take(
    access_request: AccessRequest,
    step: Step,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    on_behalf_of: int | None = None,
) -> None:
    """Move a locked request on and keep the step, in the caller's transaction."""
    was_due_at = access_request.due_at
    _set_clocks(access_request, step, missing=reason, calendar=working_days.calendar(), now=now)
    is_closed = step.desk is Seat.NOBODY
    access_request.state = step.to_state
    access_request.desk = step.desk
    access_request.returned_from = step.from_state if step.to_state is State.RETURNED else ""
    access_request.reminder = ""
    access_request.submitted_at = now if step.command is Command.SUBMIT else access_request.submitted_at
    if step.command is not Command.CLOSE:
        access_request.decided_at = now if is_closed else None
    access_request.refusal_reason = reason if step.command is Command.REFUSE else ""
    access_request.revision += 1
    access_request.save()
    is_answered = is_closed and step.command is not Command.CLOSE
    if is_answered or step.to_state is State.RETURNED:
        extensions.lapse(access_request, now=now)
    AccessRequestStep.objects.create(
        access_request=access_request,
        at=now,
        command=step.command,
        from_state=step.from_state,
        to_state=step.to_state,
        actor_id=actor.user_id,
        on_behalf_of_id=on_behalf_of,
        actor_name=actor.name,
        actor_department=actor.department,
        desk=step.seat,
        reason=reason,
        was_due_at=was_due_at,
    )


def _set_clocks(access_request: AccessRequest, step: Step, *, missing: str, calendar: Calendar, now: datetime) -> None:
    """Start the clock of the next desk; the answer's starts with the receipt and stands still during a return (art. 21)."""
    resource = access_request.resource
    policies = sla_policies.policies_for(
        share_attribute=resource.share_attribute,
        region_code=resource.provider.region.code,
        on=now.astimezone(SHANGHAI).date(),
    )
    policy = policies.get(step.desk)
    days = policy.days if policy else None
    if step.command is Command.ENDORSE:
        access_request.answer_due_at = calendar.deadline(now, policies[Stage.ANSWER].days)
    elif step.command is Command.RETURN:
        returns.write_down(access_request, step, missing=missing, calendar=calendar, now=now)
        access_request.answer_due_at = None
    elif step.command is Command.RESUBMIT:
        done = returns.complete(access_request, now=now)
        if done and step.to_state is not State.SUBMITTED:
            days = days if done.desk_days_left is None else done.desk_days_left
            left = done.answer_days_left
            access_request.answer_due_at = None if left is None else calendar.deadline(now, left)
    access_request.due_at = clocks.due_at(calendar=calendar, days=days, entered_at=now, answer_due_at=access_request.answer_due_at)
