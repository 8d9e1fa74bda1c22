"""Figures of the calls (运行监测数据): read from the roll-ups plus the records not folded yet, in one statement.

So every call counts from the moment its record is committed, and once. Who sees what is a condition of that statement: the data
centre and the auditor all, a department what it used or provided. Times are the signed times, as in the call record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from core.audit import Actor
from core.calendar import SHANGHAI
from exchange.models import Grain
from exchange.querysets import calls_of_whom
from exchange.statistics import periods
from exchange.statistics.durations import BUCKET_COUNT, quantile
from exchange.statistics.folding import CURSOR, ROLLED
from exchange.statistics.periods import Period
from exchange.statistics.sides import ANSWERED, ENDINGS, Side, side_of

COLUMNS: Final = (
    "grain, starts_at, department_id, consumer_id, provider_id, resource_id, grant_id, mode, outcome, call_count, row_count, "
    "request_bytes, answer_bytes, duration_sum, duration_min, duration_max, buckets, hours"
)
TAIL: Final = ROLLED.format(
    condition="r.xid >= %(folded)s::xid8 AND r.xid >= coalesce((SELECT xid_to FROM exchange_statisticscursor "
    f"WHERE id = {CURSOR}), '0'::xid8) AND r.requested_at >= %(since)s AND r.requested_at < %(until)s",
    grains="(VALUES (%(grain)s, %(unit)s))",
)
BASE: Final = f"""
WITH base AS MATERIALIZED (
    SELECT *, outcome = ANY(%(answered)s) AS is_ok, CASE WHEN outcome = ANY(%(endings)s) THEN 0 ELSE call_count END AS calls
    FROM (
        SELECT {COLUMNS} FROM exchange_callstatistic
        WHERE grain = %(grain)s AND starts_at >= %(since)s AND starts_at < %(until)s
        UNION ALL {TAIL}
    ) AS lines WHERE {{conditions}}
)"""
SEEN: Final = "(%(sees_all)s OR department_id = %(own)s OR provider_id = %(own)s)"
FILTERS: Final[Mapping[str, str]] = {
    "department": "(SELECT id FROM core_department WHERE uid = %(department)s) IN (department_id, provider_id)",
    "resource": "resource_id = (SELECT id FROM catalog_resource WHERE uid = %(resource)s)",
    "system": "consumer_id = (SELECT id FROM exchange_consumersystem WHERE uid = %(system)s)",
    "grant": "grant_id = (SELECT id FROM exchange_grant WHERE uid = %(grant)s)",
    "mode": "mode = %(mode)s",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "answered": "outcome = ANY(%(answered)s || %(endings)s)",
    "refused": "outcome <> ALL(%(answered)s || %(endings)s)",
}
_FAST: Final = (
    "sum(duration_sum) FILTER (WHERE is_ok) AS duration_sum, min(duration_min) FILTER (WHERE is_ok) AS duration_min, "
    "max(duration_max) FILTER (WHERE is_ok) AS duration_max, ARRAY["
    + ", ".join(f"coalesce(sum(buckets[{number}]) FILTER (WHERE is_ok), 0)" for number in range(1, BUCKET_COUNT + 1))
    + "] AS buckets"
)
_SPLIT: Final = (
    "coalesce(sum(calls) FILTER (WHERE is_ok), 0) AS answered, coalesce(sum(calls) FILTER (WHERE NOT is_ok), 0) AS refused"
)
_SIZES: Final = "sum(row_count) AS rows, sum(request_bytes) AS request_bytes, sum(answer_bytes) AS answer_bytes"
# One line a weekday: days know their hours already, finer lines are of one hour each.
_WEEKDAY: Final = "extract(isodow FROM starts_at AT TIME ZONE 'Asia/Shanghai')::int AS weekday"
_HOURS_OF_DAYS: Final = ", ".join(f"sum(hours[{number}])" for number in range(1, 25))
_HOURS: Final = ", ".join(
    f"sum(calls) FILTER (WHERE extract(hour FROM starts_at AT TIME ZONE 'Asia/Shanghai') = {number})" for number in range(24)
)
_HEAT_OF_DAYS: Final = f"SELECT {_WEEKDAY}, ARRAY[{_HOURS_OF_DAYS}] AS hours FROM base GROUP BY 1"
_HEAT: Final = f"SELECT {_WEEKDAY}, ARRAY[{_HOURS}] AS hours FROM base GROUP BY 1"
PARTS: Final[Mapping[str, str]] = {
    "outcomes": "SELECT outcome, sum(call_count) AS calls FROM base GROUP BY 1",
    "trend": f"SELECT starts_at, {_SPLIT} FROM base GROUP BY 1",
    "services": f"SELECT resource_id, provider_id, {_SPLIT}, {_SIZES}, {_FAST} FROM base GROUP BY 1, 2",
    "consumers": f"SELECT department_id, consumer_id, {_SPLIT}, {_SIZES} FROM base GROUP BY 1, 2",
    "flows": "SELECT provider_id, department_id, sum(calls) AS calls FROM base WHERE provider_id IS NOT NULL GROUP BY 1, 2",
}


@dataclass(frozen=True, slots=True)
class CallScope:
    """Which calls are counted: those of a period that fit every filter given."""

    period: Period
    department: UUID | None = None
    resource: UUID | None = None
    system: UUID | None = None
    grant: UUID | None = None
    mode: str = ""
    outcome: str = ""

    def conditions(self) -> str:
        """Return the SQL conditions on a line."""
        found = [SEEN, *(sql for name, sql in FILTERS.items() if getattr(self, name))]
        found += [OUTCOMES.get(self.outcome, "outcome = %(outcome)s")] if self.outcome else []
        return " AND ".join(found)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answered calls took, in milliseconds."""

    lowest: float
    mean: float
    p95: float
    highest: float


@dataclass(slots=True)
class Tally:
    """Calls and volumes of something; durations in microseconds, of answered calls."""

    answered: int = 0
    refused: int = 0
    rows: int = 0
    request_bytes: int = 0
    answer_bytes: int = 0
    duration_sum: int = 0
    duration_min: int | None = None
    duration_max: int | None = None
    buckets: list[int] = field(default_factory=lambda: [0] * BUCKET_COUNT)

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line of the database's answer."""
        for name in ("answered", "refused", "rows", "request_bytes", "answer_bytes", "duration_sum"):
            setattr(self, name, getattr(self, name) + (line.get(name) or 0))
        for name, pick in (("duration_min", min), ("duration_max", max)):
            both = [value for value in (getattr(self, name), line.get(name)) if value is not None]
            setattr(self, name, pick(both) if both else None)
        if "buckets" in line:
            self.buckets = [a + b for a, b in zip(self.buckets, line["buckets"], strict=True)]

    @property
    def calls(self) -> int:
        """Return all calls, answered or refused."""
        return self.answered + self.refused

    @property
    def latency(self) -> Latency | None:
        """Return how long the answered calls took; None when no duration is known."""
        timed = sum(self.buckets)
        if not timed or self.duration_min is None or self.duration_max is None:
            return None
        p95 = quantile(self.buckets, 0.95, lowest=self.duration_min, highest=self.duration_max)
        return Latency(self.duration_min / 1000, self.duration_sum / timed / 1000, p95 / 1000, self.duration_max / 1000)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a scope's calls add up to. Keys are numbers of rows; names are found by `names`."""

    scope: CallScope
    total: Tally
    outcomes: Mapping[str, int]
    trend: Mapping[datetime, tuple[int, int]]
    services: Mapping[tuple[int | None, int | None], Tally]
    consumers: Mapping[tuple[int, int], Tally]
    flows: Mapping[tuple[int, int], int]
    heat: Mapping[tuple[int, int], int]

    def sides(self) -> dict[Side, int]:
        """Return refused calls by the side they failed on."""
        counted: Counter[Side] = Counter()
        for outcome, calls in self.outcomes.items():
            if side := side_of(outcome):
                counted[side] += calls
        return dict(counted)

    @property
    def aborted(self) -> int:
        """Return how many bulk answers broke off."""
        return self.outcomes.get("call.aborted", 0)


def figures(*, actor: Actor, scope: CallScope) -> Figures:
    """Return what the calls the actor may see add up to."""
    heat = _HEAT_OF_DAYS if scope.period.grain is Grain.DAY else _HEAT
    found = _ask(actor, scope, {**PARTS, "heat": heat})
    total = Tally()
    for line in found["services"]:
        total.add(line)
    return Figures(
        scope=scope,
        total=total,
        outcomes={line["outcome"]: line["calls"] for line in found["outcomes"]},
        trend={datetime.fromisoformat(line["starts_at"]): (line["answered"], line["refused"]) for line in found["trend"]},
        services=_tallies(found["services"], "resource_id", "provider_id"),
        consumers=_tallies(found["consumers"], "department_id", "consumer_id"),
        flows={(line["provider_id"], line["department_id"]): line["calls"] for line in found["flows"] if line["calls"]},
        heat={(line["weekday"], hour): calls for line in found["heat"] for hour, calls in enumerate(line["hours"]) if calls},
    )


@dataclass(frozen=True, slots=True)
class Day:
    """Calls of one day in Shanghai; a bulk call counts once."""

    on: date
    answered: int
    refused: int


def per_day(*, actor: Actor, scope: CallScope) -> list[Day]:
    """Return one line for every day of the scope, oldest first, days without calls too."""
    found = _ask(actor, scope, {"trend": PARTS["trend"]})["trend"]
    known = {datetime.fromisoformat(line["starts_at"]): (line["answered"], line["refused"]) for line in found}
    return [Day(at.astimezone(SHANGHAI).date(), *known.get(at, (0, 0))) for at in scope.period.steps()]


def calls_per_day(*, actor: Actor, now: datetime, days: int) -> list[Day]:
    """Return one line a day, oldest first, today last."""
    return per_day(actor=actor, scope=CallScope(periods.last_days(days, now)))


def _tallies(lines: Iterable[Mapping[str, Any]], *key: str) -> dict[Any, Tally]:
    made: dict[Any, Tally] = {}
    for line in lines:
        made.setdefault(tuple(line[name] for name in key), Tally()).add(line)
    return dict(sorted(made.items(), key=lambda item: -item[1].calls))


def values_of(scope: CallScope, *, sees_all: bool, own: int | None) -> dict[str, Any]:
    """Return the parameters of a scope's statement."""
    period = scope.period
    return {name: getattr(scope, name) for name in (*FILTERS, "outcome")} | {
        "sees_all": sees_all,
        "own": own,
        "grain": period.grain.value,
        "unit": "century" if period.grain is Grain.EVER else period.grain.value.lower(),
        "since": period.since,
        "until": period.until,
        "answered": list(ANSWERED),
        "endings": list(ENDINGS),
    }


def ask(parts: Mapping[str, str], *, conditions: str, values: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return each part's lines; one statement, so that all parts tell of the same moment.

    The cursor stands in it twice: as a literal the index is chosen by, and as it is at that moment, which decides.
    """
    wanted = ", ".join(f"(SELECT coalesce(json_agg(part), '[]') FROM ({sql}) AS part)" for sql in parts.values())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '32MB'")
        cursor.execute("SELECT coalesce((SELECT xid_to::text FROM exchange_statisticscursor WHERE id = %s), '0')", [CURSOR])
        folded = cursor.fetchone()[0]
        cursor.execute(f"{BASE.format(conditions=conditions)} SELECT {wanted}", {**values, "folded": folded})
        row: Sequence[Any] = cursor.fetchone()
    return dict(zip(parts, row, strict=True))


def _ask(actor: Actor, scope: CallScope, parts: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    sees_all, own = calls_of_whom(actor)
    return ask(parts, conditions=scope.conditions(), values=values_of(scope, sees_all=sees_all, own=own))
