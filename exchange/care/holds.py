"""Legal holds (法律保全): placed by an overseer, released by another one, asked by every job that deletes.

While a hold is open nothing it covers is deleted: call records and audit by partition, files of bulk jobs, contents of
attachments. `is_held` and `held_ranges` are what such a job asks; both read the table afresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NoReturn
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role
from exchange.models import AccessRequest, Grant, HoldScope, LegalHold
from exchange.requests.numbering import next_number
from exchange.requests.request_terms import text_fault

KEEPERS = (Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)
LONGEST_REASON = 500
LONGEST_CASE = 64
LOCK = "exchange.legal_holds"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold is to keep, as typed in; only what its kind asks for is filled."""

    kind: HoldScope
    grant: UUID | None = None
    access_request: UUID | None = None
    subject_key: bytes | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class HeldRange:
    """A half-open span of time records of which must stay; None on a side means without end."""

    since: datetime | None
    until: datetime | None

    def touches(self, since: datetime, until: datetime) -> bool:
        """Return whether anything between `since` and `until` (excluded) is held."""
        return (self.until is None or since < self.until) and (self.since is None or self.since < until)


@transaction.atomic
def place(*, case_number: str, reason: str, scope: Scope, actor: Actor, now: datetime) -> LegalHold:
    """Place a hold; from its commit on nothing it covers is deleted. Returns once every deletion under way has ended."""
    keeper_id = _keeper(actor)
    values = _checked(case_number, reason, scope)
    _lock(exclusive=True)
    hold = LegalHold.objects.create(
        number=next_number(LegalHold, "BQ", now),
        scope=scope.kind,
        placed_by_id=keeper_id,
        placed_by_name=actor.name,
        placed_at=now,
        **values,
    )
    audit.record(actor, "legal_hold.placed", hold, at=now, case=hold.case_number, scope=hold.scope, reason=hold.reason)
    return hold


@transaction.atomic
def release(*, hold_uid: UUID, reason: str, actor: Actor, now: datetime) -> LegalHold:
    """Release a hold, by another overseer than the one who placed it."""
    keeper_id = _keeper(actor)
    hold = LegalHold.objects.select_for_update().filter(uid=hold_uid).first()
    if hold is None:
        raise NotFound("hold.not_found", _("没有这项保全，或您无权查看。"))
    if hold.released_at is not None:
        raise Conflict("hold.released", _("这项保全已经解除，请刷新页面。"))
    if hold.placed_by_id == keeper_id:
        raise Forbidden("hold.four_eyes", _("保全须由另一位管理员解除，请由审计管理员或安全管理员中的其他人办理。"))
    hold.release_reason = _text(reason, "reason", LONGEST_REASON)
    hold.released_by_id, hold.released_by_name, hold.released_at = keeper_id, actor.name, now
    hold.revision += 1
    hold.save()
    audit.record(actor, "legal_hold.released", hold, at=now, case=hold.case_number, reason=hold.release_reason)
    return hold


def holds_visible_to(actor: Actor) -> QuerySet[LegalHold]:
    """Return all holds for the overseers, nothing for anybody else."""
    return (
        LegalHold.objects.select_related("grant__resource", "access_request") if actor.has(*KEEPERS) else LegalHold.objects.none()
    )


def request_numbered(number: str, *, actor: Actor) -> AccessRequest | None:
    """Return the request of a number for an overseer, who holds what others decide on without deciding on it."""
    _keeper(actor)
    return AccessRequest.objects.filter(number=number.strip()).select_related("grant").first()


def is_held(
    *,
    grant_id: int | None = None,
    access_request_id: int | None = None,
    subject_keys: Iterable[bytes] = (),
    at: datetime | None = None,
) -> bool:
    """Return whether an open hold covers a thing: by its grant, its request, whom it is about, or the moment it stems from.

    Inside a transaction that deletes, a hold that is placed meanwhile waits for it, and this waits for one being placed.
    """
    _lock(exclusive=False)
    held = Q(scope=HoldScope.ALL)
    if grant_id is not None:
        held |= Q(grant_id=grant_id) | Q(access_request__grant=grant_id)
    if access_request_id is not None:
        held |= Q(access_request_id=access_request_id) | Q(grant__access_request=access_request_id)
    if keys := list(subject_keys):
        held |= Q(subject_key__in=keys)
    if at is not None:
        day = at.astimezone(SHANGHAI).date()
        held |= Q(first_day__lte=day, last_day__gte=day)
    return _open().filter(held).exists()


def held_ranges() -> list[HeldRange]:
    """Return the spans of time of which no record may be deleted.

    A grant or a request holds the time of its calls; a subject and "all" hold every time.
    """
    _lock(exclusive=False)
    return [_range_of(hold) for hold in _open().select_related("grant", "access_request__grant")]


def covers(since: datetime, until: datetime) -> bool:
    """Return whether an open hold keeps records between `since` and `until` (excluded), for whole partitions."""
    return any(held.touches(since, until) for held in held_ranges())


def _range_of(hold: LegalHold) -> HeldRange:
    if hold.scope == HoldScope.PERIOD and hold.first_day and hold.last_day:
        until = None if hold.last_day == date.max else _midnight(hold.last_day + timedelta(days=1))
        return HeldRange(_midnight(hold.first_day), until)
    grant = hold.grant or getattr(hold.access_request, "grant", None)
    if grant is not None:  # refused calls are recorded before and after the term as well, so its end is left open
        return HeldRange(grant.created_at, None)
    if hold.access_request is not None:
        return HeldRange(hold.access_request.created_at, None)
    return HeldRange(None, None)


def _open() -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(released_at=None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)


def _lock(*, exclusive: bool) -> None:
    """Make placing a hold and deleting wait for each other; without a transaction around it, this only waits."""
    shared = "" if exclusive else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(hashtext(%s))", [LOCK])


def _checked(case_number: str, reason: str, scope: Scope) -> dict[str, object]:
    values: dict[str, object] = {
        "case_number": _text(case_number, "case_number", LONGEST_CASE),
        "reason": _text(reason, "reason", LONGEST_REASON),
    }
    if scope.kind is HoldScope.GRANT:
        granted = Grant.objects.select_for_update(no_key=True).filter(uid__in=[scope.grant]).first()
        values["grant"] = granted or _refuse("grant", _("没有这项授权。"))
    elif scope.kind is HoldScope.REQUEST:
        found = AccessRequest.objects.select_for_update(no_key=True).filter(uid__in=[scope.access_request]).first()
        values["access_request"] = found or _refuse("access_request", _("没有这项申请。"))
    elif scope.kind is HoldScope.SUBJECT:
        values["subject_key"] = scope.subject_key or _refuse("subject", _("请填写证件号码或统一社会信用代码。"))
    elif scope.kind is HoldScope.PERIOD:
        if scope.first_day is None or scope.last_day is None or scope.last_day < scope.first_day:
            _refuse("last_day", _("请填写起止日期，截止日期不能早于开始日期。"))
        values |= {"first_day": scope.first_day, "last_day": scope.last_day}
    return values


def _refuse(field: str, text: str) -> NoReturn:
    raise Invalid("hold.invalid", _("保全的内容有误，请修改后再提交。"), {field: text})


def _text(value: str, field: str, longest: int) -> str:
    value = value.replace("\r\n", "\n").strip()
    if fault := text_fault(value, longest=longest):
        _refuse(field, fault)
    return value


def _keeper(actor: Actor) -> int:
    """Return who acts, an overseer; Forbidden for anybody else."""
    if actor.user_id is None or not actor.has(*KEEPERS):
        raise Forbidden("hold.not_yours", _("法律保全由审计管理员或安全管理员办理。"))
    return actor.user_id
