"""Coordinate reference systems (坐标参照系) a layer is answered in, by their URI: axis order is that of the definition.

Stored coordinates are CGCS2000. WGS 84 is taken as equal to it; EPSG gives that transformation no offset and no known
accuracy, so nothing is claimed beyond the order of the axes.
"""

from __future__ import annotations

from typing import Final

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_4326: Final = "http://www.opengis.net/def/crs/EPSG/0/4326"
CGCS2000: Final = "http://www.opengis.net/def/crs/EPSG/0/4490"
OFFERED: Final = (CRS84, CGCS2000, EPSG_4326)


def is_latitude_first(uri: str) -> bool:
    """Return whether the first coordinate is the latitude; KeyError for a system that is not offered."""
    return {CRS84: False, EPSG_4326: True, CGCS2000: True}[uri]
