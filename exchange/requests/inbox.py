"""The inbox (待办、已办、我的申请): what lies on somebody's desks, what left them, what somebody asked for.

Filters combine; every filter can be counted without itself, so that a page says what the other choices would show.
Also the lists of what is due soon or late, over all departments one may see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, DateTimeField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.audit_trail import csv_line
from exchange.models import AccessRequest, AccessRequestStep, Claim, Desk, RequestState
from exchange.querysets import access_requests_awaiting, access_requests_visible_to
from exchange.requests import desks
from exchange.requests.supervision import SOON
from exchange.requests.workflow import Seat

TABS = ("todo", "handled", "mine")
DUE = ("overdue", "soon", "stopped")
CLAIMED = ("me", "others", "nobody")
ORDER = ("due_order", "id")
NEWEST = ("-id",)
EXPORT_AT_MOST = 20_000
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to; empty means everything."""

    state: str = ""
    due: str = ""
    requester: UUID | None = None
    q: str = ""
    grade: str = ""
    claimed: str = ""


def rows(*, actor: Actor, tab: str, asked: Asked, now: datetime) -> QuerySet[AccessRequest]:
    """Return the rows of a tab with everything a line shows; `due_order` puts those without a deadline last."""
    found = _of_tab(actor, tab).filter(*_conditions(asked, actor, now).values())
    return with_lines(found)


def with_lines(found: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    """Return rows with names, deadline order and the open claim: a fixed number of queries however many rows."""
    claims = Claim.objects.filter(released_at=None).select_related("claimed_by")
    return (
        found.select_related("resource__provider", "requester", "system")
        .prefetch_related(Prefetch("claims", queryset=claims, to_attr="open_claims"))
        .annotate(due_order=Coalesce(F("due_at"), Value(_NEVER), output_field=DateTimeField()))
    )


def counts(*, actor: Actor, tab: str, asked: Asked, now: datetime) -> dict[str, dict[str, int]]:
    """Return for each choice of each filter how many rows it would show, the other filters as they are."""
    conditions = _conditions(asked, actor, now)

    def others(name: str) -> QuerySet[AccessRequest]:
        kept = [condition for key, condition in conditions.items() if key != name]
        return _of_tab(actor, tab).filter(*kept).order_by()

    def by(name: str, column: str) -> dict[str, int]:
        return {str(key): number for key, number in others(name).values_list(column).annotate(Count("pk"))}

    def among(name: str, choices: tuple[str, ...]) -> dict[str, int]:
        asks = {key: Count("pk", filter=_CHOICE[name](key, actor, now)) for key in choices}
        found: dict[str, int] = others(name).aggregate(**asks)
        return found

    return {
        "state": by("state", "state"),
        "grade": by("grade", "resource__grade"),
        "requester": by("requester", "requester__uid"),
        "due": among("due", DUE),
        "claimed": among("claimed", CLAIMED),
    }


def tab_counts(actor: Actor, tabs: tuple[str, ...] = TABS) -> dict[str, int]:
    """Return how many rows each tab has without filters."""
    return {tab: _of_tab(actor, tab).count() for tab in tabs}


def requesters(*, actor: Actor, tab: str) -> list[tuple[str, str]]:
    """Return the departments that ask on this tab: uid and name."""
    found = _of_tab(actor, tab).order_by("requester__name").values_list("requester__uid", "requester__name").distinct()
    return [(str(uid), name) for uid, name in found]


def deadlines(*, actor: Actor, kind: str, now: datetime) -> QuerySet[AccessRequest]:
    """Return what is late (`overdue`) or due within a day (`soon`), whoever has it, the most urgent first."""
    return with_lines(access_requests_visible_to(actor).filter(_due(kind, actor, now)).exclude(desk=Desk.NOBODY))


@transaction.atomic
def export_deadlines(*, actor: Actor, kind: str, now: datetime) -> Iterator[str]:
    """Return the list of deadlines as lines of CSV; that it was taken is recorded."""
    found = deadlines(actor=actor, kind=kind, now=now).order_by(*ORDER)[:EXPORT_AT_MOST]
    audit.record(actor, "access_request.deadlines_exported", None, at=now, kind=kind)
    return _csv(list(found), now)


def _csv(found: list[AccessRequest], now: datetime) -> Iterator[str]:
    centre = desks.data_centre_name()
    heads = [
        _("申请编号"), _("信息资源"), _("申请方"), _("使用目的"), _("状态"),
        _("办理部门"), _("当前办理"), _("认领人"), _("办理时限"), _("是否超期"),
    ]  # fmt: skip
    yield "\ufeff" + csv_line(heads)
    for row in found:
        late = row.due_at is not None and row.due_at <= now
        held = open_claim_of(row)
        due = timezone.localtime(row.due_at).strftime("%Y-%m-%d %H:%M") if row.due_at else ""
        yield csv_line(
            [
                row.number,
                row.resource.title,
                row.requester.name,
                row.purpose,
                row.get_state_display(),
                desks.department_name(row, Seat(row.desk), centre=centre),
                row.get_desk_display(),
                held.claimed_by.display_name if held else "",
                due,
                _("是") if late else _("否"),
            ]
        )


def open_claim_of(row: AccessRequest) -> Claim | None:
    """Return the open claim of a row that came out of `with_lines`."""
    held: list[Claim] = getattr(row, "open_claims", [])
    return held[0] if held else None


def _of_tab(actor: Actor, tab: str) -> QuerySet[AccessRequest]:
    if tab == "mine":
        return access_requests_visible_to(actor).filter(created_by_id=actor.user_id)
    if tab == "handled":
        mine = AccessRequestStep.objects.filter(access_request=OuterRef("pk"), actor_id=actor.user_id)
        return access_requests_visible_to(actor).filter(Exists(mine.exclude(desk=Desk.REQUESTER_OPERATOR)))
    return access_requests_awaiting(actor)


def _conditions(asked: Asked, actor: Actor, now: datetime) -> dict[str, Q]:
    made = {
        "state": Q(state=asked.state),
        "requester": Q(requester__uid=asked.requester),
        "grade": Q(resource__grade=asked.grade),
        "q": Q(resource__title__icontains=asked.q) | Q(number__icontains=asked.q),
    }
    made |= {name: _CHOICE[name](getattr(asked, name), actor, now) for name in _CHOICE if getattr(asked, name)}
    return {name: condition for name, condition in made.items() if getattr(asked, name)}


def _due(kind: str, _actor: Actor, now: datetime) -> Q:
    running = Q(decided_at=None) & ~Q(state=RequestState.RETURNED)
    return {
        "overdue": running & Q(due_at__lte=now),
        "soon": running & Q(due_at__gt=now, due_at__lte=now + SOON),
        "stopped": Q(state=RequestState.RETURNED),
    }[kind]


def _claimed(kind: str, actor: Actor, _now: datetime) -> Q:
    held = Claim.objects.filter(access_request=OuterRef("pk"), released_at=None)
    return {
        "me": Q(Exists(held.filter(claimed_by_id=actor.user_id))),
        "others": Q(Exists(held.exclude(claimed_by_id=actor.user_id))),
        "nobody": ~Q(Exists(held)),
    }[kind]


_CHOICE = {"due": _due, "claimed": _claimed}
