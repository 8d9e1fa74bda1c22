"""What ends or interrupts the showing of records: retraction (撤销), shielding (临时屏蔽), taking down (自动下架).

Whether a record is shown follows from `records.display_sql` alone and is exact at the boundary of a day even when no task runs;
taking down tells the receivers of feeds and leaves a count.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.credit import cases, records
from basedb.dictionary import DATASETS
from basedb.models import CreditShield, CreditTakedown
from basedb.models.credit import CreditRow
from core import audit
from core.audit import PLATFORM, Actor
from core.calendar import today_in_shanghai
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role

_DAY = timedelta(days=1)
_LOCK = "basedb.credit_takedown"


@transaction.atomic
def retract(*, dataset: str, row_key: bytes, document: str, reason: str, actor: Actor, now: datetime) -> CreditRow:
    """Retract a record whose decision was revoked or changed; `document` is the number of the decision that did."""
    today = today_in_shanghai(now)
    record = records.get_visible(dataset, row_key, actor, today=today)
    if not actor.has(Role.HEAD) or records.owner_of(record).pk != actor.department_id:
        raise Forbidden("credit.not_owner", _("记录由认定部门的负责人撤销。"))
    standing = records.lock(dataset, record)
    if standing.retracted_at is not None:
        raise Conflict("credit.retracted", _("这条记录已经撤销，请刷新页面。"))
    number = cases.text_of(document, "document", _("请填写撤销或变更决定的文书号。"))
    why = cases.text_of(reason, "reason", _("请填写理由。"))
    standing.retracted_at = now
    standing.save()
    records.touch(dataset, pk=record.pk)
    records.note_event(dataset, record, "record.retracted", actor=actor, at=now, note=f"{number} {why}")
    audit.record(actor, "credit_record.retracted", record, at=now, department_ids=[record.source_department_id], dataset=dataset)
    return record


@transaction.atomic
def shield(
    *, subject_key: bytes, court: str, case_number: str, first_day: date, last_day: date, actor: Actor, now: datetime
) -> CreditShield:
    """Shield all records of a legal entity for a while, since a court approved its reorganization or settlement."""
    _require_window(actor)
    if last_day < first_day or last_day == date.max:
        text = _("截止日期不能早于开始日期。") if last_day < first_day else _("临时屏蔽须有明确的截止日期。")
        raise Invalid("shield.period", text, {"last_day": [text]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"credit_shield:{subject_key.hex()}"])
    period = DateRange(first_day, last_day + _DAY)
    if CreditShield.objects.filter(subject_key=subject_key, period__overlap=period).exists():
        raise Conflict("shield.overlap", _("该主体在这段时间内已有屏蔽，请先解除或调整日期。"))
    made = CreditShield.objects.create(
        subject_key=subject_key,
        court=cases.text_of(court, "court", _("请填写裁定法院。")),
        case_number=cases.text_of(case_number, "case_number", _("请填写裁定文书号。")),
        period=period,
        made_by_name=actor.name,
        made_at=now,
    )
    touched = _touch_subject(subject_key)
    audit.record(actor, "credit_shield.placed", made, at=now, case=made.case_number, records=touched)
    return made


@transaction.atomic
def end_shield(*, uid: UUID, actor: Actor, now: datetime) -> CreditShield:
    """End a shield today, for instance since the plan was not carried out; its records are shown again from today."""
    _require_window(actor)
    made = CreditShield.objects.select_for_update().filter(uid=uid).first()
    if made is None:
        raise NotFound("shield.not_found", _("没有这项屏蔽，或您无权查看。"))
    today = today_in_shanghai(now)
    if made.period.isempty or (made.period.upper is not None and made.period.upper <= today):
        raise Conflict("shield.ended", _("这项屏蔽已经结束。"))
    first_day = made.period.lower or today
    made.period = DateRange(first_day, max(today, first_day))
    made.save()
    audit.record(actor, "credit_shield.ended", made, at=now, case=made.case_number, records=_touch_subject(bytes(made.subject_key)))
    return made


def shields_visible_to(actor: Actor) -> QuerySet[CreditShield]:
    """Return all shields at the window and for auditors, nothing for anybody else."""
    may = records.is_window(actor) or actor.has(Role.AUDIT_ADMINISTRATOR)
    return CreditShield.objects.all() if may else CreditShield.objects.none()


@transaction.atomic
def take_down(*, now: datetime) -> int:
    """Take down the records whose last day has ended since the last time; return how many. Doing it twice changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20min'")  # a whole city
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_LOCK])
    yesterday = today_in_shanghai(now) - _DAY
    return sum(_take_down(dataset, yesterday, now) for dataset in records.KINDS)


def _take_down(dataset: str, yesterday: date, now: datetime) -> int:
    last = CreditTakedown.objects.filter(dataset=dataset).order_by("-last_day").values_list("last_day", flat=True).first()
    total, day = 0, last + _DAY if last else yesterday
    while day <= yesterday:
        count = records.touch(dataset, publish_until=day, withdrawn_at=None)
        made = CreditTakedown.objects.create(dataset=dataset, last_day=day, records=count, done_at=now)
        if count:
            audit.record(PLATFORM, "credit_record.taken_down", made, at=now, dataset=dataset, day=day.isoformat(), records=count)
        _tell_of_beginnings(dataset, day + _DAY)
        total, day = total + count, day + _DAY
    return total


def _tell_of_beginnings(dataset: str, day: date) -> None:
    """Tell the receivers of feeds what is shown otherwise from a day on that was known before: begun, lifted, shielded or not."""
    names = DATASETS[dataset].field_names
    for name in ("published_on", "decided_on", "lifted_on"):
        if name in names:
            records.touch(dataset, withdrawn_at=None, **{name: day})
    for shielded in CreditShield.objects.filter(Q(period__startswith=day) | Q(period__endswith=day)):
        records.touch(dataset, subject_key=shielded.subject_key)


def _touch_subject(subject_key: bytes) -> int:
    return sum(records.touch(dataset, subject_key=subject_key) for dataset in records.KINDS)


def _require_window(actor: Actor) -> None:
    if not records.is_window(actor):
        raise Forbidden("credit.window_only", _("此操作由信用窗口（数据主管部门审核员）办理。"))
