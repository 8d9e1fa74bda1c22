"""Outlines for drawing (界线绘制): the approved ones of a division and of those below it, simplified, as GeoJSON.

Only what an operator loaded after approval is drawn; where nothing was loaded there is nothing to draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection

from basedb.models import DivisionOutline

OUTLINES_AT_MOST: Final = 500
TOLERANCE: Final = 0.0005  # of a degree: about fifty metres

_SQL: Final = """
    SELECT r.name, l.is_fictive, ST_AsGeoJSON(ST_SimplifyPreserveTopology(o.outline, %s), 5, 0)
    FROM basedb_divisionoutline o JOIN core_region r ON r.id = o.region_id JOIN basedb_boundaryload l ON l.id = o.load_id
    WHERE o.superseded_at IS NULL AND starts_with(r.code, %s) ORDER BY r.code LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Outline:
    """One outline; a fictive one is made up for a demonstration and has to be labelled so."""

    name: str
    is_fictive: bool
    geometry: str


def are_loaded() -> bool:
    """Say whether any approved outline is in force."""
    return DivisionOutline.objects.filter(superseded_at=None).exists()


def outlines_below(division: str) -> list[Outline]:
    """Return the outlines of divisions whose code begins like this one, the larger first."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [TOLERANCE, division, OUTLINES_AT_MOST])
        return [Outline(*row) for row in cursor.fetchall()]
