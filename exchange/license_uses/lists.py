"""The lists of who used licenses (用证清单): for the holder, for the issuer, for the centre; use records and calls, newest first.

Both keep their own order; a page goes on where each of them stopped. Calls are told as far back as their records are at hand,
use records without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from heapq import merge
from itertools import islice, takewhile
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary.licenses import LICENSE
from basedb.models import License as CityLicense
from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Invalid
from core.models import Department
from exchange import accesses, finding
from exchange.accesses import Copy
from exchange.evidence import retention
from exchange.finding import Place
from exchange.license_statistics.reading import type_names
from exchange.license_uses import calls
from exchange.license_uses.calls import Looked
from exchange.models import CallRecord, Grant, LicenseFigure, Matter
from exchange.querysets import is_auditor, is_reviewer
from licenses.models import LicenseUse
from licenses.presenting.holding import item_titles
from licenses.types.layout import BUILT_IN
from licenses.uses import told_once

_Told = LicenseUse | CallRecord
PAGE_SIZE: Final = 20
_FIELDS: Final = {field.name: field.title for field in LICENSE.fields}  # what a matter fetches is named by the contract
CALLS: Final = "CALL"  # in filters: the channels of all ordinary calls


@dataclass(frozen=True, slots=True)
class Line:
    """One use, in words. `types` is empty when a call may read every type; `is_found` is not known of calls with many keys."""

    at: datetime
    department: str
    channel: str
    types: Sequence[str]
    items: Sequence[str]
    matter: str
    purpose: str
    identifier: str
    call_id: UUID | None
    is_call: bool
    is_found: bool | None = True


@dataclass(frozen=True, slots=True)
class Uses:
    """A page of uses, newest first. Calls are told from `since` on."""

    items: list[Line]
    next: str
    is_first: bool
    since: date


@dataclass(frozen=True, slots=True)
class _After:
    """The last use and the last call of the page before."""

    use: int | None = None
    call: Place | None = None


def of_holder(*, subject_key: bytes, type_codes: Sequence[str] = (), now: datetime, cursor: str = "") -> Uses:
    """Return who used a holder's licenses; of an agent limited to some types, what may have concerned these."""
    after, since = _read(cursor), _since(now)
    rows = LicenseUse.objects.filter(subject_key=subject_key)
    found = calls.about(subject_key, since=since, after=after.call, size=PAGE_SIZE + 1)
    if type_codes:
        rows = rows.filter(type_code__in=type_codes)
        fitting = _grants_fitting(found, type_codes)
        shown = [record for record in found if record.grant_id in fitting]
    else:
        shown = found
    looked = Looked(shown, finding.place_of(found[-1]) if len(found) > PAGE_SIZE else None)
    return _page(rows, looked, after, since, is_first=not cursor)


def _grants_fitting(records: Sequence[CallRecord], type_codes: Sequence[str]) -> set[int]:
    grants = Grant.objects.select_related("resource__binding").filter(pk__in={record.grant_id for record in records})
    return {grant.pk for grant in grants if _fits(grant, type_codes)}


def _fits(grant: Grant, type_codes: Sequence[str]) -> bool:
    allowed = calls.types_of(grant)
    return allowed is None or not type_codes or bool(set(allowed) & set(type_codes))


def copies_of_holder(*, subject_key: bytes, type_codes: Sequence[str] = (), now: datetime) -> list[Copy]:
    """Return copies of whole tables that may hold a holder's licenses; their records name nobody."""
    held = CityLicense.objects.filter(subject_key=subject_key)
    if type_codes:
        held = held.filter(type_code__in=type_codes)
    pairs = set(held.values_list("region_code", "type_code"))
    if not pairs:
        return []
    held_types = sorted({code for _region, code in pairs})
    regions = {region for region, _code in pairs}
    return accesses.copies_of(LICENSE.code, regions, _since(now), fits=lambda grant: _fits(grant, held_types))


@transaction.atomic
def of_department(*, actor: Actor, now: datetime, type_code: str = "", channel: str = "", cursor: str = "") -> Uses:
    """Return the uses of the licenses the own department issued; of all licenses for the centre and the auditor."""
    after, since = _read(cursor), _since(now)
    issuer = None if sees_all(actor) else Department.objects.get(pk=actor.department_id or 0)
    rows = told_once(LicenseUse.objects.filter(issuer_code=issuer.code) if issuer else LicenseUse.objects.all())
    if type_code:
        rows = rows.filter(type_code=type_code)
    if channel:
        rows = rows.none() if channel == CALLS else rows.filter(channel=channel)
    looked = Looked(())
    if channel in ("", CALLS):
        figures = LicenseFigure.objects.filter(issuer=issuer.name) if issuer else LicenseFigure.objects.none()
        kept = list(figures.order_by("type_code").values_list("type_code", flat=True).distinct())
        looked = calls.newest(
            since=since, after=after.call, size=PAGE_SIZE, issuer=issuer.code if issuer else "", kept=kept, type_code=type_code
        )  # fmt: skip
    page = _page(rows, looked, after, since, is_first=not cursor)
    if is_auditor(actor):
        audit.record(actor, "license_uses.read", None, at=now, rows=len(page.items), type=type_code, channel=channel)
    return page


def sees_all(actor: Actor) -> bool:
    """Return whether the actor sees the uses of every license."""
    return is_reviewer(actor) or is_auditor(actor)


def _since(now: datetime) -> datetime:
    return datetime.combine(retention.hot_since(now), time.min, tzinfo=SHANGHAI)


def _page(rows: QuerySet[LicenseUse], looked: Looked, after: _After, since: datetime, *, is_first: bool) -> Uses:
    """Return the newest of both. What is older than the calls looked at waits for the page that looks further."""
    if after.use is not None:
        rows = rows.filter(pk__lt=after.use)
    uses = list(rows.order_by("-id")[: PAGE_SIZE + 1])
    horizon = looked.through[0] if looked.through else None
    ahead: Iterable[_Told] = takewhile(lambda use: horizon is None or _moment(use) >= horizon, uses)
    called: Iterable[_Told] = looked.records
    shown = list(islice(merge(ahead, called, key=_moment, reverse=True), PAGE_SIZE))
    own = [one for one in shown if isinstance(one, LicenseUse)]
    told = [one for one in shown if isinstance(one, CallRecord)]
    more = len(own) < len(uses) or len(told) < len(looked.records) or looked.through is not None
    last_call = finding.place_of(told[-1]) if told else after.call
    if len(told) == len(looked.records) and looked.through is not None:
        last_call = looked.through
    place = _After(own[-1].pk if own else after.use, last_call)
    return Uses(_lines(shown), _written(place) if more else "", is_first, since.date())


def _moment(one: _Told) -> datetime:
    return one.at if isinstance(one, LicenseUse) else one.requested_at


def _lines(shown: Sequence[_Told]) -> list[Line]:
    """Return uses and calls in words, a few queries whatever their number."""
    records = [one for one in shown if isinstance(one, CallRecord)]
    grants = Grant.objects.select_related("resource__binding").in_bulk({r.grant_id for r in records if r.grant_id is not None})
    departments = dict(Department.objects.filter(pk__in={r.department_id for r in records}).values_list("pk", "name"))
    granted = accesses.item_titles({r.resource_id for r in records})
    published = Matter.objects.filter(code__in={r.matter for r in records}, published_at__isnull=False)
    matters = dict(published.order_by("number").values_list("code", "name"))
    names = type_names() if shown else {}
    faces = item_titles({one.type_code for one in shown if isinstance(one, LicenseUse)})
    lines = []
    for one in shown:
        if isinstance(one, LicenseUse):
            lines.append(_use_line(one, names.get(one.type_code, one.type_code), faces.get(one.type_code, {})))
            continue
        grant = grants.get(one.grant_id or 0)
        allowed = (calls.types_of(grant) if grant else None) or []
        lines.append(
            Line(
                at=one.requested_at,
                department=departments.get(one.department_id, ""),
                channel=str(calls.CHANNELS.get(one.mode, one.mode)),  # type: ignore[call-overload]
                types=[names.get(code, code) for code in allowed],
                items=[granted.get((one.resource_id, name), name) for name in one.fields or []],
                matter=matters.get(one.matter or "") or one.matter or "",  # a caller names a matter of the list by its code
                purpose=grant.purpose if grant else "",
                identifier="",
                call_id=one.call_id,
                is_call=True,
                is_found=None if one.subject_key is None else bool(one.row_count),
            )
        )
    return lines


def _use_line(use: LicenseUse, type_name: str, titles: dict[str, str]) -> Line:
    return Line(
        at=use.at,
        department=use.department_name,
        channel=str(use.get_channel_display()),
        types=[type_name],
        items=[titles.get(name) or str(BUILT_IN.get(name) or _FIELDS.get(name) or name) for name in use.items],
        matter=use.matter,
        purpose=use.purpose,
        identifier=use.identifier,
        call_id=use.call_id,
        is_call=False,
    )


def _signer() -> Signer:
    return Signer(salt="exchange.license_uses")


def _written(after: _After) -> str:
    call = after.call and [after.call[0].isoformat(), after.call[1], str(after.call[2])]
    return _signer().sign_object([after.use, call])


def _read(cursor: str) -> _After:
    if not cursor:
        return _After()
    try:
        use, call = _signer().unsign_object(cursor)
    except (BadSignature, ValueError) as error:
        text = _("分页位置无效，请从第一页重新开始。")
        raise Invalid("page.cursor_invalid", text, {"after": [text]}) from error
    return _After(use, (datetime.fromisoformat(call[0]), call[1], UUID(call[2])) if call else None)
