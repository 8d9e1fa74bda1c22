"""Keeping records (留存): months of calls leave the table calls write to, and are dropped when the law's time is over.

A month leaves only when it is proven: every record sealed, its seals and records intact, archived in files that are intact too, and
no legal hold upon it. It then stands in the schema `retired`, read by overseers and by verification, written by nobody. Six months
(Cybersecurity Law art. 21) and three years (Order 809 art. 29) are kept by the database itself, whatever the settings say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid, Unavailable
from exchange.care import holds
from exchange.evidence.checking import Trust, verify_archives, verify_chain
from exchange.evidence.verifier import Outcome
from exchange.models import Archive, Chain, RetiredMonth, Seal

HOT_MONTHS_AT_LEAST = 6
KEPT_MONTHS_AT_LEAST = 36
PRESENT = """
SELECT to_date(right(inhrelid::regclass::text, 6), 'YYYYMM') FROM pg_inherits
WHERE inhparent = 'exchange_callrecord'::regclass ORDER BY 1"""
ENDS_OF = "SELECT (SELECT xid::text FROM {0} ORDER BY xid LIMIT 1), (SELECT xid::text FROM {0} ORDER BY xid DESC LIMIT 1)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a month: how many records left, or why it stays."""

    month: date
    record_count: int = 0
    reason: str = ""


def months_back(day: date, months: int) -> date:
    """Return the first day of the month so many months before a day's."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def hot_since(now: datetime) -> date:
    """Return the first day whose records stay in the table calls write to."""
    today = now.astimezone(SHANGHAI).date()
    return months_back(today, max(HOT_MONTHS_AT_LEAST, settings.CALLS_HOT_MONTHS))


def kept_since(now: datetime) -> date:
    """Return the first day whose records are kept at all."""
    today = now.astimezone(SHANGHAI).date()
    return months_back(today, max(KEPT_MONTHS_AT_LEAST, settings.CALLS_KEPT_MONTHS))


def due(*, before: date) -> list[date]:
    """Return the months at hand that end before a day, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(PRESENT)
        return [month for (month,) in cursor.fetchall() if _next(month) <= before]


def retire_due(*, before: date | None, actor: Actor, now: datetime) -> list[Verdict]:
    """Take out every month that is old enough and proven; the others stay and say why."""
    last = hot_since(now)
    if before is not None and before > last:
        text = _("%(day)s 起的调用记录须在线留存，不能转存。") % {"day": last.isoformat()}
        raise Invalid("retention.too_young", text, {"before": [text]})
    return [_try(month, actor, now) for month in due(before=before or last)]


def _try(month: date, actor: Actor, now: datetime) -> Verdict:
    try:
        return Verdict(month, retire(month=month, actor=actor, now=now).record_count)
    except (Conflict, Unavailable) as refused:
        return Verdict(month, reason=refused.message)


@transaction.atomic(durable=True)
def retire(*, month: date, actor: Actor, now: datetime) -> RetiredMonth:
    """Take one month out: Conflict while it is held or not proven, Unavailable when calls keep the table busy."""
    _check_free(month)
    _check_proven(month)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT exchange_retire_call_month(%s)", [month])
    except DatabaseError as error:
        code = getattr(error.__cause__, "pgcode", "")
        if code == "55P03":  # lock_not_available
            raise Unavailable("retention.busy", _("记录表正忙，稍后再试。")) from None
        raise Conflict("retention.refused", _("数据库拒绝转存该月记录：留存期未满，或尚未全部归档。")) from None
    retired = RetiredMonth.objects.get(month=month)
    audit.record(actor, "records.retired", None, at=now, month=f"{month:%Y-%m}", record_count=retired.record_count)
    return retired


@transaction.atomic(durable=True)
def drop(*, month: date, actor: Actor, now: datetime) -> RetiredMonth:
    """Drop a retired month for good; the archives stay. Conflict while it is too young, held, or its archives are not intact."""
    _check_free(month)
    found = RetiredMonth.objects.filter(month=month, dropped_at=None).first()
    if found is None:
        raise Conflict("retention.not_retired", _("该月记录尚未转存，或已销毁。"))
    if _next(month) > kept_since(now):
        raise Conflict("retention.kept", _("该月记录的留存期未满，不能销毁。"))
    if found.xid_first is not None and found.xid_last is not None:
        _check_seals(int(found.xid_first), int(found.xid_last))
    with connection.cursor() as cursor:
        cursor.execute("SELECT exchange_drop_retired_month(%s)", [month])
    found.refresh_from_db()
    audit.record(actor, "records.dropped", None, at=now, month=f"{month:%Y-%m}", record_count=found.record_count)
    return found


def _check_free(month: date) -> None:
    since, until = (datetime.combine(day, time.min, tzinfo=SHANGHAI) for day in (month, _next(month)))
    if holds.covers(since, until):
        raise Conflict("retention.held", _("该月记录在法律保全范围内，不能转存或销毁。"))


def _check_proven(month: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ENDS_OF.format(f"exchange_callrecord_{month:%Y%m}"))
        lowest, highest = cursor.fetchone()
    if lowest is not None:
        _check_seals(int(lowest), int(highest))


def _check_seals(lowest: int, highest: int) -> None:
    """Insist that these transactions are sealed and archived, and that seals, records and archive files are intact."""
    seals = Seal.objects.filter(chain=Chain.CALLS, xid_to__gt=lowest, xid_from__lte=highest).order_by("number")
    first, last = seals.first(), seals.last()
    if first is None or last is None or last.xid_to <= highest:
        raise Conflict("retention.unsealed", _("该月还有未封存的记录，不能转存。"))
    if not Archive.objects.filter(chain=Chain.CALLS, first_seal__lte=last.number, last_seal__gte=last.number).exists():
        raise Conflict("retention.unarchived", _("该月还有未归档的封存批次，不能转存。"))
    trust = Trust.of_this_platform()
    until = last.sealed_at + timedelta(microseconds=1)
    _insist(verify_chain(Chain.CALLS, trust, since=first.sealed_at, until=until))
    _insist(verify_archives(Chain.CALLS, trust, first_seal=first.number, last_seal=last.number))


def _insist(outcome: Outcome) -> None:
    if outcome.bad is not None:
        text = _("该月的存证与封存时不一致，不能转存：%(entry)s") % {"entry": outcome.bad}
        raise Conflict("retention.refuted", text)


def _next(month: date) -> date:
    return months_back(month, -1)
