"""Precision of geometry (精度概略): what somebody granted under a mask of geometry may see of a shape, as SQL expressions.

Coordinates are moved to the nearest corner of a grid of whole degrees' parts whose cells are nowhere in the country smaller
than the metres named; a shape that collapses is shown as the corner nearest to its centre. Which mask applies is the grant's.
"""

from __future__ import annotations

from math import cos, radians
from typing import Final

from basedb.masking import Mask

METRES: Final = {Mask.SNAP_10M: 10, Mask.SNAP_100M: 100, Mask.SNAP_1KM: 1_000, Mask.CENTRE_1KM: 1_000}
CENTRES: Final = frozenset({Mask.CENTRE, Mask.CENTRE_1KM})
LATITUDE_METRES: Final = 110_574  # of a degree, where it is shortest
LONGITUDE_METRES: Final = 111_320 * cos(radians(53.6))  # of a degree at the northern end of the country


def cell_of(mask: Mask) -> tuple[float, float]:
    """Return width and height of a grid cell in degrees; nothing for a mask that moves no coordinate."""
    metres = METRES.get(mask, 0)
    return round(metres / LONGITUDE_METRES, 7), round(metres / LATITUDE_METRES, 7)


def reduced_sql(mask: Mask, shape: str) -> str:
    """A geometry in EPSG:4490 as the mask lets it be seen; null stays null."""
    if mask in CENTRES:
        return _snapped(mask, f"ST_Centroid({shape})")
    if mask not in METRES:
        return shape
    snapped = _snapped(mask, shape)
    return f"(CASE WHEN ST_IsEmpty({snapped}) THEN {_snapped(mask, f'ST_Centroid({shape})')} ELSE ST_MakeValid({snapped}) END)"


def _snapped(mask: Mask, shape: str) -> str:
    width, height = cell_of(mask)
    return f"ST_SnapToGrid({shape}, {width}, {height})" if width else shape
