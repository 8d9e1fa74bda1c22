"""Working on a missing license (核查与补发): received, looked for in the archive, reissued, found, denied or handed over.

The states are `workflow`; clocks run in working days and start anew with every desk. Reissued means that the license was issued
by the issuing desk: nothing is sealed here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.translation import gettext as _

from basedb.dictionary.licenses import LIVE
from basedb.models import License as CityLicense
from core import audit, notifications
from core.audit import PLATFORM, Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid, NotFound
from core.models import Department
from core.roles import Role
from core.working_days import deadline
from licenses.models import OPEN_MISSING, License, MissingReminder, MissingReport, MissingStage, MissingState
from licenses.reissue import clocks, reports
from licenses.reissue.workflow import COMMAND_TITLES, DESKS, Clock, Command, Party, Step, decide

SOON: Final = timedelta(hours=24)
AT_ONCE: Final = 500
EVENTS: Final = {
    Command.RECEIVE: "received",
    Command.REISSUE: "reissue_begun",
    Command.COMPLETE: "reissued",
    Command.FIND: "found",
    Command.DENY: "denial_proposed",
    Command.CONFIRM: "denied",
    Command.RETURN: "returned",
    Command.HAND_OVER: "handed_over",
    Command.EXTEND: "extended",
    Command.WITHDRAW: "withdrawn",
}
_WITHOUT_WORDS: Final = (Command.RECEIVE, Command.REISSUE, Command.COMPLETE, Command.FIND, Command.WITHDRAW)


def parties_of(actor: Actor, report: MissingReport) -> frozenset[Party]:
    """Return as whom an actor may act on a report."""
    looks = report.department_id == actor.department_id
    is_centre = actor.is_data_centre and actor.has(Role.REVIEWER)
    held = {
        Party.REPORTER: report.reported_from_id is not None
        and report.reported_from_id == actor.department_id
        and actor.has(Role.OPERATOR),
        Party.OPERATOR: looks and (actor.has(Role.OPERATOR) or is_centre),
        Party.HEAD: looks and actor.has(Role.HEAD),
        Party.CENTRE: is_centre,
    }
    return frozenset(party for party, is_held in held.items() if is_held)


@transaction.atomic
def advance(
    *,
    uid: UUID,
    revision: int,
    command: Command,
    text: str,
    actor: Actor,
    now: datetime,
    identifier: str = "",
    department_uid: UUID | None = None,
) -> MissingReport:
    """Give a command to a report; `identifier` names the license found or reissued, `department_uid` whom it is handed to."""
    report = _locked(uid, revision, actor)
    step = decide(report.state, command, parties_of(actor, report))
    text = _words(text, command)
    if command in (Command.FIND, Command.COMPLETE):
        _point_to(report, identifier, command, now)
    if command is Command.HAND_OVER:
        report.department = _receiver(department_uid, report)
    if command is Command.EXTEND and report.is_extended:
        raise Conflict("missing.extended", _("核查期限只能延长一次。"))
    before = report.department_id
    _move(report, step, now)
    report.is_extended = report.is_extended or command is Command.EXTEND
    if step.desk is None:
        report.answer = text
        _settle_joined(report, command, actor, now)
    report.revision += 1
    report.save()
    reports.note_step(report, command, actor=actor, now=now, note=text)
    owners = [before, report.department_id, report.reported_from_id]
    audit.record(actor, f"missing_license.{EVENTS[command]}", report, at=now, department_ids=owners, state=report.state)
    _tell(report, step, command, now)
    return report


@transaction.atomic
def withdraw_by_holder(*, uid: UUID, subject_key: bytes, now: datetime) -> MissingReport:
    """Withdraw what the holder reported, as the holder: the door has made sure who that is."""
    report = (
        MissingReport.objects.select_for_update(of=("self",))
        .select_related("department")
        .filter(uid=uid, subject_key=subject_key, is_by_holder=True)
        .first()
    )
    if report is None:
        raise NotFound("missing.not_found", _("没有这个报告，或您无权查看。"))
    step = decide(report.state, Command.WITHDRAW, {Party.REPORTER})
    _move(report, step, now)
    _settle_joined(report, Command.WITHDRAW, PLATFORM, now)
    report.revision += 1
    report.save()
    reports.note_step(report, Command.WITHDRAW, actor=PLATFORM, now=now, note=_("持证人撤回"))
    audit.record(PLATFORM, "missing_license.withdrawn", report, at=now, department_ids=[report.department_id], state=report.state)
    return report


@transaction.atomic
def complete_for(license: License, *, actor: Actor, now: datetime) -> int:
    """Close what was being reissued and is this license; the issuing desk calls it when it has issued. Return how many."""
    keys = [bytes(key) for key in license.holders.values_list("subject_key", flat=True)]
    waiting = MissingReport.objects.select_for_update(of=("self",)).select_related("department")
    closed = 0
    for report in waiting.filter(type_code=license.type_code, subject_key__in=keys, state=MissingState.REISSUING):
        if report.paper_number not in ("", license.number):
            continue
        report.identifier, report.license = license.identifier, license
        step = decide(report.state, Command.COMPLETE, {Party.OPERATOR})
        _move(report, step, now)
        _settle_joined(report, Command.COMPLETE, actor, now)
        report.revision += 1
        report.save()
        reports.note_step(report, Command.COMPLETE, actor=actor, now=now, note="")
        owners = [report.department_id, report.reported_from_id]
        audit.record(actor, "missing_license.reissued", report, at=now, department_ids=owners, state=report.state)
        _tell(report, step, Command.COMPLETE, now)
        closed += 1
    return closed


@transaction.atomic
def remind_due(*, now: datetime) -> int:
    """Remind the desks of what is due within a day or late already, once of each; return how many were reminded."""
    rows = (
        MissingReport.objects.filter(due_at__lte=now + SOON, state__in=OPEN_MISSING)
        .exclude(reminder=MissingReminder.OVERDUE)
        .exclude(reminder=MissingReminder.SOON, due_at__gt=now)
        .select_related("department")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("due_at")[:AT_ONCE]
    )
    count = 0
    for report in rows:
        is_late = report.due_at is not None and report.due_at <= now
        report.reminder = MissingReminder.OVERDUE if is_late else MissingReminder.SOON
        report.save(update_fields=["reminder"])
        title = _("缺失证照核查已超期，请尽快办理：%(number)s") if is_late else _("缺失证照核查将于今日内到期：%(number)s")
        reports.tell_desk(report, DESKS[report.state], title=title % {"number": report.number}, now=now)
        count += 1
    return count


def _move(report: MissingReport, step: Step, now: datetime) -> None:
    report.state = step.state
    report.reminder = MissingReminder.NONE
    match step.clock:
        case None:
            report.due_at, report.decided_at = None, now
        case Clock.SAME:
            pass
        case Clock.EXTENDED:
            days = clocks.days_of(MissingStage.EXTENSION, now.astimezone(SHANGHAI).date())
            report.due_at = deadline(max(report.due_at or now, now), days)
        case _:
            report.due_at = clocks.due_at(MissingStage(step.clock.value), now)


def _settle_joined(report: MissingReport, command: Command, actor: Actor, now: datetime) -> None:
    """Tell those who joined of the answer; when the first withdraws, the next one's report takes its place."""
    joined = list(report.joined.select_for_update().filter(state=MissingState.JOINED).order_by("id"))
    if command is not Command.WITHDRAW:
        title = _("您报告的缺失证照：%(state)s") % {"state": report.get_state_display()}
        told = [other.reported_by_id for other in joined if other.reported_by_id is not None]
        notifications.notify_users(told, title=title, path=reports.path_of(report), now=now)
        return
    if not joined:
        return
    heir, *others = joined
    report.save(update_fields=["state"])  # the open one of a license is one
    heir.state, heir.joined_into, heir.department = MissingState.REPORTED, None, report.department
    heir.due_at = clocks.due_at(MissingStage.RECEIVE, now)
    heir.revision += 1
    heir.save()
    reports.note_step(heir, reports.REPORT, actor=actor, now=now, note=_("在先的报告已撤回，由本报告继续办理"))
    MissingReport.objects.filter(pk__in=[other.pk for other in others]).update(joined_into=heir)
    reports.tell_desk(heir, Party.OPERATOR, title=_("有缺失证照待核查：%(type)s") % {"type": heir.type_name}, now=now)


def _locked(uid: UUID, revision: int, actor: Actor) -> MissingReport:
    rows = reports.reports_visible_to(actor).select_related(None).select_related("department")
    report = rows.select_for_update(of=("self",)).filter(uid=uid).first()
    if report is None:
        raise NotFound("missing.not_found", _("没有这个报告，或您无权查看。"))
    if report.revision != revision:
        raise Conflict("missing.stale", _("这个报告刚被办理过，请刷新页面查看最新状态。"), {"revision": report.revision})
    return report


def _words(text: str, command: Command) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text and command not in _WITHOUT_WORDS:
        missing = _("请写明理由：%(command)s。") % {"command": COMMAND_TITLES[command]}
        raise Invalid("missing.text_missing", missing, {"text": [missing]})
    if len(text) > reports.LONGEST:
        wrong = _("最多 %(count)s 个字。") % {"count": reports.LONGEST}
        raise Invalid("missing.text_too_long", wrong, {"text": [wrong]})
    return text


def _point_to(report: MissingReport, identifier: str, command: Command, now: datetime) -> None:
    """Note which license answers the report; it must be the holder's, of that type, known here and in force."""
    identifier, today = identifier.strip().upper(), now.astimezone(SHANGHAI).date()
    mine = Q(holders__subject_key=report.subject_key, type_code=report.type_code)
    issued = License.objects.filter(mine, identifier=identifier).first() if identifier else None
    known = [] if issued is None else [issued.is_live(today)]
    if issued is None and identifier and command is Command.FIND:
        city = CityLicense.objects.filter(identifier=identifier, subject_key=report.subject_key, type_code=report.type_code)
        unexpired = Q(valid_to=None) | Q(valid_to__gte=today)
        told = city.filter(withdrawn_at=None).annotate(is_live=ExpressionWrapper(Q(unexpired, license_state=LIVE), BooleanField()))
        known = list(told.values_list("is_live", flat=True))
    if not any(known):
        text = _("请填写该持证主体这一类型证照的电子证照标识；补发须先在签发台签发。")
        if known:
            text = _("这张证照已被新版本取代、过期或不在有效状态，不能用来答复；请填写现行有效的证照，或者补发。")
        raise Invalid("missing.identifier", text, {"identifier": [text]})
    report.identifier, report.license = identifier, issued


def _receiver(uid: UUID | None, report: MissingReport) -> Department:
    receiver = Department.objects.filter(uid=uid, valid_to=None).exclude(pk=report.department_id).first() if uid else None
    if receiver is None:
        text = _("请选择移交给哪个部门。")
        raise Invalid("missing.receiver", text, {"department": [text]})
    return receiver


def _tell(report: MissingReport, step: Step, command: Command, now: datetime) -> None:
    """Tell the next desk; at the end, and when it moved to another department, tell who reported."""
    words = {"number": report.number, "state": report.get_state_display()}
    if step.desk is not None and command not in (Command.RECEIVE, Command.REISSUE):
        reports.tell_desk(report, step.desk, title=_("缺失证照 %(number)s：%(state)s") % words, now=now)
    if report.reported_by_id is not None and (step.desk is None or command is Command.HAND_OVER):
        title = _("您报告的缺失证照：%(state)s") % words
        notifications.notify_users([report.reported_by_id], title=title, path=reports.path_of(report), now=now)
