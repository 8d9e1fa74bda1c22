"""Objections to credit records (信用异议): the record is marked from the day it is raised until its department has checked.

Upheld, the record is retracted or left to its source to correct; either way the mark goes.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.credit import cases, records
from basedb.credit.workflow import OBJECTION, Command, Party, decide
from basedb.models import CreditObjection
from core import audit
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.errors import Conflict
from core.working_days import deadline

ANSWER_DAYS = 7  # working days; ours, to be checked against the local rules
DONE = {
    Command.RETRACT: "objection.upheld",
    Command.CORRECT: "objection.upheld",
    Command.DISMISS: "objection.dismissed",
}


@transaction.atomic
def raise_objection(*, dataset: str, row_key: bytes, reason: str, actor: Actor, now: datetime) -> CreditObjection:
    """Object to a record and mark it; a second objection while one is open raises Conflict."""
    today = today_in_shanghai(now)
    record = records.get_visible(dataset, row_key, actor, today=today, or_public=True)
    standing = records.lock(dataset, record)
    try:
        with transaction.atomic():
            due_at = deadline(now, ANSWER_DAYS)
            objection = CreditObjection.objects.create(
                **cases.opened(dataset, record, prefix="YY", reason=reason, actor=actor, due_at=due_at, now=now)
            )
    except IntegrityError as error:
        raise Conflict("credit_objection.already_open", _("这条记录已有一件异议正在核实，请等待结果。")) from error
    standing.disputed_at = now
    standing.save()
    records.touch(dataset, pk=record.pk)
    records.note_event(dataset, record, "objection.raised", actor=actor, at=now, note=objection.number)
    _audit(objection, "credit_objection.raised", actor, now)
    cases.tell_desk(objection, Party.OWNER_HEAD, title=_("有信用异议待核实"), path=_path(objection), now=now)
    return objection


@transaction.atomic
def answer_objection(*, uid: UUID, revision: int, command: Command, text: str, actor: Actor, now: datetime) -> CreditObjection:
    """Answer an objection and take the mark away."""
    objection = cases.locked(CreditObjection.objects.all(), uid, revision, actor)
    step = decide(OBJECTION, objection.state, command, cases.parties_of(actor, objection))
    objection.answer = cases.text_of(text, "text", _("请填写答复。"))
    objection.state, objection.due_at, objection.decided_at = step.state, None, now
    objection.revision += 1
    objection.save()
    record = records.KINDS[objection.dataset]._default_manager.get(row_key=objection.row_key)
    standing = records.lock(objection.dataset, record)
    standing.disputed_at = None
    if command is Command.RETRACT:
        standing.retracted_at = now
    standing.save()
    records.touch(objection.dataset, pk=record.pk)
    records.note_event(objection.dataset, record, DONE[command], actor=actor, at=now, note=objection.number)
    _audit(objection, f"credit_{DONE[command]}", actor, now)
    title = _("信用异议：%(state)s") % {"state": objection.get_state_display()}
    cases.tell_desk(objection, None, title=title, path=_path(objection), now=now)
    return objection


def objections_visible_to(actor: Actor) -> QuerySet[CreditObjection]:
    """Return the objections of a department, all of them at the window and for auditors."""
    return cases.visible_to(actor, CreditObjection.objects.all())


def _path(objection: CreditObjection) -> str:
    return f"/credit/objections/{objection.uid}/"


def _audit(objection: CreditObjection, action: str, actor: Actor, now: datetime) -> None:
    owners = [objection.owner_id, objection.submitted_from_id]
    audit.record(actor, action, objection, at=now, department_ids=owners, state=objection.state)
