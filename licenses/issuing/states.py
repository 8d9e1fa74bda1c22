"""Changes of an issued license (状态变更): suspended, given back, revoked, rescinded, cancelled, moved away; its paper beside it.

Paper and electronic license change in one transaction. What they disagree in until somebody prints, hands out or takes back is
`differences`.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Invalid, NotFound
from core.models.shared import CurrentXid
from licenses.issuing import desks, writing
from licenses.issuing.workflow import Change, PaperAct, decide_change, decide_paper
from licenses.models import License, LicenseState, Operation, PaperState

LONGEST_PAPER_NUMBER: Final = 50


@transaction.atomic
def carry_out(*, license_uid: UUID, change: Change, reason: str, basis: str, actor: Actor, now: datetime) -> License:
    """Change the state of a license and of its paper; what takes something away names its reason and legal basis."""
    license = _locked(license_uid, actor)
    seats = desks.seats_of(actor, department_id=license.issuer_id)
    rule = decide_change(LicenseState(license.state), change, is_current=license.is_current, seats=seats)
    reason = desks.text_of(reason, "reason", missing=_("请写明事由。"))
    basis = desks.text_of(basis, "basis", missing=_("请写明法律依据和文书号。") if rule.needs_basis else "")
    paper = PaperState(license.paper_state)
    _write(license, state=rule.to, paper=rule.paper.get(paper, paper), now=now)
    writing.note(license, rule.operation, reason=reason, basis=basis, actor=actor, now=now)
    writing.deliver_soon()
    return license


suspend = partial(carry_out, change=Change.SUSPEND)
resume = partial(carry_out, change=Change.RESUME)
revoke = partial(carry_out, change=Change.REVOKE)
rescind = partial(carry_out, change=Change.RESCIND)
cancel = partial(carry_out, change=Change.CANCEL)
move_away = partial(carry_out, change=Change.MOVE_AWAY)
move_back = partial(carry_out, change=Change.MOVE_BACK)


@transaction.atomic
def register_paper(*, license_uid: UUID, act: PaperAct, paper_number: str, reason: str, actor: Actor, now: datetime) -> License:
    """Register what happened to the paper: handed out with its printed number, taken back, lost, to be printed again."""
    license = _locked(license_uid, actor)
    seats = desks.seats_of(actor, department_id=license.issuer_id)
    paper = decide_paper(PaperState(license.paper_state), act, is_live=license.is_live(_today(now)), seats=seats)
    number = paper_number.strip()
    if act is PaperAct.HAND_OUT and not (number and len(number) <= LONGEST_PAPER_NUMBER and number.isprintable()):
        text = _("请填写纸质证照的印制号，最多 50 个字。")
        raise Invalid("license.paper_number", text, {"paper_number": [text]})
    missing = _("请写明情况。") if act is not PaperAct.HAND_OUT else ""
    reason = desks.text_of(reason, "reason", missing=missing)
    _write(license, state=LicenseState(license.state), paper=paper, now=now, paper_number=number or license.paper_number)
    writing.note(license, Operation.PAPER, reason=reason, basis="", actor=actor, now=now)
    return license


def differences(actor: Actor) -> QuerySet[License]:
    """Return the licenses whose paper is not where the electronic license says: not handed out, not taken back, lost."""
    behind = Q(paper_state__in=(PaperState.TO_PRINT, PaperState.TO_RECALL))
    lost = Q(paper_state=PaperState.LOST, is_current=True, state=LicenseState.VALID)
    return desks.licenses_visible_to(actor).filter(behind | lost)


def _write(license: License, *, state: LicenseState, paper: PaperState, now: datetime, paper_number: str | None = None) -> None:
    license.state_at = now if state != license.state else license.state_at
    license.state, license.paper_state = state, paper
    if paper_number is not None:
        license.paper_number = paper_number
    License.objects.filter(pk=license.pk).update(
        state=license.state,
        state_at=license.state_at,
        paper_state=license.paper_state,
        paper_number=license.paper_number,
        changed_xid=CurrentXid(),
    )


def _locked(uid: UUID, actor: Actor) -> License:
    license = desks.licenses_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if license is None:
        raise NotFound("license.not_found", _("没有这份证照，或您无权查看。"))
    return license


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
