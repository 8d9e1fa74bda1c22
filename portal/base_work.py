"""What of the base databases waits for a person (基础库待办): one line a kind of work, how many, the nearest deadline, where to go.

Requests, entries and rejected rows are on the home page by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from basedb.credit.objections import objections_visible_to
from basedb.credit.records import is_window
from basedb.credit.repairs import repairs_visible_to
from basedb.credit.workflow import OBJECTION_DESKS, REPAIR_DESKS, Party
from basedb.fusion.conflicts import conflicts_visible_to
from basedb.life_event_notices import notices_visible_to
from basedb.models import ConflictState
from basedb.quality import tasks
from core.audit import Actor
from core.roles import Role
from exchange.presenting import entering
from licenses.issuing import desks


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work that waits."""

    kind: str | Promise
    count: int
    due_at: datetime | None
    url: str


def waiting_for(of: Actor) -> list[Work]:
    """Return the kinds of work of which something waits for this person."""
    return [work for work in _looked_up(of) if work.count]


def _looked_up(of: Actor) -> Iterator[Work]:
    mine = Q(owner_id=of.department_id)
    if of.department_id is not None and of.has(Role.OPERATOR, Role.HEAD):
        conflicts = conflicts_visible_to(of).filter(mine, state=ConflictState.OPEN)
        yield _counted(_("校核单"), conflicts, "portal:conflict-list", "?state=OPEN")
        faults = tasks.visible_to(of).filter(department_id=of.department_id, closed_at=None)
        yield _counted(_("质量整改单"), faults, "portal:quality-task-list")
        events = notices_visible_to(of).filter(department_id=of.department_id, seen_at=None)
        count = events.order_by().count()
        yield Work(_("生命事件"), count, None, reverse("portal:life-event-list") + "?state=OPEN")
    yield from _licenses(of)
    yield Work(_("可信身份应用"), entering.awaiting(of).count(), None, reverse("portal:presenting-applications"))
    yield _counted(_("信用修复"), _on_desk(of, repairs_visible_to(of), REPAIR_DESKS), "portal:credit-repair-list")
    yield _counted(_("信用异议"), _on_desk(of, objections_visible_to(of), OBJECTION_DESKS), "portal:credit-objection-list")


def _licenses(of: Actor) -> Iterator[Work]:
    """Licenses that wait for a signature of this person, and drafts that came back."""
    own = Q(department_id=of.department_id or 0)
    if of.has(Role.HEAD):
        for kind, rows, view in (
            (_("证照待签发"), desks.drafts_visible_to(of), "portal:license-desk"),
            (_("批量证照待签发"), desks.batches_visible_to(of), "portal:license-batch-list"),
        ):
            count = rows.filter(own, state="TO_SIGN").exclude(made_by_id=of.user_id).order_by().count()
            yield Work(kind, count, None, reverse(view) + "?state=TO_SIGN")
    if of.has(Role.OPERATOR):
        count = desks.drafts_visible_to(of).filter(own, state="RETURNED", made_by_id=of.user_id).order_by().count()
        yield Work(_("证照草稿被退回"), count, None, reverse("portal:license-desk") + "?state=RETURNED")


def _on_desk(of: Actor, cases: QuerySet[Any], desks: Mapping[str, Party]) -> QuerySet[Any]:
    """Return the cases whose next step is this person's."""
    own = Q(owner_id=of.department_id or 0)
    held = {
        Party.WINDOW: Q() if is_window(of) else None,
        Party.OWNER_OPERATOR: own if of.has(Role.OPERATOR) else None,
        Party.OWNER_HEAD: own if of.has(Role.HEAD) else None,
    }
    wanted = Q(pk=None)
    for state, party in desks.items():
        if (whose := held.get(party)) is not None:
            wanted |= whose & Q(state=state)
    return cases.filter(wanted)


def _counted(kind: str | Promise, rows: QuerySet[Any], view: str, query: str = "") -> Work:
    found = rows.order_by().aggregate(count=Count("pk"), due_at=Min("due_at"))
    return Work(kind, found["count"], found["due_at"], reverse(view) + query)
