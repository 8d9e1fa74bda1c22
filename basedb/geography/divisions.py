"""Divisions through time (区划沿革): what a code stood for on a day, what followed it, and which division a point lies in.

Delivered ranges (`Division`) decide where there are any for a code; else the table every node has (`core.Region`). Names are
the latter's alone. Outlines are those an operator loaded after approval (`boundaries`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Q

from basedb.models import Division
from core.models import Region

MOST_NAMES = 2_000  # a city has a few hundred
_SPLIT = re.compile("[,，、]")


@dataclass(frozen=True, slots=True)
class Standing:
    """A division as it stood: `code` is the six (or nine, twelve) digits of the standards, `region_code` the short one."""

    code: str
    region_code: str
    name: str
    level: str
    valid_from: date | None
    valid_to: date | None


def short_code(code: str) -> str:
    """Return the code without the pairs of noughts that stand for a higher level: 320000 is 32, 320100 is 3201."""
    if len(code) > 9 and not code.endswith("000"):
        return code
    code = re.sub("000$", "", code[:9]) if len(code) > 6 else code
    if len(code) == 6 and code.endswith("00"):
        return code[:2] if code.endswith("0000") else code[:4]
    return code


def long_code(code: str) -> str:
    """Return the six digits (or more) of a short code: 3201 is 320100."""
    return code.ljust(6, "0")


def division_on(code: str, day: date) -> Standing | None:
    """Return what a code stood for on a day, None when it stood for nothing then."""
    code = long_code(code)
    short = short_code(code)
    names = {(row.valid_from, row.valid_to): row.name for row in Region.objects.filter(code=short).order_by("valid_from")}
    delivered = Division.objects.filter(division_code=code, withdrawn_at=None)
    if delivered.exists():
        row = delivered.filter(stands_on(day)).order_by("-valid_from").first()
        if row is None:
            return None
        name = names.get((row.valid_from, row.valid_to)) or next(reversed(names.values()), code)
        return Standing(code, short, name, row.division_level, row.valid_from, row.valid_to)
    region = Region.objects.filter(stands_on(day), code=short).order_by("-valid_from").first()
    if region is None:
        return None
    return Standing(code, short, region.name, region.level, region.valid_from, region.valid_to)


def division_name_sql(code: str) -> str:
    """Return SQL for what a code in a column is called: its standing name, else its last."""
    return (
        f"(SELECT r.name FROM core_region r WHERE r.code = basedb_short_division({code}) "
        "ORDER BY r.valid_to DESC NULLS FIRST, r.valid_from DESC NULLS LAST LIMIT 1)"
    )


def names_of(codes: Collection[str]) -> dict[str, str]:
    """Return what codes are called; those nobody knows are left out."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.code, {division_name_sql('c.code')} FROM unnest(%s::text[]) AS c (code)", [list(codes)])
        return {code: name for code, name in cursor.fetchall() if name}


def names_below(code: str) -> dict[str, str]:
    """Return what a division and those below it are called, by code as rows write it; "" is the whole country."""
    prefix = short_code(long_code(code)) if code else ""
    rows = Region.objects.filter(valid_to=None, code__startswith=prefix).order_by("code").values_list("code", "name")
    return {long_code(own): name for own, name in rows[:MOST_NAMES]}


def stands_on(day: date) -> Q:
    """Return the condition that a row's range of days holds one; the last day belongs to what follows."""
    return (Q(valid_from=None) | Q(valid_from__lte=day)) & (Q(valid_to=None) | Q(valid_to__gt=day))


def successors(code: str) -> tuple[str, ...]:
    """Return the codes that took over from one, as delivered and as the node's own table has it; none for a standing one."""
    return _related(code, "successors")


def predecessors(code: str) -> tuple[str, ...]:
    """Return the codes one took over from."""
    return _related(code, "predecessors")


def _related(code: str, side: str) -> tuple[str, ...]:
    code = long_code(code)
    lists = Division.objects.filter(division_code=code, withdrawn_at=None).exclude(**{side: None}).values_list(side, flat=True)
    found = {part for text in lists for part in _SPLIT.split(text)}
    ours = Region.objects.filter(code=short_code(code)).exclude(**{side: None}).values_list(f"{side}__code", flat=True)
    return tuple(sorted(found | {long_code(other) for other in ours}))


def standing_heirs(code: str, day: date) -> tuple[str, ...]:
    """Follow successors until codes that stand on a day; the code itself when it does."""
    heirs: set[str] = set()
    seen: set[str] = set()
    waiting = [long_code(code)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if division_on(one, day):
            heirs.add(one)
        else:
            waiting += successors(one)
    return tuple(sorted(heirs))


@dataclass(frozen=True, slots=True)
class Place:
    """A division a point lies in, from province to street, and whether its outline is made up for a demonstration."""

    code: str
    name: str
    level: str
    approval_number: str
    is_fictive: bool


_AT = """
    SELECT r.code, r.name, r.level, l.approval_number, l.is_fictive
    FROM basedb_divisionoutline o JOIN core_region r ON r.id = o.region_id JOIN basedb_boundaryload l ON l.id = o.load_id
    WHERE o.superseded_at IS NULL AND ST_Covers(o.outline, ST_SetSRID(ST_MakePoint(%s, %s), 4490))
        AND (r.valid_from IS NULL OR r.valid_from <= %s) AND (r.valid_to IS NULL OR r.valid_to > %s)
        AND basedb_division_stood(rpad(r.code, greatest(length(r.code), 6), '0'), %s)
    ORDER BY length(r.code), r.code"""


def divisions_at(*, longitude: float, latitude: float, day: date) -> list[Place]:
    """Return the divisions standing on a day whose approved outline covers a point, the largest first.

    None when no outline is loaded there. Outlines are those in force now: of an ended division its last one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AT, [longitude, latitude, day, day, day])
        rows: list[tuple[str, str, str, str, bool]] = cursor.fetchall()
    return [Place(long_code(code), name, level, number, is_fictive) for code, name, level, number, is_fictive in rows]
