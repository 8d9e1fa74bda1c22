"""Usage records (使用记录, Order 809 art. 29): the requester writes down what it did with the data; provider and centre inspect.

Records are kept for good (the law asks for three years) and never changed: a correction is a row of its own. A grant owes one for
every quarter it was in force, some working days after the quarter's end.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core import audit, working_days
from core.audit import Actor
from core.calendar import SHANGHAI, Calendar
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.notifications import notify_role
from core.roles import Role
from exchange.models import Grant, GrantEvent, GrantVersion, UsageInspection, UsageRecord, UsageReminder
from exchange.models.material_return import ReturningSide
from exchange.querysets import grants_visible_to, seats_on_grant
from exchange.requests.request_terms import text_fault
from exchange.requests.workflow import Seat

LONGEST = {"scenario": 500, "process": 1000, "results": 1000, "storage": 500, "destruction": 500}
LONGEST_FINDINGS = 1000
LONGEST_REASON = 500
AT_ONCE = 500
QUARTERS_LOOKED_BACK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is written down, as typed in; days are Shanghai days, both included."""

    first_day: date
    last_day: date
    scenario: str
    process: str
    results: str
    storage: str
    destruction: str


@transaction.atomic
def record(*, grant_uid: UUID, usage: Usage, actor: Actor, now: datetime) -> UsageRecord:
    """Write down how the data of a grant was used in a period, as an operator of the department that uses it."""
    grant = _grant(grant_uid, actor)
    _check_seat(grant, actor)
    return _write(grant, usage, None, "", actor=actor, now=now)


@transaction.atomic
def correct(*, record_uid: UUID, usage: Usage, reason: str, actor: Actor, now: datetime) -> UsageRecord:
    """Correct a record by a new one that names it and says why; the first one stays as it was."""
    first = usage_visible_to(actor).filter(uid=record_uid).first()
    if first is None:
        raise NotFound("usage.not_found", _("没有这条使用记录，或您无权查看。"))
    grant = _grant(first.grant.uid, actor)
    _check_seat(grant, actor)
    if UsageRecord.objects.filter(corrects=first).exists():
        raise Conflict("usage.corrected", _("这条使用记录已经更正过，请更正最新的一条。"))
    return _write(grant, usage, first, _text(reason, "correction_reason", LONGEST_REASON), actor=actor, now=now)


@transaction.atomic
def inspect(*, grant_uid: UUID, findings: str, put_right_by: date | None, actor: Actor, now: datetime) -> UsageInspection:
    """Write down what an inspection of the usage found; with a deadline the requester answers by a new record."""
    grant = _grant(grant_uid, actor)
    seats = seats_on_grant(actor, grant)
    sides = {Seat.DATA_CENTRE: ReturningSide.DATA_CENTRE, Seat.PROVIDER_HEAD: ReturningSide.PROVIDER}
    sides |= {Seat.PROVIDER_OPERATOR: ReturningSide.PROVIDER}
    side = next((sides[seat] for seat in sides if seat in seats), None)
    if side is None or actor.user_id is None:
        raise Forbidden("usage.not_yours", _("使用情况由数据提供方和数据中心检查。"))
    if put_right_by is not None and put_right_by < now.astimezone(SHANGHAI).date():
        text = _("限期整改的截止日期不能早于今天。")
        raise Invalid("usage.invalid", text, {"put_right_by": text})
    made = UsageInspection.objects.create(
        grant=grant,
        side=side,
        findings=_text(findings, "findings", LONGEST_FINDINGS),
        put_right_by=put_right_by,
        inspected_by_id=actor.user_id,
        inspected_by_name=actor.name,
        inspected_at=now,
    )
    _audit(actor, "usage.inspected", grant, now, side=side, put_right_by=str(put_right_by or ""))
    title = _("使用情况已检查，请查看：%(grant)s") % {"grant": grant}
    _tell_user(grant, title, now, body=made.findings[:500])
    return made


@transaction.atomic
def remind(*, now: datetime) -> int:
    """Ask once for the record of the quarter that has ended, where none was filed; return how many were asked."""
    quarter = quarter_before(now.astimezone(SHANGHAI).date())
    rows = owing(quarter).exclude(usage_reminders__quarter=quarter).select_related("system", "resource").order_by("id")[:AT_ONCE]
    due = due_on(quarter, working_days.calendar())
    for grant in rows:
        UsageReminder.objects.create(grant=grant, quarter=quarter, at=now)
        title = _("请在 %(day)s 前登记上季度使用记录：%(grant)s") % {"day": due.date(), "grant": grant}
        _tell_user(grant, title, now)
    return len(rows)


def owing(quarter: date) -> QuerySet[Grant]:
    """Return the grants that were in force in a quarter and have no record that reaches into it."""
    begin, end = _moment(quarter), _moment(next_quarter(quarter))
    revoked = GrantVersion.objects.filter(grant=OuterRef("pk"), event=GrantEvent.REVOKED, at__lt=begin)
    in_force = Grant.objects.filter(~Exists(revoked), valid_from__lt=end, valid_to__gt=begin)
    filed = UsageRecord.objects.filter(grant=OuterRef("pk"), first_day__lt=next_quarter(quarter), last_day__gte=quarter)
    return in_force.filter(~Exists(filed))


def overdue(now: datetime) -> QuerySet[Grant]:
    """Return the grants that owe the record of a quarter whose day has passed, as far back as is looked."""
    calendar, quarter = working_days.calendar(), quarter_before(now.astimezone(SHANGHAI).date())
    late = Q(pk__in=[])
    for _quarter_back in range(QUARTERS_LOOKED_BACK):
        if now >= due_on(quarter, calendar):
            late |= Q(pk__in=owing(quarter).values("pk"))
        quarter = quarter_before(quarter)
    return Grant.objects.filter(late)


def open_findings(now: datetime) -> QuerySet[UsageInspection]:
    """Return the inspections whose deadline has passed without a record filed since."""
    answered = UsageRecord.objects.filter(grant=OuterRef("grant"), recorded_at__gt=OuterRef("inspected_at"))
    return UsageInspection.objects.filter(~Exists(answered), put_right_by__lt=now.astimezone(SHANGHAI).date())


def usage_visible_to(actor: Actor) -> QuerySet[UsageRecord]:
    """Return the records of the grants the actor may see."""
    rows = UsageRecord.objects.select_related("grant__system__department", "grant__resource__provider", "corrects")
    return rows.filter(grant__in=grants_visible_to(actor))


def quarter_before(day: date) -> date:
    """Return the first day of the quarter before the one a day lies in."""
    return _quarter(_quarter(day) - timedelta(days=1))


def next_quarter(quarter: date) -> date:
    """Return the first day of the quarter after one."""
    return _quarter(quarter + timedelta(days=93))


def due_on(quarter: date, calendar: Calendar) -> datetime:
    """Return until when the record of a quarter is to be filed."""
    last = _moment(next_quarter(quarter)) - timedelta(seconds=1)
    return calendar.deadline(last, settings.USAGE_RECORD_DAYS)


def _quarter(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)


def _write(grant: Grant, usage: Usage, corrects: UsageRecord | None, reason: str, *, actor: Actor, now: datetime) -> UsageRecord:
    texts = {name: _text(getattr(usage, name), name, longest) for name, longest in LONGEST.items()}
    by_id = _check_seat(grant, actor)
    today = now.astimezone(SHANGHAI).date()
    if usage.last_day < usage.first_day or usage.last_day > today:
        text = _("使用期间的截止日期不能早于开始日期，也不能晚于今天。")
        raise Invalid("usage.invalid", text, {"last_day": text})
    made = UsageRecord.objects.create(
        grant=grant,
        corrects=corrects,
        correction_reason=reason,
        recorded_by_id=by_id,
        recorded_by_name=actor.name,
        recorded_at=now,
        **asdict(usage) | texts,
    )
    event = "usage.corrected" if corrects else "usage.recorded"
    _audit(actor, event, grant, now, first_day=str(usage.first_day), last_day=str(usage.last_day), record=str(made.uid))
    return made


def _grant(uid: UUID, actor: Actor) -> Grant:
    grant = grants_visible_to(actor).select_related("system__department", "resource").filter(uid=uid).first()
    if grant is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    return grant


def _check_seat(grant: Grant, actor: Actor) -> int:
    """Return who writes: an operator of the department that uses the data; Forbidden for anybody else."""
    if actor.user_id is None or Seat.REQUESTER_OPERATOR not in seats_on_grant(actor, grant):
        raise Forbidden("usage.not_yours", _("使用记录由使用方经办人登记。"))
    return actor.user_id


def _text(value: str, field: str, longest: int) -> str:
    value = value.replace("\r\n", "\n").strip()
    if fault := text_fault(value, longest=longest):
        raise Invalid("usage.invalid", _("使用记录有误，请修改后再提交。"), {field: fault})
    return value


def _audit(actor: Actor, action: str, grant: Grant, now: datetime, **detail: str) -> None:
    owners = [grant.system.department_id, grant.resource.provider_id]
    audit.record(actor, action, grant, at=now, department_ids=owners, **detail)


def _tell_user(grant: Grant, title: str, now: datetime, *, body: str = "") -> None:
    path = f"/grants/{grant.uid}/usage/"
    notify_role(Role.OPERATOR, department_id=grant.system.department_id, title=title, body=body, path=path, now=now)
