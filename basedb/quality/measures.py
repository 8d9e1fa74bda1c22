"""Measures (运行指标): what credit and the rooms above count for quality rules of kind MEASURE, by department.

Whether plans ran in time, whether the source's count was reached, whether services answered: none of it stands in a base table.
They register a function under a name in `AppConfig.ready`; a rule names it in its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """How many were looked at and how many of them were found wanting."""

    checked: int
    failed: int


Measure = Callable[[str, datetime], Mapping[int, Measured]]  # dataset, now -> department id -> what was found

MEASURES: dict[str, Measure] = {}


def register(name: str, measure: Measure) -> None:
    """Offer a measure under a name."""
    MEASURES[name] = measure
