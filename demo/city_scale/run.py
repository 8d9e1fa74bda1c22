"""The city taken in (全市归集): every plan's runs queued to real workers, in order, watched until all have ended.

Masters first, then what refers to them. Progress is printed by base; at the end the digest of every table and the rejected rows by
rule. Who the workers are is not decided here: the demo's own, or a crew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from demo.city_scale import digests
from demo.city_scale.plans import Delivery
from exchange.aggregation.connectors.drops import waiting_files
from exchange.models import AggregationPlan, AggregationRun, RunState

Say = Callable[[str], None]
Spent = Callable[[AggregationPlan], None]
UNFINISHED = (RunState.QUEUED, RunState.RUNNING)
PAUSE = 1.0
EVERY_SECONDS = 10.0
PATIENCE = timedelta(seconds=90)


class Failed(RuntimeError):
    """A run ended otherwise than it should."""


@dataclass
class Tally:
    """What came of the runs of one base."""

    read: int = 0
    changed: int = 0
    rejected: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.read / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Step:
    """One step: how long it took, of how many things, and what came of it."""

    name: str
    seconds: float
    count: int
    found: str = ""

    def line(self) -> str:
        """Return what people read."""
        rate = self.count / max(self.seconds, 0.001)
        return f"{self.name}: {self.count:,} in {self.seconds:.1f} s ({rate:,.0f}/s){'; ' if self.found else ''}{self.found}"


@dataclass
class Outcome:
    """A finished city: seconds of the taking in, what came of each base, digests, the steps after it."""

    seconds: float = 0.0
    bases: dict[str, Tally] = field(default_factory=dict)
    digests: dict[str, digests.Digest] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def take_in(
    plans: Mapping[Delivery, AggregationPlan], *, say: Say = print, with_digests: bool = True, spent: Spent | None = None
) -> Outcome:
    """Run every plan to its end, in the order of the deliveries; Failed when one does not succeed.

    `spent` hears of every plan whose source has been read to its end, once or again.
    """
    outcome, started = Outcome(), time.monotonic()
    for order in sorted({delivery.order for delivery in plans}):
        _carry([plan for delivery, plan in plans.items() if delivery.order == order], say, spent)
    analyze()
    outcome.seconds = time.monotonic() - started
    outcome.bases = tallies(plans.values())
    for name, tally in outcome.bases.items():
        say(f"{name}: {tally.read:,} read, {tally.rejected:,} rejected, {tally.rate:,.0f} rows/s")
    if with_digests:
        for name, rates in digests.by_million().items():
            say(f"{name} by million: {', '.join(f'{rate:,}' for rate in rates)} rows/s")
        outcome.digests = digests.everything()
        for name, digest in outcome.digests.items():
            say(f"{name}: {digest.rows:,} rows {digest.digest}")
        for (dataset, rule), count in digests.rejected_by_rule().items():
            say(f"rejected {dataset} {rule}: {count:,}")
    return outcome


def _carry(plans: list[AggregationPlan], say: Say, spent: Spent | None) -> None:
    """Queue a run of each plan, for a folder one run a file, and wait until nothing is left."""
    told = time.monotonic()
    pending, unqueued = {plan.pk: plan for plan in plans}, list(plans)
    while pending:
        try:
            while unqueued:
                queue(unqueued[0])
                del unqueued[0]
            _advance(pending, spent)
            if time.monotonic() - told > EVERY_SECONDS:
                told = time.monotonic()
                for name, tally in tallies(plans).items():
                    say(f"  {name}: {tally.read:,} read, {tally.rejected:,} rejected, {tally.rate:,.0f} rows/s")
        except (OperationalError, InterfaceError):
            connection.close()  # PostgreSQL begins anew: so does the next question
        time.sleep(PAUSE)


def _advance(pending: dict[int, AggregationPlan], spent: Spent | None) -> None:
    """Drop the plans that are done; queue the next file of those that have one."""
    for pk, plan in list(pending.items()):
        run = AggregationRun.objects.filter(plan_id=pk).order_by("-id").first()
        if run is None or run.state in UNFINISHED:
            _give_up_on(plan, run)
            continue
        if run.state != RunState.SUCCEEDED:
            raise Failed(f"{plan.title}: {run.state} {run.message}")
        if _has_file(plan):
            queue(plan)
        else:
            if spent is not None:
                spent(plan)
            del pending[pk]


def _give_up_on(plan: AggregationPlan, run: AggregationRun | None) -> None:
    """Fail early when a run has been put off for so long that only a person can help."""
    if run is None or not run.message or run.started_at is None:
        return
    if timezone.now() - run.started_at > PATIENCE and not run.read_count:
        raise Failed(f"{plan.title}: {run.message}")


def queue(plan: AggregationPlan) -> AggregationRun:
    """Queue a run by its row alone, as if its message had been lost: the next tick of the timetable hands it out."""
    under_way = AggregationRun.objects.filter(plan=plan, state__in=UNFINISHED).first()
    return under_way or AggregationRun.objects.create(plan=plan, queued_at=timezone.now() - timedelta(minutes=1))


def _has_file(plan: AggregationPlan) -> bool:
    return bool(plan.settings.get("folder")) and next(waiting_files(plan, again=False), None) is not None


def tallies(plans: Iterable[AggregationPlan]) -> dict[str, Tally]:
    """Return what came of the runs so far, by dataset; seconds are those in which any run of it was under way."""
    found: dict[str, Tally] = {}
    runs = AggregationRun.objects.filter(Q(plan__in=list(plans))).select_related("plan").order_by("started_at")
    until: dict[str, float] = {}
    for run in runs:
        if run.started_at is None:
            continue
        name = run.plan.dataset
        tally = found.setdefault(name, Tally())
        tally.read += run.read_count
        tally.changed += run.changed_count
        tally.rejected += run.rejected_count
        begin, end = run.started_at.timestamp(), (run.finished_at or timezone.now()).timestamp()
        tally.seconds += max(0.0, end - max(begin, until.get(name, 0.0)))
        until[name] = max(end, until.get(name, 0.0))
    return found


def analyze() -> None:
    """Let the planner know what came; statistics of a table that was empty an hour ago mislead it."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE basedb_sourcerecord, basedb_crosswalk, exchange_rejectedrow")
