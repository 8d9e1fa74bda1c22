"""Lateness (超期情况) by department: answers given late or still owed, and steps taken late (Order 809 art. 39, liability).

Figures for charts and reports; reminding and notices are in `supervision`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet

from core.models import Department
from exchange.models import AccessRequest, AccessRequestStep, Route
from exchange.requests.desks import data_centres
from exchange.requests.workflow import Seat

PROVIDER_DESKS = (Seat.PROVIDER_OPERATOR, Seat.PROVIDER_HEAD)
REQUESTER_DESKS = (Seat.REQUESTER_OPERATOR, Seat.REQUESTER_HEAD)


@dataclass(frozen=True, slots=True)
class Lateness:
    """What one department did late in a period."""

    department: Department
    late_answers: int
    owed_answers: int
    late_steps: int


def by_department(*, since: datetime, until: datetime, now: datetime) -> list[Lateness]:
    """Return the departments that were late, the most answers first.

    The answer is the provider's (art. 39 (4)); where the data centre decides alone, it is the centre's.
    """
    centre = next(iter(data_centres()), None)
    late = Q(decided_at__gt=F("answer_due_at"), decided_at__gte=since, decided_at__lt=until)
    owed = Q(decided_at=None, answer_due_at__lte=now)
    answers = {"late": _answers(late, centre), "owed": _answers(owed, centre), "steps": _late_steps(since, until, centre)}
    ids = set().union(*(counts.keys() for counts in answers.values()))
    found = [
        Lateness(row, answers["late"].get(row.pk, 0), answers["owed"].get(row.pk, 0), answers["steps"].get(row.pk, 0))
        for row in Department.objects.filter(pk__in=ids).order_by("pk")
    ]
    return sorted(found, key=lambda line: (-line.late_answers - line.owed_answers, -line.late_steps))


def _answers(condition: Q, centre: int | None) -> dict[int, int]:
    rows = AccessRequest.objects.filter(condition).exclude(state="WITHDRAWN")
    counts = _counted(rows.filter(route=Route.PROVIDER_FIRST), "resource__provider_id")
    return _with_centre(counts, rows.filter(route=Route.DATA_CENTRE_ALONE).count(), centre)


def _late_steps(since: datetime, until: datetime, centre: int | None) -> dict[int, int]:
    rows = AccessRequestStep.objects.filter(at__gt=F("was_due_at"), at__gte=since, at__lt=until).exclude(command="WITHDRAW")
    counts = _counted(rows.filter(desk__in=PROVIDER_DESKS), "access_request__resource__provider_id")
    for department, count in _counted(rows.filter(desk__in=REQUESTER_DESKS), "access_request__requester_id").items():
        counts[department] = counts.get(department, 0) + count
    return _with_centre(counts, rows.filter(desk=Seat.DATA_CENTRE).count(), centre)


def _counted(rows: QuerySet[AccessRequest] | QuerySet[AccessRequestStep], department: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(department).annotate(count=Count("pk")))


def _with_centre(counts: dict[int, int], count: int, centre: int | None) -> dict[int, int]:
    if centre is not None and count:
        counts[centre] = counts.get(centre, 0) + count
    return counts
