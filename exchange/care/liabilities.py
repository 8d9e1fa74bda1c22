"""The liability checklist (责任清单, Order 809 art. 39-41): what a department did not do, or should not have done, computed afresh.

Each line names the article, the department, how often, and where to look. Nothing is stored here and nobody is told from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import Count, Model, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource, ResourceState, ShareAttribute
from core.audit import Actor
from core.models import Department
from core.roles import Role
from exchange.care import break_glass, disposals, usage_records
from exchange.care.unusual_use import OUT_OF_SCOPE
from exchange.models import BreakGlassReview, CallStatistic, Grain, Verdict
from exchange.models.material_return import ReturningSide
from exchange.querysets import is_auditor, is_reviewer
from exchange.requests import lateness
from exchange.requests.desks import data_centres

LOOKED_BACK: Final = timedelta(days=365)
CALLS_LOOKED_BACK: Final = timedelta(days=30)


class Ground(StrEnum):
    """A ground of liability the platform can see."""

    LATE_ANSWER = "LATE_ANSWER"
    SELF_ADDED_CONDITIONS = "SELF_ADDED_CONDITIONS"
    NO_USAGE_RECORD = "NO_USAGE_RECORD"
    FINDINGS_OPEN = "FINDINGS_OPEN"
    NO_DISPOSAL = "NO_DISPOSAL"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    EMERGENCY_UNJUSTIFIED = "EMERGENCY_UNJUSTIFIED"
    EMERGENCY_UNREVIEWED = "EMERGENCY_UNREVIEWED"


# Ground -> article of Order 809, words, the page where it is put right.
GROUNDS: Final[Mapping[Ground, tuple[int, object, str]]] = {
    Ground.LATE_ANSWER: (39, _("未按期答复共享申请"), "/requests/deadlines/"),
    Ground.SELF_ADDED_CONDITIONS: (39, _("无条件共享的资源自行附加共享条件"), "/catalog/"),
    Ground.NO_USAGE_RECORD: (40, _("未按期登记使用记录"), "/usage/"),
    Ground.FINDINGS_OPEN: (40, _("检查发现的问题逾期未整改"), "/usage/"),
    Ground.NO_DISPOSAL: (40, _("使用目的结束后未按期处置数据"), "/disposals/"),
    Ground.OUT_OF_SCOPE: (40, _("超出授权范围调用（近 30 天被拒绝次数）"), "/calls/"),
    Ground.EMERGENCY_UNJUSTIFIED: (40, _("应急访问经复核不正当"), "/break-glass/"),
    Ground.EMERGENCY_UNREVIEWED: (41, _("应急访问逾期未复核"), "/break-glass/"),
}


@dataclass(frozen=True, slots=True)
class Liability:
    """One line of the checklist."""

    ground: Ground
    department: Department
    count: int

    @property
    def article(self) -> int:
        """The article of Order 809."""
        return GROUNDS[self.ground][0]

    @property
    def words(self) -> str:
        """The ground in words."""
        return str(GROUNDS[self.ground][1])

    @property
    def path(self) -> str:
        """Where in the portal it is put right."""
        return GROUNDS[self.ground][2]


def liabilities(*, actor: Actor, now: datetime) -> list[Liability]:
    """Return the lines the actor may see: all for overseers, the own department's for its people; the gravest first."""
    found = [(ground, department_id, count) for ground, ask in ASKED.items() for department_id, count in ask(now).items() if count]
    if not (is_reviewer(actor) or is_auditor(actor)):
        own = actor.department_id if actor.has(Role.OPERATOR, Role.HEAD) else None
        found = [line for line in found if line[1] == own]
    names = Department.objects.in_bulk({department_id for _ground, department_id, _count in found})
    lines = [Liability(ground, names[department_id], count) for ground, department_id, count in found]
    return sorted(lines, key=lambda line: (-line.count, line.article, line.department.pk))


def _late_answers(now: datetime) -> dict[int, int]:
    lines = lateness.by_department(since=now - LOOKED_BACK, until=now, now=now)
    return {line.department.pk: line.late_answers + line.owed_answers for line in lines}


def _self_added(_now: datetime) -> dict[int, int]:
    rows = Resource.objects.filter(state=ResourceState.PUBLISHED, share_attribute=ShareAttribute.UNCONDITIONAL)
    return _counted(rows.exclude(share_conditions=""), "provider_id")


def _no_usage_record(now: datetime) -> dict[int, int]:
    return _counted(usage_records.overdue(now), "system__department_id")


def _findings_open(now: datetime) -> dict[int, int]:
    return _counted(usage_records.open_findings(now), "grant__system__department_id")


def _no_disposal(now: datetime) -> dict[int, int]:
    return _counted(disposals.overdue(now), "grant__system__department_id")


def _out_of_scope(now: datetime) -> dict[int, int]:
    rows = CallStatistic.objects.filter(grain=Grain.DAY, starts_at__gte=now - CALLS_LOOKED_BACK, outcome__in=OUT_OF_SCOPE)
    return dict(rows.order_by().values_list("department_id").annotate(calls=Sum("call_count")))


def _unjustified(now: datetime) -> dict[int, int]:
    rows = BreakGlassReview.objects.filter(verdict=Verdict.UNJUSTIFIED, at__gte=now - LOOKED_BACK)
    return dict(
        rows.order_by().values_list("break_glass__opened_by_department_id").annotate(count=Count("break_glass", distinct=True))
    )


def _unreviewed(now: datetime) -> dict[int, int]:
    centre = next(iter(data_centres()), None)
    counts: dict[int, int] = {}
    for found in (
        break_glass.unreviewed().filter(review_due_at__lte=now).select_related("grant__resource").prefetch_related("reviews")
    ):
        for side in break_glass.sides_missing(found):
            department = found.grant.resource.provider_id if side is ReturningSide.PROVIDER else centre
            if department is not None:
                counts[department] = counts.get(department, 0) + 1
    return counts


def _counted(rows: QuerySet[Model], department: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(department).annotate(count=Count("pk", distinct=True)))


ASKED: Final[Mapping[Ground, Callable[[datetime], dict[int, int]]]] = {
    Ground.LATE_ANSWER: _late_answers,
    Ground.SELF_ADDED_CONDITIONS: _self_added,
    Ground.NO_USAGE_RECORD: _no_usage_record,
    Ground.FINDINGS_OPEN: _findings_open,
    Ground.NO_DISPOSAL: _no_disposal,
    Ground.OUT_OF_SCOPE: _out_of_scope,
    Ground.EMERGENCY_UNJUSTIFIED: _unjustified,
    Ground.EMERGENCY_UNREVIEWED: _unreviewed,
}
