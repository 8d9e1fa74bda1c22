"""The first page after signing in (首页): search, the five base databases, what waits for me, what is late, calls per day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from basedb.dictionary import DATASETS
from basedb.holdings import row_counts
from catalog.models import BaseDatabase, Resource
from core.audit import Actor
from core.roles import Role
from exchange.models import AggregationPlan, Desk, RejectedRow, RejectState, RunState
from exchange.querysets import access_requests_awaiting
from exchange.requests.supervision import overdue_requests
from exchange.statistics.figures import Day, calls_per_day
from portal.actor import BUSINESS, actor
from portal.base_work import waiting_for

SHOWN = 8
CHART_DAYS = 14
# The icon, the datasets of the base, and those of them that are counted: people and entities, else everything.
BASES = {
    BaseDatabase.POPULATION: ("users", "population.", "population.person"),
    BaseDatabase.LEGAL_ENTITY: ("building-skyscraper", "legal_entity.", "legal_entity.enterprise"),
    BaseDatabase.LICENSE: ("license", "license.", "license."),
    BaseDatabase.GEOSPATIAL: ("map-2", "geo.", "geo."),
    BaseDatabase.CREDIT: ("shield-check", "credit.", "credit."),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One base database: what it holds and since when; not connected = no plan brings anything in."""

    title: str | Promise
    icon: str
    row_count: int
    source_count: int
    updated_at: datetime | None
    is_connected: bool


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this person."""

    kind: str | Promise
    title: str
    url: str
    due_at: datetime | None
    who: str | Promise = ""


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the overview of this person."""
    acting, now = actor(request), timezone.now()
    found, counts = tasks(acting)
    works = acting.has(*BUSINESS, Role.AUDIT_ADMINISTRATOR)
    days = calls_per_day(actor=acting, now=now, days=CHART_DAYS) if works else []
    context: dict[str, Any] = {
        "cards": cards(),
        "tasks": found,
        "counts": counts,
        "overdue": overdue(acting, now),
        "chart": chart_option(days) if any(day.answered or day.refused for day in days) else None,
        "works": works,
    }
    return render(request, "portal/home.html", context)


def cards() -> list[Card]:
    """Return the five base databases; sources and last update come from the plans and their runs."""
    by_source = AggregationPlan.objects.order_by().values("dataset", "department_id", "is_active")
    finished = list(by_source.annotate(at=Max("runs__finished_at", filter=Q(runs__state=RunState.SUCCEEDED))))
    counts = row_counts([code for code in DATASETS if code.startswith(tuple(counted for _icon, _base, counted in BASES.values()))])
    made = []
    for database, (icon, of_base, counted) in BASES.items():
        rows = [row for row in finished if row["dataset"].startswith(of_base)]
        sources = {row["department_id"] for row in rows if row["is_active"]}
        count = sum(known for code, known in counts.items() if code.startswith(counted))
        made.append(
            Card(
                title=database.label,
                icon=icon,
                row_count=count,
                source_count=len(sources),
                updated_at=max((row["at"] for row in rows if row["at"]), default=None),
                is_connected=bool(rows) or count > 0,
            )
        )
    return made


def tasks(of: Actor) -> tuple[list[Task], list[tuple[Any, int, str]]]:
    """Return what waits for this person, the most urgent first, and how many of each kind there are."""
    requests = access_requests_awaiting(of)
    resources = Resource.objects.waiting_for(of)
    rejected = list(rejected_rows(of).order_by().values("plan__uid", "plan__title").annotate(count=Count("id")))
    found = [
        Task(gettext_lazy("共享申请"), row.resource.title, reverse("portal:request-detail", args=[row.uid]), row.due_at)
        for row in requests.select_related("resource").order_by("due_at", "id")[:SHOWN]
    ]
    found += [
        Task(gettext_lazy("数据目录"), row.title, reverse("portal:resource-detail", args=[row.uid]), row.due_at)
        for row in resources[:SHOWN]
    ]
    found += [
        Task(
            gettext_lazy("拒收记录"),
            _("%(plan)s：%(count)s 条待处理") % {"plan": row["plan__title"], "count": f"{row['count']:,}"},
            reverse("portal:plan-detail", args=[row["plan__uid"]]),
            None,
        )
        for row in rejected[:SHOWN]
    ]
    found += [
        Task(work.kind, _("%(count)s 件待办") % {"count": f"{work.count:,}"}, work.url, work.due_at) for work in waiting_for(of)
    ]
    found.sort(key=lambda task: (task.due_at is None, task.due_at.timestamp() if task.due_at else 0))
    counts = [
        (gettext_lazy("待办申请"), requests.count(), reverse("portal:request-inbox")),
        (gettext_lazy("待办目录"), resources.count(), reverse("portal:resource-inbox")),
        (gettext_lazy("待处理拒收记录"), sum(row["count"] for row in rejected), reverse("portal:plan-list")),
    ]
    return found, counts


def overdue(of: Actor, now: datetime) -> list[Task]:
    """Return what is late: requests this person may see, whoever has them, and entries on the own desk."""
    late = [
        Task(
            gettext_lazy("共享申请"),
            f"{row.number} {row.resource.title}",
            reverse("portal:request-detail", args=[row.uid]),
            row.due_at,
            Desk(row.desk).label,
        )
        for row in overdue_requests(of, now)[:SHOWN]
    ]
    return late + [
        Task(gettext_lazy("数据目录"), row.title, reverse("portal:resource-detail", args=[row.uid]), row.due_at)
        for row in Resource.objects.waiting_for(of).filter(due_at__lte=now)[:SHOWN]
    ]


def rejected_rows(of: Actor) -> Any:
    """Return the open rejected rows of the own department, which its operators correct."""
    if of.department_id is None or not of.has(Role.OPERATOR):
        return RejectedRow.objects.none()
    return RejectedRow.objects.filter(state=RejectState.OPEN, plan__department_id=of.department_id)


def chart_option(days: list[Day]) -> dict[str, Any]:
    """Return the chart of calls per day, answered and refused."""
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"bottom": 0},
        "grid": {"left": 48, "right": 16, "top": 16, "bottom": 56},
        "xAxis": {"type": "category", "data": [day.on.strftime("%m-%d") for day in days]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"name": _("已应答"), "type": "bar", "stack": "calls", "color": "#2fb344", "data": [day.answered for day in days]},
            {"name": _("已拒绝"), "type": "bar", "stack": "calls", "color": "#d63939", "data": [day.refused for day in days]},
        ],
    }
