"""Timeliness of the double publicity (双公示时效): published within 7 working days of the decision (发改办财金〔2018〕424号).

A record without a day of publication counts as unstated, neither as in time nor as late. Rules of quality ask for it as a measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from basedb.credit import records
from basedb.quality.measures import Measured
from core.audit import Actor
from core.calendar import Calendar, today_in_shanghai
from core.roles import Role
from core.working_days import calendar

WITHIN = 7  # working days
DOUBLE_PUBLICITY = ("credit.permit", "credit.penalty")
LONGEST = timedelta(days=400)
MEASURED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How many records of a department were published in time, late, or without a day."""

    department: str
    dataset: str
    in_time: int
    late: int
    unstated: int

    @property
    def judged(self) -> int:
        """The denominator: records with a day of publication."""
        return self.in_time + self.late


def last_day(decided_on: date, days: Calendar) -> date:
    """Return the last day on which publishing a decision is in time."""
    return days.add_working_days(decided_on, WITHIN)


def is_late(decided_on: date, published_on: date | None, days: Calendar) -> bool | None:
    """Return whether a record was published late; None when it does not say when."""
    return None if published_on is None else published_on > last_day(decided_on, days)


def by_department(*, actor: Actor, first_day: date, until: date) -> list[Timeliness]:
    """Return the timeliness of decisions of a span of days: all departments for the window and auditors, else one's own."""
    everything = records.is_window(actor) or actor.has(Role.AUDIT_ADMINISTRATOR)
    whose: dict[str, Sequence[int | None]] = {
        dataset: records.departments_with(dataset) if everything else [actor.department_id] for dataset in DOUBLE_PUBLICITY
    }
    lines = _counted(whose, first_day, min(until, first_day + LONGEST))
    return [Timeliness(name, dataset, in_time, late, no) for name, _id, dataset, in_time, late, no in lines]


def measure(dataset: str, now: datetime) -> Mapping[int, Measured]:
    """Return, by department, how many decisions of the last months say when they were published, and how many of them late."""
    if dataset not in DOUBLE_PUBLICITY:
        return {}
    today = today_in_shanghai(now)
    lines = _counted({dataset: records.departments_with(dataset)}, today - MEASURED, today)
    return {department: Measured(in_time + late, late) for _name, department, _dataset, in_time, late, _no in lines}


def _counted(whose: Mapping[str, Sequence[int | None]], first_day: date, until: date) -> list[tuple[Any, ...]]:
    """Return name and id of a department, dataset, and its records in time, late and without a day."""
    working = calendar()
    days = [first_day + timedelta(days=n) for n in range((until - first_day).days + 1)]
    limits = [last_day(day, working) for day in days]
    statement = " UNION ALL ".join(
        f"""SELECT source_department_id, '{dataset}', count(*) FILTER (WHERE published_on <= limit_on),
            count(*) FILTER (WHERE published_on > limit_on), count(*) FILTER (WHERE published_on IS NULL)
        FROM unnest(%s::bigint[]) AS s(id)
        JOIN {records.KINDS[dataset]._meta.db_table} r ON r.source_department_id = s.id AND r.decided_on BETWEEN %s AND %s
        JOIN unnest(%s::date[], %s::date[]) AS d(day, limit_on) ON d.day = r.decided_on
        WHERE r.withdrawn_at IS NULL GROUP BY source_department_id"""
        for dataset in whose
    )
    parameters: list[Any] = [part for departments in whose.values() for part in (departments, first_day, until, days, limits)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT d.name, c.* FROM ({statement}) AS c(department_id, dataset, in_time, late, unstated) "
            "JOIN core_department d ON d.id = c.department_id ORDER BY d.name, c.dataset",
            parameters,
        )
        lines: list[tuple[Any, ...]] = cursor.fetchall()
        return lines
