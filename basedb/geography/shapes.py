"""Outlines for drawing (界线绘制): the approved ones of a division and of those below it, simplified, as GeoJSON.

Only what an operator loaded after approval is drawn; where nothing was loaded there is nothing to draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import connection

from basedb.geography.divisions import long_code, short_code
from basedb.models import DivisionOutline

OUTLINES_AT_MOST: Final = 500
NUMBERS_AT_MOST: Final = 20
TOLERANCE: Final = 0.0005  # of a degree: about fifty metres

_SQL: Final = """
    SELECT r.name, l.is_fictive, ST_AsGeoJSON(ST_SimplifyPreserveTopology(o.outline, %s), 5, 0)
    FROM basedb_divisionoutline o JOIN core_region r ON r.id = o.region_id JOIN basedb_boundaryload l ON l.id = o.load_id
    WHERE o.superseded_at IS NULL AND starts_with(r.code, %s) AND (r.valid_from IS NULL OR r.valid_from <= %s)
        AND (r.valid_to IS NULL OR r.valid_to > %s) ORDER BY r.code LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Outline:
    """One outline; a fictive one is made up for a demonstration and has to be labelled so."""

    name: str
    is_fictive: bool
    geometry: str


def are_loaded() -> bool:
    """Say whether any approved outline is in force."""
    return DivisionOutline.objects.filter(superseded_at=None).exists()


def approval_numbers() -> list[str]:
    """Return the numbers the outlines in force were approved under, but for made-up ones: a map has to show them."""
    found = DivisionOutline.objects.filter(superseded_at=None, load__is_fictive=False).order_by("load__approval_number")
    return list(found.values_list("load__approval_number", flat=True).distinct()[:NUMBERS_AT_MOST])


def outlines_below(division: str, *, day: date) -> list[Outline]:
    """Return the outlines of divisions that stand on a day and whose code begins like this one, the larger first."""
    prefix = short_code(long_code(division)) if division else ""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [TOLERANCE, prefix, day, day, OUTLINES_AT_MOST])
        return [Outline(*row) for row in cursor.fetchall()]
