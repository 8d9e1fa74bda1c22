"""Timeliness of the double publicity (双公示时效): published within 7 working days of the decision (发改办财金〔2018〕424号).

A record without a day of publication counts as unstated, neither as in time nor as late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from basedb.credit import records
from core.audit import Actor
from core.calendar import Calendar
from core.roles import Role
from core.working_days import calendar

WITHIN = 7  # working days
DOUBLE_PUBLICITY = ("credit.permit", "credit.penalty")
LONGEST = timedelta(days=400)


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
    until = min(until, first_day + LONGEST)
    working = calendar()
    days = [first_day + timedelta(days=n) for n in range((until - first_day).days + 1)]
    limits = [last_day(day, working) for day in days]
    everything = records.is_window(actor) or actor.has(Role.AUDIT_ADMINISTRATOR)
    whose = {dataset: records.departments_with(dataset) if everything else [actor.department_id] for dataset in DOUBLE_PUBLICITY}
    statement = " UNION ALL ".join(
        f"""SELECT source_department_id, '{dataset}', count(*) FILTER (WHERE published_on <= limit_on),
            count(*) FILTER (WHERE published_on > limit_on), count(*) FILTER (WHERE published_on IS NULL)
        FROM unnest(%s::bigint[]) AS s(id)
        JOIN {records.KINDS[dataset]._meta.db_table} r ON r.source_department_id = s.id AND r.decided_on BETWEEN %s AND %s
        JOIN unnest(%s::date[], %s::date[]) AS d(day, limit_on) ON d.day = r.decided_on
        WHERE r.withdrawn_at IS NULL GROUP BY source_department_id"""
        for dataset in DOUBLE_PUBLICITY
    )
    parameters = [value for dataset in DOUBLE_PUBLICITY for value in (whose[dataset], first_day, until, days, limits)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT d.name, c.* FROM ({statement}) AS c(department_id, dataset, in_time, late, unstated) "
            "JOIN core_department d ON d.id = c.department_id ORDER BY d.name, c.dataset",
            parameters,
        )
        return [Timeliness(name, dataset, in_time, late, no) for name, _id, dataset, in_time, late, no in cursor.fetchall()]
