"""Administrative divisions of the country (行政区划): the compact table the platform ships, read row by row.

Codes are hierarchical: 2 digits a province, 4 a city, 6 a county (GB/T 2260), 9 a street or town. Names as of 2022-10-31;
source and license in `data/NOTICE`. Which divisions a node knows, and since when, are rows of `core.models.Region`.
"""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_TABLE = Path(__file__).parent / "data" / "regions.csv.gz"
_LEVELS = {2: "PROVINCE", 4: "CITY", 6: "COUNTY", 9: "STREET"}
_PARENT_LENGTHS = {2: 0, 4: 2, 6: 4, 9: 6}


class Division(NamedTuple):
    """One division; the level is a value of `core.models.RegionLevel`, the parent of a province is None."""

    code: str
    name: str
    level: str
    parent_code: str | None


def divisions(under: str = "") -> Iterator[Division]:
    """Yield the divisions whose code starts with `under`, itself included, sorted by code: parents before children."""
    with gzip.open(_TABLE, "rt", encoding="utf-8", newline="") as table:
        reader = csv.reader(table)
        next(reader)
        for code, name in reader:
            if code.startswith(under):
                yield Division(code, name, _LEVELS[len(code)], code[: _PARENT_LENGTHS[len(code)]] or None)
