"""Ending a service with notice (终止): negotiated, filed with the data centre, and carried out when the notice is over.

Order 809 art. 27: who provides ends a running service only with good reason, after negotiating it, and files a record. The
grant goes on until then: its term ends with the notice. Stopping at once is a suspension or a revocation (`grants`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid
from exchange.granting.grant_narrowing import end_of
from exchange.granting.grant_workflow import GrantCommand, decide_grant
from exchange.granting.grants import checked_reason, locked_grant, revoke_follower, standing_within_term, tell, write_change
from exchange.models import Grant, TerminationFiling
from exchange.querysets import seats_on_grant
from exchange.requests import closing
from exchange.requests.numbering import next_number


@transaction.atomic
def terminate(
    *,
    grant_uid: UUID,
    reason: str,
    negotiated_on: date,
    ends_on: date,
    actor: Actor,
    now: datetime,
    revision: int | None = None,
) -> TerminationFiling:
    """File the end of a grant; `ends_on` is the last day it serves, at least the notice away."""
    closing.lock_case(grant_uid)
    grant = locked_grant(grant_uid, actor, revision)
    _standing, seat = decide_grant(standing_within_term(grant, now), GrantCommand.TERMINATE, seats_on_grant(actor, grant))
    if TerminationFiling.objects.filter(grant=grant).exists():
        raise Conflict("grant.already_terminated", _("这项授权已经备案终止。"))
    reason = checked_reason(reason)
    _check_days(grant, negotiated_on, ends_on, now)
    filing = TerminationFiling.objects.create(
        number=next_number(TerminationFiling, "BA", now),
        grant=grant,
        reason=reason,
        negotiated_on=negotiated_on,
        ends_on=ends_on,
        previous_valid_to=grant.valid_to,
        desk=seat,
        filed_at=now,
        filed_by_id=actor.user_id,
        filed_by_name=actor.name,
    )
    grant.valid_to = end_of(ends_on)
    write_change(grant, GrantCommand.TERMINATE, actor=actor, now=now, reason=reason, filing=filing.number)
    revoke_follower(grant, reason=reason, actor=actor, now=now)
    title = _("授权将于 %(day)s 终止：%(grant)s") % {"day": ends_on, "grant": grant}
    tell(grant, actor, now, title=title, body=_("备案编号 %(number)s：%(reason)s") % {"number": filing.number, "reason": reason})
    return filing


def earliest_end(now: datetime) -> date:
    """Return the first day a notice given now may end on."""
    return now.astimezone(SHANGHAI).date() + timedelta(days=settings.TERMINATION_NOTICE_DAYS)


def _check_days(grant: Grant, negotiated_on: date, ends_on: date, now: datetime) -> None:
    fault = {}
    if negotiated_on > now.astimezone(SHANGHAI).date():
        fault["negotiated_on"] = _("协商日期不能晚于今天，请先与使用方协商。")
    if ends_on < earliest_end(now):
        fault["ends_on"] = _("至少提前 %(days)s 天通知，最早 %(day)s。") % {
            "days": settings.TERMINATION_NOTICE_DAYS,
            "day": earliest_end(now),
        }
    elif end_of(ends_on) >= grant.valid_to:
        fault["ends_on"] = _("授权在此之前已到期，不需要终止。")
    elif end_of(ends_on) <= grant.valid_from:
        fault["ends_on"] = _("授权到那时尚未生效，请直接撤销。")
    if fault:
        raise Invalid("grant.termination", _("终止备案的日期有误，请修改后再提交。"), fault)
