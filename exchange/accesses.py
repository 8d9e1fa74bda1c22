"""Who looked at my data (谁看过我的数据): what the window of the population office may tell a citizen about the use of their data.

The identifier is turned into its keyed digest at once and kept nowhere. Questions are limited a clerk and day, and recorded with
why it was asked and how the applicant was checked. Told are time, department, purpose, matter, items and mode; no internal numbers.
Copies of whole tables are told as such, since a record of them names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import connection, transaction
from django.db.models import Q, Sum, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.lookup import read_key
from basedb.registration import region_of
from catalog.models import Binding, DataItem, SharingMode
from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry, Department
from core.roles import Role
from exchange import finding
from exchange.evidence import retention
from exchange.models import AggregationPlan, BackflowMember, CallRecord, CallStatistic, Grain, Grant
from exchange.querysets import is_reviewer
from exchange.requests.request_terms import text_fault
from exchange.statistics import sides
from exchange.systems import key_ring

DATASET: Final = "population.person"
ASKED: Final = "subject_accesses.asked"
DOSSIER: Final = "dossier"
DOSSIER_OPENED: Final = "dossier.opened"
A_YEAR: Final = timedelta(days=365)
PAGE_SIZE: Final = 50
COPIES_SHOWN: Final = 200
TOKEN_SECONDS: Final = 1800
WHOLE: Final = (SharingMode.BULK, SharingMode.SUBSCRIBE)
LONGEST_NUMBER: Final = 40
IDENTIFIER: Final = re.compile("[0-9]{17}[0-9Xx]")


class Reason(TextChoices):
    """Why the question is asked."""

    APPLICATION = "APPLICATION", gettext_lazy("本人申请查询（个人信息保护法第四十五条）")
    COMPLAINT = "COMPLAINT", gettext_lazy("投诉举报核查")
    CORRECTION = "CORRECTION", gettext_lazy("异议与更正核实")


class Check(TextChoices):
    """How the applicant was checked."""

    IN_PERSON = "IN_PERSON", gettext_lazy("已当面核对本人身份证件")
    BY_AGENT = "BY_AGENT", gettext_lazy("已核对代理人证件和委托书")
    ONLINE = "ONLINE", gettext_lazy("已由统一身份认证核验")


@dataclass(frozen=True, slots=True)
class Question:
    """What a clerk asks: the identifier, why, how the applicant was checked, the number of the application."""

    citizen_id: str
    reason: str
    check: str
    number: str


@dataclass(frozen=True, slots=True)
class Access:
    """One use of the person's data, as it is told to them."""

    at: datetime
    department: str
    purpose: str
    matter: str
    items: Sequence[str]
    mode: str
    is_found: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """Copies of a whole table on one day that reach the person's division."""

    on: date
    department: str
    purpose: str
    items: Sequence[str]
    mode: str
    times: int


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody looked into the person's dossier on the platform."""

    at: datetime
    department: str
    reason: str
    matter: str


@dataclass(frozen=True, slots=True)
class Told:
    """A page of the answer; `next` continues it. `held_by` are receivers that keep a copy of the person's row of their division."""

    since: date
    until: datetime
    accesses: list[Access]
    next: str
    is_first: bool
    copies: list[Copy]
    held_by: list[str]
    openings: list[Opening]


def may_ask(actor: Actor) -> bool:
    """Return whether the actor may: the data centre's reviewers, operators and heads of the department the data comes from."""
    if is_reviewer(actor):
        return True
    if not actor.has(Role.OPERATOR, Role.HEAD):
        return False
    return AggregationPlan.objects.filter(dataset=DATASET, department_id__in=[actor.department_id], is_active=True).exists()


@transaction.atomic(durable=True)
def ask(*, question: Question, actor: Actor, now: datetime) -> Told:
    """Answer for the year past, newest first. Unknown people are answered like people nobody looked at."""
    check_may_ask(actor)
    key = _checked(question)
    _count(actor, now)
    audit.record(
        actor,
        ASKED,
        None,
        at=now,
        department_ids=[actor.department_id],
        subject=key.hex(),
        reason=question.reason,
        check=question.check,
        number=question.number,
    )
    return _told(key, actor, now, after=None)


@transaction.atomic(durable=True)
def go_on(*, token: str, actor: Actor, now: datetime) -> Told:
    """Return the next page of an answer of the last half hour, for the same person; it counts as no question."""
    check_may_ask(actor)
    try:
        given = _signer().unsign_object(token, max_age=TOKEN_SECONDS)
    except (BadSignature, ValueError):
        raise Invalid("accesses.page_expired", _("翻页已过期，请重新查询。"), {"page": [_("翻页已过期，请重新查询。")]}) from None
    if given["user"] != actor.user_id:
        raise Forbidden("accesses.not_yours", _("这是他人的查询结果，请重新查询。"))
    at, consumer, call = given["after"]
    audit.record(actor, "subject_accesses.read", None, at=now, department_ids=[actor.department_id], subject=given["key"])
    return _told(bytes.fromhex(given["key"]), actor, now, after=(datetime.fromisoformat(at), consumer, call))


def check_may_ask(actor: Actor) -> None:
    """Raise Forbidden unless the actor may ask."""
    if not may_ask(actor):
        raise Forbidden("accesses.not_yours_to_ask", _("此查询仅限人口数据来源部门的经办人、负责人和数据中心审核员办理。"))


def _checked(question: Question) -> bytes:
    """Return the keyed digest of the identifier; what is wrong is said without repeating it."""
    wrong: dict[str, Any] = {}
    key = b""
    try:
        key = key_ring().subject_key(read_key(DATASET, question.citizen_id))
    except ValueError:
        wrong["citizen_id"] = [_("不是有效的公民身份号码，请核对证件。")]
    if question.reason not in Reason.values:
        wrong["reason"] = [_("请选择查询事由。")]
    if question.check not in Check.values:
        wrong["check"] = [_("请选择核对方式；未核对申请人身份的不得查询。")]
    if fault := text_fault(question.number, longest=LONGEST_NUMBER):
        wrong["number"] = [fault]
    elif IDENTIFIER.search(question.number):
        wrong["number"] = [_("受理编号中不能有身份证件号码。")]
    if wrong:
        raise Invalid("accesses.invalid", _("查询内容有误，请修改后再查。"), wrong)
    return key


def _count(actor: Actor, now: datetime) -> None:
    """Keep to the questions a person may ask a day, one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exchange.accesses'), %s)", [int(actor.user_id or 0) % 2**31])
    midnight = datetime.combine(now.astimezone(SHANGHAI).date(), time.min, tzinfo=SHANGHAI)
    asked = AuditEntry.objects.filter(action=ASKED, actor_id=actor.user_id, at__gte=midnight).count()
    if asked >= settings.LOOKS_A_DAY:
        text = _("每人每天最多查询 %(limit)s 次，今天已用完，请明天再查或由其他经办人办理。")
        raise Conflict("accesses.too_many", text % {"limit": settings.LOOKS_A_DAY}, {"limit": settings.LOOKS_A_DAY})


def _told(key: bytes, actor: Actor, now: datetime, *, after: finding.Place | None) -> Told:
    first = max((now - A_YEAR).astimezone(SHANGHAI).date(), retention.hot_since(now))
    since = datetime.combine(first, time.min, tzinfo=SHANGHAI)
    records = finding.about(key, since=since, after=after, size=PAGE_SIZE + 1)
    more, records = len(records) > PAGE_SIZE, records[:PAGE_SIZE]
    region = region_of(DATASET, key) if after is None else None
    copies = copies_of(DATASET, [region], since) if region else []
    token = _signer().sign_object(_position(key, actor, records[-1])) if more else ""
    held_by = _held_by(key) if region else []
    openings = _openings(key, since) if after is None else []
    return Told(first, now, _accesses(records), token, after is None, copies, held_by, openings)


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="exchange.accesses")


def _position(key: bytes, actor: Actor, last: CallRecord) -> dict[str, Any]:
    at, consumer, call = finding.place_of(last)
    return {"key": key.hex(), "user": actor.user_id, "after": [at.isoformat(), consumer, str(call)]}


def _accesses(records: list[CallRecord]) -> list[Access]:
    grants = Grant.objects.in_bulk({r.grant_id for r in records if r.grant_id is not None})
    departments = dict(Department.objects.filter(pk__in={r.department_id for r in records}).values_list("pk", "name"))
    titles = item_titles({r.resource_id for r in records})
    return [
        Access(
            at=r.requested_at,
            department=departments.get(r.department_id, ""),
            purpose=grants[r.grant_id or 0].purpose if r.grant_id in grants else "",
            matter=r.matter or "",
            items=[titles.get((r.resource_id, name), name) for name in r.fields or []],
            mode=r.mode,
            is_found=bool(r.row_count),
        )
        for r in records
    ]


def item_titles(resource_ids: set[int | None]) -> Mapping[tuple[int | None, str], str]:
    """Return the titles of the items of some resources."""
    rows = DataItem.objects.filter(resource_id__in=[pk for pk in resource_ids if pk is not None])
    return {(resource_id, name): title for resource_id, name, title in rows.values_list("resource_id", "name", "title")}


def copies_of(
    dataset: str, regions: Iterable[str], since: datetime, *, fits: Callable[[Grant], bool] = lambda _grant: True
) -> list[Copy]:
    """Return whole-table uses of a dataset since a day by grants that reach one of some divisions, a line a grant and day."""
    served = Binding.objects.filter(dataset=dataset).values("resource_id")
    prefixes = {region[:length] for region in regions for length in range(len(region) + 1)}
    reaching = Grant.objects.filter(resource_id__in=served, mode__in=WHOLE, region_prefix__in=prefixes)
    grants = [grant for grant in reaching.select_related("system__department", "resource__binding") if fits(grant)]
    by_pk = {grant.pk: grant for grant in grants}
    days = (
        CallStatistic.objects.filter(grain=Grain.DAY, starts_at__gte=since, grant_id__in=list(by_pk), mode__in=WHOLE)
        .values("starts_at", "grant_id", "mode")
        .annotate(times=Sum("call_count", filter=Q(outcome__in=sides.ANSWERED)))
        .filter(times__gt=0)
        .order_by("-starts_at", "grant_id")[:COPIES_SHOWN]
    )
    titles = item_titles({grant.resource_id for grant in by_pk.values()})
    return [_copy(by_pk[int(day["grant_id"] or 0)], day, titles) for day in days]


def _copy(grant: Grant, day: Mapping[str, Any], titles: Mapping[tuple[int | None, str], str]) -> Copy:
    return Copy(
        on=day["starts_at"].astimezone(SHANGHAI).date(),
        department=grant.system.department.name,
        purpose=grant.purpose,
        items=[titles.get((grant.resource_id, name), name) for name in grant.fields],
        mode=day["mode"],
        times=day["times"],
    )


def _held_by(key: bytes) -> list[str]:
    members = BackflowMember.objects.filter(subject_key=key).select_related("subscription")
    return sorted({member.subscription.title for member in members})


def _openings(key: bytes, since: datetime) -> list[Opening]:
    """Return who opened the person's dossier, newest first; the matter is told as it was stated."""
    rows = AuditEntry.objects.filter(object_uid=key.hex(), object_kind=DOSSIER, action=DOSSIER_OPENED, at__gte=since)
    return [
        Opening(row.at, row.actor_department, row.detail.get("reason", ""), row.detail.get("matter", ""))
        for row in rows.order_by("-id")[:COPIES_SHOWN]
    ]
