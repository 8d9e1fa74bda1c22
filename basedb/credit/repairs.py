"""Credit repair (信用修复): applied for at the single window, checked and decided by the department that determined the record.

A grant ends showing and effect; the record and its history stay for those who may audit. Time limits are rows of `CreditTier`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.credit import cases, records
from basedb.credit.tiers import first_day_of_repair, tier_of
from basedb.credit.workflow import REPAIR, Clock, Command, Party, Step, decide
from basedb.models import CreditRepair, CreditTier
from basedb.models.credit import CreditRow
from core import audit
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.errors import Conflict, Invalid
from core.working_days import deadline

DONE = {
    Command.ACCEPT: "repair.accepted",
    Command.DECLINE: "repair.declined",
    Command.CHECK: "repair.checked",
    Command.EXTEND: "repair.extended",
    Command.GRANT: "repair.granted",
    Command.REFUSE: "repair.refused",
    Command.RETURN: "repair.returned",
    Command.CANCEL: "repair.cancelled",
}
_ENDED_ALREADY = {"RETRACTED", "REPAIRED", "LIFTED", "WITHDRAWN", "ENDED"}


@transaction.atomic
def submit_repair(*, dataset: str, row_key: bytes, reason: str, evidence: str, actor: Actor, now: datetime) -> CreditRepair:
    """Apply for the repair of a record; too early raises Invalid with the first day on which it is possible.

    One application a record may be open at a time: another one raises Conflict.
    """
    today = today_in_shanghai(now)
    record = records.get_visible(dataset, row_key, actor, today=today, or_public=True)
    records.lock(dataset, record)
    record = records.get_visible(dataset, row_key, actor, today=today, or_public=True)
    tier = _repairable(dataset, record, now)
    due_at = deadline(now, tier.accept_days)
    try:
        with transaction.atomic():
            repair = CreditRepair.objects.create(
                severity=tier.code,
                evidence=cases.text_of(evidence, "evidence", _("请写明义务履行情况和证明材料。")),
                **cases.opened(dataset, record, prefix="XF", reason=reason, actor=actor, due_at=due_at, now=now),
            )
    except IntegrityError as error:
        raise Conflict("repair.already_open", _("这条记录已有一件修复申请正在办理，请等待结果。")) from error
    records.note_event(dataset, record, "repair.submitted", actor=actor, at=now, note=repair.number)
    _audit(repair, "repair.submitted", actor, now)
    cases.tell_desk(repair, Party.WINDOW, title=_("有信用修复申请待受理"), path=_path(repair), now=now)
    return repair


@transaction.atomic
def advance_repair(*, uid: UUID, revision: int, command: Command, text: str = "", actor: Actor, now: datetime) -> CreditRepair:
    """Take a repair one step on; `text` is the finding, the answer or the reason the step needs."""
    repair = cases.locked(CreditRepair.objects.all(), uid, revision, actor)
    step = decide(REPAIR, repair.state, command, cases.parties_of(actor, repair))
    if command is Command.EXTEND and repair.is_extended:
        raise Conflict("repair.extended_already", _("办理期限已经延长过一次，不能再延长。"))
    _write(repair, step, command, text, now)
    record = records.KINDS[repair.dataset]._default_manager.get(row_key=repair.row_key)
    if command is Command.GRANT:
        standing = records.lock(repair.dataset, record)
        standing.repaired_at = now
        standing.save()
        records.touch(repair.dataset, pk=record.pk)
    records.note_event(repair.dataset, record, DONE[command], actor=actor, at=now, note=repair.number)
    _audit(repair, DONE[command], actor, now)
    title = _("信用修复：%(state)s") % {"state": repair.get_state_display()}
    cases.tell_desk(repair, step.desk, title=title, path=_path(repair), now=now)
    return repair


def repairs_visible_to(actor: Actor) -> QuerySet[CreditRepair]:
    """Return the repairs of a department, all of them at the window and for auditors."""
    return cases.visible_to(actor, CreditRepair.objects.all())


def _repairable(dataset: str, record: CreditRow, now: datetime) -> CreditTier:
    today = today_in_shanghai(now)
    if dataset not in records.ADVERSE:
        text = _("只有行政处罚、严重失信名单和经营异常记录可以申请信用修复。")
        raise Invalid("repair.not_adverse", text, {"record": [text]})
    state = str(getattr(record, "display", ""))
    if state in _ENDED_ALREADY:
        raise Conflict("repair.ended", _("这条记录%(state)s，无需修复。") % {"state": records.DISPLAY_TITLES[state]})
    tier = tier_of(record, on=today)
    first_day = first_day_of_repair(record, tier)
    if today < first_day:
        text = _("%(tier)s失信信息最短公示 %(months)s 个月，最早可于 %(day)s 申请修复（%(citation)s）。") % {
            "tier": tier.name,
            "months": tier.min_months,
            "day": first_day.isoformat(),
            "citation": tier.citation,
        }
        raise Invalid("repair.too_early", text, {"record": [text], "first_day": first_day.isoformat()})
    return tier


def _write(repair: CreditRepair, step: Step, command: Command, text: str, now: datetime) -> None:
    if command in (Command.CHECK, Command.DECLINE, Command.GRANT, Command.REFUSE, Command.RETURN, Command.EXTEND):
        text = cases.text_of(text, "text", _("请填写意见。"))
    if command is Command.CHECK:
        repair.finding = text
    elif text:
        repair.answer = text.strip()[: cases.LONGEST]
    repair.state = step.state
    repair.revision += 1
    if step.clock in (Clock.ANSWER, Clock.EXTENDED):
        tier = CreditTier.objects.get(code=repair.severity, effective__contains=today_in_shanghai(repair.submitted_at))
        days, start = (tier.answer_days, now) if step.clock is Clock.ANSWER else (tier.extension_days, repair.due_at or now)
        repair.due_at = deadline(start, days)
        repair.is_extended = step.clock is Clock.EXTENDED
    elif step.clock is None:
        repair.due_at, repair.decided_at = None, now
    repair.save()


def _path(repair: CreditRepair) -> str:
    return f"/credit/repairs/{repair.uid}/"


def _audit(repair: CreditRepair, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        actor,
        action,
        repair,
        at=now,
        department_ids=[repair.owner_id, repair.submitted_from_id],
        state=repair.state,
        severity=repair.severity,
    )
