"""Figures of divisions (区划统计): how many people, entities, parcels each division holds, counted by a task and kept.

Counts only, of rows no source has withdrawn. Who may see them is for the doors to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models.functions import Length

from basedb.dictionary import DATASETS, Dataset
from basedb.geography.divisions import long_code, short_code
from basedb.models import DivisionFigure

COUNTED = (
    "population.person",
    "legal_entity.enterprise",
    "geo.address",
    "geo.parcel",
    "geo.real_estate_unit",
    "geo.building",
    "geo.planning_zone",
    "geo.place",
    "geo.grid",
)
_LENGTHS = (2, 4, 6, 9)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of one division."""

    division_code: str
    dataset: str
    count: int
    counted_at: datetime


@transaction.atomic
def recount(*, now: datetime) -> int:
    """Count everything anew, one scan a dataset; return how many figures stand."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20min'")  # a whole city
        cursor.execute("DELETE FROM basedb_divisionfigure")
        for code in COUNTED:
            cursor.execute(_count_sql(DATASETS[code]), [code, now])
    return DivisionFigure.objects.count()


def _count_sql(dataset: Dataset) -> str:
    region = f"basedb_short_division({dataset.region_field})"
    lengths = ", ".join(f"({length})" for length in _LENGTHS)
    return f"""
        INSERT INTO basedb_divisionfigure (division_code, dataset, rows, counted_at)
        SELECT left(region, wide), %s, sum(held), %s FROM (
            SELECT {region} AS region, count(*) AS held FROM {dataset.table} WHERE withdrawn_at IS NULL GROUP BY 1
        ) t JOIN (VALUES {lengths}) l (wide) ON length(region) >= wide
        GROUP BY 1"""


def home() -> str:
    """Return the code of the smallest division that holds everything counted, "" when there is none: where one begins to look."""
    codes = list(DivisionFigure.objects.values_list("division_code", flat=True).distinct())
    holding = [code for code in codes if all(other.startswith(code) or code.startswith(other) for other in codes)]
    return max(holding, key=len, default="")


def figures_below(code: str) -> list[Figure]:
    """Return the figures of a division and of those one level below it, by code; "" is the whole country's provinces."""
    prefix = short_code(long_code(code)) if code else ""
    deeper = next((length for length in _LENGTHS if length > len(prefix)), len(prefix))
    rows = DivisionFigure.objects.annotate(wide=Length("division_code")).filter(
        division_code__startswith=prefix, wide__in=(len(prefix), deeper)
    )
    return [
        Figure(long_code(row.division_code), row.dataset, row.rows, row.counted_at)
        for row in rows.order_by("division_code", "dataset")
    ]
