"""Address matching (地址匹配): free text to standard addresses with a score, one or many at once, and back from a point.

Writing, parts and score are functions of the database (migration 0005), the same for what is stored and what is asked. Asked
texts may be somebody's home: they are never logged nor kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

from basedb.geography.divisions import long_code, short_code

LONGEST = 200
MOST_AT_ONCE = 1_000
CERTAIN = 0.85
POSSIBLE = 0.5
_LEAD = 0.05  # the best must be so much better than the second


class Verdict(StrEnum):
    """What a match amounts to."""

    MATCHED = "MATCHED"
    AMBIGUOUS = "AMBIGUOUS"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A standard address that may be meant; the score runs from 0 to 1. Coordinates are CGCS2000."""

    address_code: str
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
    """A standard address near a point, its distance in metres."""

    address_code: str
    full_address: str
    region_code: str
    longitude: float
    latitude: float
    metres: float


_MATCH = """
    SELECT q.number, basedb_normalize_address(q.text), a.address_code, a.full_address, a.region_code,
        ST_X(a.location), ST_Y(a.location), m.score
    FROM unnest(%s::text[]) WITH ORDINALITY AS q (text, number)
    LEFT JOIN LATERAL basedb_match_address(q.text, %s, %s) m ON m.score >= %s
    LEFT JOIN basedb_address a ON a.id = m.address_id
    ORDER BY q.number, m.score DESC, a.address_code"""

_NEAREST = """
    SELECT n.*, ST_Distance(n.location::geography, p.point::geography) AS metres
    FROM (SELECT ST_SetSRID(ST_MakePoint(%s, %s), 4490) AS point) p, LATERAL (
        SELECT address_code, full_address, region_code, ST_X(location), ST_Y(location), location FROM basedb_address
        WHERE withdrawn_at IS NULL AND address_state = '1' AND location IS NOT NULL
            AND datum_note NOT IN ('GCJ02', 'BD09')
        ORDER BY location <-> p.point LIMIT %s) n
    ORDER BY metres, address_code"""


def match(text: str, *, division: str = "", most: int = 5) -> Match:
    """Match one text within a division ("" is everywhere)."""
    return match_many([text], division=division, most=most)[0]


def match_many(texts: Sequence[str], *, division: str = "", most: int = 5) -> list[Match]:
    """Match many texts in one statement, in their order; at most `MOST_AT_ONCE`, ValueError beyond."""
    if len(texts) > MOST_AT_ONCE:
        raise ValueError("too many addresses at once")
    asked = [text[:LONGEST].replace("\x00", "") for text in texts]
    prefix = short_code(long_code(division)) if division else ""
    found: dict[int, tuple[str, list[Candidate]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_MATCH, [asked, prefix, most, POSSIBLE * 0.6])
        for number, normalized, code, full, region, longitude, latitude, score in cursor.fetchall():
            _text, candidates = found.setdefault(number, (normalized, []))
            if code is not None:
                candidates.append(Candidate(code, full, region, longitude, latitude, float(score)))
    return [_judged(*found[number]) for number in range(1, len(asked) + 1)]


def _judged(normalized: str, candidates: Iterable[Candidate]) -> Match:
    kept = tuple(candidate for candidate in candidates if candidate.score >= POSSIBLE)
    if not kept:
        return Match(Verdict.NONE, normalized, ())
    certain = kept[0].score >= CERTAIN and (len(kept) == 1 or kept[0].score - kept[1].score >= _LEAD)
    return Match(Verdict.MATCHED if certain else Verdict.AMBIGUOUS, normalized, kept)


def nearest(*, longitude: float, latitude: float, most: int = 5) -> list[Near]:
    """Return the standard addresses nearest to a point; those in shifted coordinates are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, [longitude, latitude, most])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [Near(row[0], row[1], row[2], row[3], row[4], round(row[6], 1)) for row in rows]
