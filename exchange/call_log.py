"""The call log (调用记录查询): reading records by filter and keyset, and following one call back to what allowed it.

Records are written by the call path alone. When an auditor reads or anybody exports, that is recorded in the audit trail.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from catalog.models import Resource, ResourceVersion
from core import audit, keyset
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import NotFound
from core.models import Department, User
from core.texts import harmless_cell
from exchange import finding
from exchange.models import CallRecord, ConsumerSystem, Credential, Grant
from exchange.querysets import calls_visible_to, is_auditor, is_reviewer
from exchange.statistics import periods, sides
from exchange.statistics.figures import CallScope, Day, per_day

ORDER = ("-requested_at", "-consumer_id", "-call_id")
ANSWERED = (*sides.ANSWERED, *sides.ENDINGS)
NO_CREDENTIAL = 0  # of a record: no key signed, an officer did it on a page
DAYS_SHOWN = 7
EXPORT_AT_MOST = 100_000


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What to look for. Days are Shanghai days; without them the last week, so that few partitions are read."""

    day_from: date | None = None
    day_to: date | None = None
    outcome: str = ""
    mode: str = ""
    system: UUID | None = None
    resource: UUID | None = None
    grant: UUID | None = None
    call: UUID | None = None

    def span(self, now: datetime) -> tuple[date, date]:
        """Return the first and the last day looked at."""
        last = self.day_to or now.astimezone(SHANGHAI).date()
        return self.day_from or last - timedelta(days=DAYS_SHOWN - 1), last


def select(actor: Actor, chosen: CallFilter, now: datetime) -> QuerySet[CallRecord]:
    """Return the records the actor may see that fit the filter."""
    first, last = chosen.span(now)
    rows = calls_visible_to(actor).filter(
        requested_at__gte=datetime.combine(first, time.min, tzinfo=SHANGHAI),
        requested_at__lt=datetime.combine(last + timedelta(days=1), time.min, tzinfo=SHANGHAI),
    )
    if chosen.outcome == "answered":
        rows = rows.filter(outcome__in=ANSWERED)
    elif chosen.outcome == "refused":
        rows = rows.exclude(outcome__in=ANSWERED)
    elif chosen.outcome:
        rows = rows.filter(outcome=chosen.outcome)
    if chosen.mode:
        rows = rows.filter(mode=chosen.mode)
    if chosen.call:
        rows = rows.filter(Q(call_id=chosen.call) | Q(parent_call_id=chosen.call))
    for column, model, uid in (
        ("consumer_id", ConsumerSystem, chosen.system),
        ("resource_id", Resource, chosen.resource),
        ("grant_id", Grant, chosen.grant),
    ):
        if uid:
            rows = rows.filter(**{f"{column}__in": model._default_manager.filter(uid=uid).values("pk")})
    return rows


@dataclass(slots=True)
class CallLine:
    """A record with the names of what it points to (the record itself carries numbers only)."""

    record: CallRecord
    system: str = ""
    department: str = ""
    provider: str = ""
    resource: str = ""
    grant_uid: str = ""

    @property
    def is_answered(self) -> bool:
        """Return whether data or an answer went out."""
        return self.record.outcome in ANSWERED


@transaction.atomic
def read_page(
    *, actor: Actor, chosen: CallFilter, now: datetime, cursor: str = "", size: int = keyset.PAGE_SIZE
) -> tuple[keyset.Page[CallRecord], list[CallLine]]:
    """Return a page of records and their lines. That an auditor read is recorded."""
    page = keyset.page(select(actor, chosen, now), order=ORDER, cursor=cursor, size=size)
    if is_auditor(actor):
        audit.record(actor, "call_log.read", None, at=now, rows=len(page.items), filter=described(chosen, now))
    return page, lines(page.items)


def outcomes_per_day(actor: Actor, chosen: CallFilter, now: datetime) -> list[Day]:
    """Return answered and refused calls for every day of the span; nothing when one call is looked for."""
    if chosen.call:
        return []
    narrowed = {name: getattr(chosen, name) for name in ("resource", "system", "grant", "mode", "outcome")}
    return per_day(actor=actor, scope=CallScope(periods.of_days(*chosen.span(now)), **narrowed))


def lines(records: list[CallRecord]) -> list[CallLine]:
    """Return the records with names, four queries whatever their number."""
    systems = _names(ConsumerSystem, {r.consumer_id for r in records})
    resources = _names(Resource, {r.resource_id for r in records}, "title")
    departments = _names(Department, {number for r in records for number in (r.department_id, r.provider_id)})
    uids = _names(Grant, {r.grant_id for r in records}, "uid")
    return [
        CallLine(
            record=r,
            system=systems.get(r.consumer_id, ""),
            department=departments.get(r.department_id, ""),
            provider=departments.get(r.provider_id, ""),
            resource=resources.get(r.resource_id, ""),
            grant_uid=uids.get(r.grant_id, ""),
        )
        for r in records
    ]


def _names(model: Any, ids: set[int | None], column: str = "name") -> Mapping[int | None, str]:
    rows = model._default_manager.filter(pk__in=[i for i in ids if i is not None]).values_list("pk", column)
    return {pk: str(name) for pk, name in rows}


@dataclass(slots=True)
class CallTrace:
    """One call and what allowed it: grant, request with its steps, the catalogue version it was asked under."""

    line: CallLine
    credential: Credential | None
    grant: Grant | None
    steps: list[Any] = field(default_factory=list)
    version: ResourceVersion | None = None
    related: list[CallRecord] = field(default_factory=list)
    officer: str = ""

    @property
    def is_at_desk(self) -> bool:
        """Return whether a person called on a page of the platform: no key of a system signed."""
        return self.line.record.credential_id == NO_CREDENTIAL


@transaction.atomic
def trace(*, call_id: UUID, actor: Actor, now: datetime) -> CallTrace:
    """Follow a call back to grant, request, steps and catalogue version; an invisible call raises NotFound."""
    record = finding.by_number(calls_visible_to(actor), call_id)
    if record is None and (is_auditor(actor) or is_reviewer(actor)):
        record = finding.in_retired_months(call_id)
    if record is None:
        raise NotFound("call.not_found", _("没有这次调用，或您无权查看。"))
    if is_auditor(actor):
        audit.record(actor, "call_log.traced", None, at=now, call=str(call_id))
    grant = (
        Grant.objects.filter(pk__in=[record.grant_id])
        .select_related("access_request__requester", "access_request__created_by", "resource__provider", "system__department")
        .first()
    )
    found = CallTrace(lines([record])[0], Credential.objects.filter(pk=record.credential_id).first(), grant)
    found.officer = _officer(record)
    opening = record.parent_call_id or record.call_id
    same_call = calls_visible_to(actor).filter(Q(call_id=opening) | Q(parent_call_id=opening)).exclude(call_id=record.call_id)
    found.related = list(same_call.order_by("recorded_at"))
    if grant is not None:
        found.steps = list(grant.access_request.steps.all())
        version = grant.access_request.resource_version
        found.version = ResourceVersion.objects.filter(resource_id=grant.resource_id, version=version).first()
    return found


def _officer(record: CallRecord) -> str:
    """Return who the caller says did it: at a desk the officer's name, else the staff number as it was sent."""
    kind, _mark, number = (record.officer or "").partition("-")
    if record.credential_id != NO_CREDENTIAL or kind != "user" or not number.isdecimal():
        return record.officer or ""
    named = User.objects.filter(pk=int(number)).first()
    return named.display_name if named else record.officer or ""


def columns() -> list[str]:
    """Return the header of an export."""
    return [
        _("请求时间"), _("调用编号"), _("使用方"), _("系统"), _("提供方"), _("资源"),
        _("方式"), _("结果"), _("信息项"), _("行数"), _("授权版本"), _("请求摘要"), _("应答摘要"),
    ]  # fmt: skip


@transaction.atomic
def export(*, actor: Actor, chosen: CallFilter, now: datetime) -> Iterator[str]:
    """Record the export in the audit trail and return the CSV text, line by line (at most 100,000 records)."""
    audit.record(actor, "call_log.exported", None, at=now, department_ids=[actor.department_id], filter=described(chosen, now))
    return _csv(select(actor, chosen, now).order_by(*ORDER)[:EXPORT_AT_MOST])


def described(chosen: CallFilter, now: datetime) -> dict[str, str]:
    """Return the filter as the audit trail keeps it."""
    first, last = chosen.span(now)
    named = {
        name: str(value) for name in ("outcome", "mode", "system", "resource", "grant", "call") if (value := getattr(chosen, name))
    }
    return {"day_from": first.isoformat(), "day_to": last.isoformat()} | named


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, value: str) -> str:
        return value


def _csv(rows: QuerySet[CallRecord]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(columns())  # the mark lets spreadsheet programs read UTF-8
    batch: list[CallRecord] = []
    for record in rows.iterator(chunk_size=2000):
        batch.append(record)
        if len(batch) == 2000:
            yield from (writer.writerow(_cells(line)) for line in lines(batch))
            batch = []
    yield from (writer.writerow(_cells(line)) for line in lines(batch))


def _cells(line: CallLine) -> list[str]:
    r = line.record
    cells = [
        r.requested_at.astimezone(SHANGHAI).isoformat(), r.call_id, line.department, line.system, line.provider, line.resource,
        r.mode, r.outcome, " ".join(r.fields or []), r.row_count, r.grant_version, _hex(r.request_digest), _hex(r.answer_digest),
    ]  # fmt: skip
    return [harmless_cell(cell) for cell in cells]


def _hex(digest: bytes | memoryview | None) -> str:
    return bytes(digest).hex() if digest else ""


def admitted_today(grant: Grant, now: datetime) -> int:
    """Return how much of the day's quota is used (Shanghai day), counted from the records."""
    midnight = datetime.combine(now.astimezone(SHANGHAI).date(), time.min, tzinfo=SHANGHAI)
    rows = CallRecord.objects.filter(grant_id=grant.pk, recorded_at__gte=midnight, outcome__in=sides.ANSWERED)
    return rows.filter(requested_at__gte=midnight - timedelta(hours=1)).count()
