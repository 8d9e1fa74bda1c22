"""Disposal (数据处置, Order 809 art. 27): when the purpose of a grant ends, its data is destroyed or returned.

A task arises with the end of a grant - expired, revoked, terminated - unless a renewal goes on. The requester reports, the provider
confirms or sends it back; what is late is a liability.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import audit, working_days
from core.audit import PLATFORM, Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_role
from core.roles import Role
from exchange.models import Disposal, DisposalManner, DisposalState, Grant, GrantState
from exchange.querysets import grants_visible_to, seats_on_grant
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Seat

LONGEST_ACCOUNT = 1000
LONGEST_OPINION = 500
AT_ONCE = 500


@transaction.atomic
def open_due(*, now: datetime) -> int:
    """Ask for the disposal of the data of every grant that has ended; return how many were asked."""
    ended = Q(state=GrantState.REVOKED) | Q(valid_to__lte=now)
    goes_on = Q(renewed_by__state=GrantState.ACTIVE)
    rows = Grant.objects.filter(ended, disposal=None).exclude(goes_on).select_related("system", "resource").order_by("id")
    due_at = working_days.deadline(now, settings.DISPOSAL_DAYS)
    count = 0
    for grant in rows[:AT_ONCE]:
        disposal, is_new = Disposal.objects.get_or_create(grant=grant, defaults={"opened_at": now, "due_at": due_at})
        if is_new:
            _record(PLATFORM, "disposal.opened", disposal, now, due_at=due_at.isoformat())
            title = _("授权已结束，请处置数据并报告：%(grant)s") % {"grant": grant}
            _tell(Role.OPERATOR, grant.system.department_id, disposal, title, now)
            count += 1
    return count


@transaction.atomic
def report(*, disposal_uid: UUID, manner: str, account: str, actor: Actor, now: datetime) -> Disposal:
    """Report what became of the data, as an operator of the requester; the provider has the ball then."""
    disposal = _locked(disposal_uid, actor)
    _check_seat(disposal, actor, {Seat.REQUESTER_OPERATOR}, _("数据处置由使用方经办人报告。"))
    if disposal.state != DisposalState.DUE:
        raise Conflict("disposal.wrong_state", _("处置情况已经报告，请刷新页面。"), {"state": disposal.state})
    if manner not in DisposalManner.values:
        text = _("请选择处置方式。")
        raise Invalid("disposal.invalid", text, {"manner": text})
    disposal.manner, disposal.account = manner, _text(account, "account", LONGEST_ACCOUNT)
    disposal.reported_by_id, disposal.reported_by_name, disposal.reported_at = actor.user_id, actor.name, now
    _move(disposal, DisposalState.REPORTED)
    _record(actor, "disposal.reported", disposal, now, manner=manner)
    grant = disposal.grant
    title = _("使用方已报告数据处置情况，请确认：%(grant)s") % {"grant": grant}
    for role in (Role.OPERATOR, Role.HEAD):
        _tell(role, grant.resource.provider_id, disposal, title, now)
    return disposal


@transaction.atomic
def confirm(*, disposal_uid: UUID, opinion: str, actor: Actor, now: datetime) -> Disposal:
    """Confirm for the provider that the data was disposed of as it requires."""
    return _decide(disposal_uid, DisposalState.CONFIRMED, opinion, "disposal.confirmed", actor=actor, now=now)


@transaction.atomic
def send_back(*, disposal_uid: UUID, opinion: str, actor: Actor, now: datetime) -> Disposal:
    """Send a report back to the requester with what is missing; its day stays."""
    return _decide(disposal_uid, DisposalState.DUE, opinion, "disposal.sent_back", actor=actor, now=now)


def disposals_visible_to(actor: Actor) -> QuerySet[Disposal]:
    """Return the disposals of the grants the actor may see."""
    rows = Disposal.objects.select_related("grant__system__department", "grant__resource__provider", "grant__access_request")
    return rows.filter(grant__in=grants_visible_to(actor))


def overdue(now: datetime) -> QuerySet[Disposal]:
    """Return what the requester has not reported in time."""
    return Disposal.objects.filter(state=DisposalState.DUE, due_at__lte=now)


def may_report(disposal: Disposal, actor: Actor) -> bool:
    """Return whether the actor has the ball as the requester."""
    return disposal.state == DisposalState.DUE and Seat.REQUESTER_OPERATOR in seats_on_grant(actor, disposal.grant)


def may_decide(disposal: Disposal, actor: Actor) -> bool:
    """Return whether the actor has the ball as the provider."""
    return disposal.state == DisposalState.REPORTED and bool(_PROVIDERS & seats_on_grant(actor, disposal.grant))


_PROVIDERS = frozenset({Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD})


def _decide(uid: UUID, state: DisposalState, opinion: str, event: str, *, actor: Actor, now: datetime) -> Disposal:
    disposal = _locked(uid, actor)
    _check_seat(disposal, actor, _PROVIDERS, _("处置情况由数据提供方确认。"))
    if disposal.state != DisposalState.REPORTED:
        raise Conflict("disposal.wrong_state", _("处置情况尚未报告或已经确认，请刷新页面。"), {"state": disposal.state})
    disposal.opinion = _text(opinion, "opinion", LONGEST_OPINION)
    disposal.decided_by_id, disposal.decided_by_name, disposal.decided_at = actor.user_id, actor.name, now
    _move(disposal, state)
    _record(actor, event, disposal, now, opinion=disposal.opinion)
    title = _("提供方已确认数据处置：%(grant)s") if state == DisposalState.CONFIRMED else _("数据处置报告被退回：%(grant)s")
    values = {"grant": disposal.grant}
    _tell(Role.OPERATOR, disposal.grant.system.department_id, disposal, title % values, now, body=disposal.opinion)
    return disposal


def _move(disposal: Disposal, state: DisposalState) -> None:
    disposal.state = state
    disposal.revision += 1
    disposal.save()


def _locked(uid: UUID, actor: Actor) -> Disposal:
    found = disposals_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if found is None:
        raise NotFound("disposal.not_found", _("没有这项数据处置，或您无权查看。"))
    return found


def _check_seat(disposal: Disposal, actor: Actor, seats: set[Seat] | frozenset[Seat], text: str) -> None:
    if actor.user_id is None or not seats & seats_on_grant(actor, disposal.grant):
        raise Forbidden("disposal.not_yours", text)


def _text(value: str, field: str, longest: int) -> str:
    value = value.replace("\r\n", "\n").strip()
    if fault := text_fault(value, longest=longest):
        raise Invalid("disposal.invalid", fault, {field: fault})
    return value


def _tell(role: Role, department_id: int, disposal: Disposal, title: str, now: datetime, *, body: str = "") -> None:
    notify_role(role, department_id=department_id, title=title, body=body, path=f"/disposals/{disposal.uid}/", now=now)


def _record(actor: Actor, action: str, disposal: Disposal, now: datetime, **detail: str) -> None:
    owners = [disposal.grant.system.department_id, disposal.grant.resource.provider_id]
    audit.record(actor, action, disposal, at=now, department_ids=owners, **detail)
