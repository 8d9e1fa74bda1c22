"""Address matching (地址匹配): free text to standard addresses with a score, one or many at once, and back from a point.

Writing, parts and score are functions of the database (migration 0005), the same for what is stored and what is asked. Asked
texts may be somebody's home: they are never logged nor kept. A room says who lives door to door (L3): only `to_the_room` tells it,
everybody else is answered with buildings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from basedb.dictionary.geography import SHIFTED_SQL
from basedb.geography.divisions import long_code, short_code
from basedb.models import DataSource
from core.audit import Actor
from core.roles import Role

LONGEST = 200
MOST_AT_ONCE = 1_000
CERTAIN = 0.85
POSSIBLE = 0.5
_LEAD = 0.05  # the best must be so much better than the second
_ROOMS = 60  # so many rooms are looked at to find the buildings they are in


class Verdict(StrEnum):
    """What a match amounts to."""

    MATCHED = "MATCHED"
    AMBIGUOUS = "AMBIGUOUS"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A standard address that may be meant; the score runs from 0 to 1. Coordinates are CGCS2000; shifted ones are not told.

    A building that stands for its rooms has no code of its own.
    """

    address_code: str | None
    full_address: str
    region_code: str
    longitude: float | None
    latitude: float | None
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one text."""

    verdict: Verdict
    normalized: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A standard address near a point, its distance in metres; a building that stands for its rooms has no code."""

    address_code: str | None
    full_address: str
    region_code: str
    longitude: float
    latitude: float
    metres: float


def building_sql(normalized: str) -> str:
    """An address in its one writing cut behind its building, else behind its door, else before what lies inside a house."""
    return (
        f"CASE WHEN {normalized} ~ '[0-9A-Z甲乙丙丁]栋' THEN substring({normalized} from '^.*?[0-9A-Z甲乙丙丁]栋') "
        f"WHEN {normalized} ~ '[0-9]号' THEN substring({normalized} from '^.*?[0-9]号') "
        f"ELSE regexp_replace({normalized}, '[0-9A-Z]*(单元|层|楼|室).*$', '') END"
    )


_BUILDING = f"LATERAL (SELECT {building_sql('a.normalized')} AS building) b"
_CODE = "CASE WHEN b.building = a.normalized THEN a.address_code END"
_POINT = f"(CASE WHEN a.datum_note NOT IN {SHIFTED_SQL} THEN a.location END)"
_MATCH = f"""
    SELECT q.number, basedb_normalize_address(q.text), a.address_code, a.full_address, a.region_code,
        ST_X({_POINT}), ST_Y({_POINT}), m.score
    FROM unnest(%s::text[]) WITH ORDINALITY AS q (text, number)
    LEFT JOIN LATERAL basedb_match_address(q.text, %s, %s) m ON m.score >= %s
    LEFT JOIN basedb_address a ON a.id = m.address_id
    ORDER BY q.number, m.score DESC, a.address_code"""
_MATCH_BUILDINGS = f"""
    SELECT q.number, q.text, c.code, c.building, c.region_code, c.x, c.y, c.score
    FROM (SELECT {building_sql("basedb_normalize_address(t.text)")} AS text, number
        FROM unnest(%s::text[]) WITH ORDINALITY AS t (text, number)) q
    LEFT JOIN LATERAL (
        SELECT * FROM (
            SELECT DISTINCT ON (a.region_code, b.building) {_CODE} AS code, b.building, a.region_code,
                ST_X({_POINT}) AS x, ST_Y({_POINT}) AS y, m.score
            FROM basedb_match_address(q.text, %s, {_ROOMS}) m JOIN basedb_address a ON a.id = m.address_id, {_BUILDING}
            WHERE m.score >= %s ORDER BY a.region_code, b.building, m.score DESC, b.building <> a.normalized, a.address_code
        ) one ORDER BY score DESC, building LIMIT %s) c ON true
    ORDER BY q.number, c.score DESC, c.building"""

_NEAREST = f"""
    SELECT n.*, ST_Distance(n.location::geography, p.point::geography) AS metres
    FROM (SELECT ST_SetSRID(ST_MakePoint(%s, %s), 4490) AS point) p, LATERAL (
        SELECT address_code, full_address, region_code, ST_X(location), ST_Y(location), location, normalized FROM basedb_address
        WHERE withdrawn_at IS NULL AND address_state = '1' AND location IS NOT NULL
            AND datum_note NOT IN {SHIFTED_SQL}
        ORDER BY location <-> p.point LIMIT %s) n
    ORDER BY metres, address_code"""
_NEAREST_BUILDINGS = f"""
    SELECT code, building, region_code, x, y, metres FROM (
        SELECT DISTINCT ON (a.region_code, b.building) {_CODE} AS code, b.building, a.region_code, a.x, a.y, a.metres
        FROM ({_NEAREST}) a (address_code, full_address, region_code, x, y, location, normalized, metres), {_BUILDING}
        ORDER BY a.region_code, b.building, a.metres, b.building <> a.normalized, a.address_code) one
    ORDER BY metres, building LIMIT %s"""


def may_see_rooms(actor: Actor) -> bool:
    """Whether somebody is answered down to the room: the data centre's reviewers, and the departments that keep the addresses."""
    if actor.is_data_centre and actor.has(Role.REVIEWER):
        return True
    kept = DataSource.objects.filter(dataset="geo.address", department_id=actor.department_id or 0)
    return actor.has(Role.OPERATOR, Role.HEAD) and kept.exists()


def match(text: str, *, division: str = "", most: int = 5) -> Match:
    """Match one text within a division ("" is everywhere), down to the room."""
    return match_many([text], division=division, most=most, to_the_room=True)[0]


def match_many(texts: Sequence[str], *, division: str = "", most: int = 5, to_the_room: bool) -> list[Match]:
    """Match many texts in one statement, in their order; at most `MOST_AT_ONCE`, ValueError beyond."""
    if len(texts) > MOST_AT_ONCE:
        raise ValueError("too many addresses at once")
    asked = [text[:LONGEST].replace("\x00", "") for text in texts]
    prefix = short_code(long_code(division)) if division else ""
    least = POSSIBLE * 0.6
    found: dict[int, tuple[str, list[Candidate]]] = {}
    with connection.cursor() as cursor:
        if to_the_room:
            cursor.execute(_MATCH, [asked, prefix, most, least])
        else:
            cursor.execute(_MATCH_BUILDINGS, [asked, prefix, least, most])
        for number, normalized, code, full, region, longitude, latitude, score in cursor.fetchall():
            _text, candidates = found.setdefault(number, (normalized, []))
            if full is not None:
                candidates.append(Candidate(code, full, region, longitude, latitude, float(score)))
    return [_judged(*found[number]) for number in range(1, len(asked) + 1)]


def _judged(normalized: str, candidates: Iterable[Candidate]) -> Match:
    kept = tuple(candidate for candidate in candidates if candidate.score >= POSSIBLE)
    if not kept:
        return Match(Verdict.NONE, normalized, ())
    certain = kept[0].score >= CERTAIN and (len(kept) == 1 or kept[0].score - kept[1].score >= _LEAD)
    return Match(Verdict.MATCHED if certain else Verdict.AMBIGUOUS, normalized, kept)


def nearest(*, longitude: float, latitude: float, most: int = 5, to_the_room: bool) -> list[Near]:
    """Return the standard addresses nearest to a point; those in shifted coordinates are left out."""
    with connection.cursor() as cursor:
        if to_the_room:
            cursor.execute(_NEAREST, [longitude, latitude, most])
        else:
            cursor.execute(_NEAREST_BUILDINGS, [longitude, latitude, _ROOMS * most, most])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [Near(row[0], row[1], row[2], row[3], row[4], round(row[-1], 1)) for row in rows]
