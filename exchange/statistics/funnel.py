"""The funnel of requests (申请漏斗): of those submitted in a period, how many got how far, how many in time, and who was late.

In time means by the deadline of the whole answer (Order 809 art. 21), which a request keeps; stops of the clock and extensions have
moved it already. A request without such a deadline yet is neither early nor late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, DateTimeField, F, Min, OuterRef, Q, QuerySet, Subquery

from core.audit import Actor
from exchange.models import AccessRequest, AccessRequestStep, CallRecord, RequestState
from exchange.querysets import access_requests_visible_to
from exchange.requests.workflow import Command, Route
from exchange.statistics.periods import Period
from exchange.statistics.sides import ANSWERED

# Stage -> the commands that lead to it. A request that skips a stage (the data centre alone reviews) has passed it all the same.
STAGES: Final[Mapping[str, tuple[Command, ...]]] = {
    "endorsed": (Command.ENDORSE,),
    "cleared": (Command.CLEAR,),
    "approved": (Command.APPROVE, Command.CONFIRM),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """How many requests reached a stage, and how many of those that have a deadline reached it before."""

    name: str
    count: int
    with_deadline: int
    in_time: int

    @property
    def share_in_time(self) -> int | None:
        """Return the share in percent, None when no request has a deadline."""
        return round(100 * self.in_time / self.with_deadline) if self.with_deadline else None


@dataclass(frozen=True, slots=True)
class Late:
    """How many answers of a provider were due and how many of them late, given or not."""

    department: str
    due: int
    late: int


def funnel(*, actor: Actor, period: Period) -> list[Stage]:
    """Return the stages of the requests the actor may see that were submitted in the period, in their order."""
    rows = _submitted(actor, period).annotate(
        **{f"{stage}_at": _first_step(commands) for stage, commands in STAGES.items()}, called_at=_first_call()
    )
    # The data centre alone: cleared the moment the own head endorsed. Two reviewers: approved when the last has confirmed.
    reached = {
        "submitted": Q(submitted_at__isnull=False),
        "endorsed": Q(endorsed_at__isnull=False),
        "cleared": Q(cleared_at__isnull=False) | Q(route="DATA_CENTRE_ALONE", endorsed_at__isnull=False),
        "approved": Q(state__in=(RequestState.APPROVED, RequestState.CLOSED), approved_at__isnull=False),
    }
    reached["called"] = reached["approved"] & Q(called_at__isnull=False)
    counts: dict[str, Any] = {}
    for name, condition in reached.items():
        at = "endorsed_at" if name == "cleared" else f"{name}_at"
        dated = condition & Q(answer_due_at__isnull=False)
        in_time = Q(**{f"{at}__lte": F("answer_due_at")})
        if name == "cleared":
            in_time = Q(cleared_at__lte=F("answer_due_at")) | Q(cleared_at__isnull=True, endorsed_at__lte=F("answer_due_at"))
        counts |= {
            f"{name}_count": Count("pk", filter=condition),
            f"{name}_dated": Count("pk", filter=dated),
            f"{name}_in_time": Count("pk", filter=dated & in_time),
        }
    found = rows.aggregate(**counts)
    return [Stage(name, found[f"{name}_count"], found[f"{name}_dated"], found[f"{name}_in_time"]) for name in reached]


def late_answers(*, actor: Actor, period: Period, now: datetime) -> list[Late]:
    """Return one line a provider whose answers were due, the latest first."""
    due = Q(decided_at__isnull=False) | Q(answer_due_at__lt=now)
    late = Q(decided_at__gt=F("answer_due_at")) | Q(decided_at__isnull=True, answer_due_at__lt=now)
    rows = (
        _submitted(actor, period)
        .filter(due, answer_due_at__isnull=False)
        .exclude(state=RequestState.WITHDRAWN)
        .exclude(route=Route.DATA_CENTRE_ALONE)  # these the data centre answers, not the provider
        .order_by()
        .values("resource__provider__short_name")
        .annotate(due=Count("pk"), late=Count("pk", filter=late))
        .order_by("-late", "-due")
    )
    return [Late(row["resource__provider__short_name"], row["due"], row["late"]) for row in rows]


def _submitted(actor: Actor, period: Period) -> QuerySet[AccessRequest]:
    return access_requests_visible_to(actor).filter(submitted_at__gte=period.since, submitted_at__lt=period.until)


def _first_step(commands: tuple[Command, ...]) -> Subquery:
    steps = AccessRequestStep.objects.filter(access_request=OuterRef("pk"), command__in=commands).order_by()
    return Subquery(steps.values("access_request").annotate(first=Min("at")).values("first"), output_field=DateTimeField(null=True))


def _first_call() -> Subquery:
    """Return when the grant of a request was first answered under; the index begins with the grant, so one step finds it."""
    calls = CallRecord.objects.filter(grant_id=OuterRef("grant__pk"), outcome__in=ANSWERED).order_by("requested_at")
    return Subquery(calls.values("requested_at")[:1], output_field=DateTimeField(null=True))
