"""Checks over several facts of people (人口一致性检查): what one row cannot tell.

A marriage of A with B is one of B with A: departments that deliver one side only are asked for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection

from basedb.dictionary.population_facts import VITAL_EVENT

MINOR, CHILD = 18, 14  # 民法典 Art. 17; 个人信息保护法 Art. 28 counts those under 14 among sensitive data

# Marriages and divorces whose other side no standing fact tells; `f` is the fact, one row each.
ONE_SIDED_SQL: Final = (
    f"{VITAL_EVENT.table} f WHERE f.vital_event IN ('30', '40') AND f.withdrawn_at IS NULL AND NOT EXISTS ("
    f"SELECT FROM {VITAL_EVENT.table} o WHERE o.subject_key = f.partner_key AND o.partner_key = f.subject_key"
    " AND o.vital_event = f.vital_event AND o.occurred_on = f.occurred_on AND o.withdrawn_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Checked:
    """How many facts were looked at and how many failed, for one department."""

    department_id: int
    checked: int
    failed: int


def one_sided_marriages() -> list[Checked]:
    """Return, for each department that reports marriages, how many it reports and how many lack the other side."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_department_id, count(*), count(*) FILTER (WHERE id IN (SELECT f.id FROM " + ONE_SIDED_SQL + "))"
            f" FROM {VITAL_EVENT.table} WHERE vital_event IN ('30', '40') AND withdrawn_at IS NULL GROUP BY 1 ORDER BY 1"
        )
        return [Checked(*row) for row in cursor.fetchall()]


def is_minor(born: date, today: date) -> bool:
    """Whether somebody is under eighteen; the birthday itself ends it (民法典 Art. 17, 1259)."""
    return _age(born, today) < MINOR


def is_child(born: date, today: date) -> bool:
    """Whether somebody is under fourteen, whose data are sensitive as such."""
    return _age(born, today) < CHILD


def age_below_sql(born: str, years: int, today: str) -> str:
    """`is_minor` and `is_child` as an SQL condition over date expressions; somebody born on 29 February turns of age on 1 March."""
    return f"(extract(year FROM age({today}, {born})) < {years})"


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
