"""Drawing rows in the database (抽取): a seeded hash of the row's own number in place of chance, word lists as small tables.

Every value is a function of (seed, number), so that any range of rows can be made anywhere, in any order, by several workers at
once, and the same seed gives the same city. A `Soil` says which rows are broken or untidy, and how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from psycopg2.extras import execute_values

from demo.addresses import streets
from demo.city_scale.counts import BROKEN_EVERY
from demo.city_scale.words import ETHNICITIES, SURNAMES_BY_WEIGHT

SLOTS = 1_000

# One inlined expression each; arguments must be plain columns, or PostgreSQL calls them as functions, ten times slower.
_FUNCTIONS = """
CREATE FUNCTION {schema}.draw(n bigint, salt int, below int) RETURNS int IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $$SELECT ((((hashint8extended($1, {seed}::bigint * 1000 + $2)) >> 32) & 1073741823) %% $3)::int$$;
CREATE FUNCTION {schema}.wrong_last(code text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $$SELECT left($1, -1) || CASE right($1, 1) WHEN '1' THEN '2' ELSE '1' END$$;
CREATE FUNCTION {schema}.full_width(code text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $$SELECT translate($1, '0123456789', '０１２３４５６７８９')$$;
CREATE FUNCTION {schema}.other_year(day text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
AS $$SELECT (left($1, 4)::int - 4)::text || substr($1, 5)$$;
"""
_LISTS = """
CREATE TABLE {schema}.surname (slot int PRIMARY KEY, surname text NOT NULL);
CREATE TABLE {schema}.ethnicity (slot int PRIMARY KEY, ethnicity text NOT NULL);
CREATE TABLE {schema}.street (slot int PRIMARY KEY, code text NOT NULL, street text NOT NULL, district_code text NOT NULL,
    district text NOT NULL, roads text[] NOT NULL);
"""


@dataclass(frozen=True)
class Soil:
    """The dirt of a source: rule that must be broken -> column -> what stands there instead; and what passes after cleaning."""

    defects: Mapping[str, Mapping[str, str]]
    untidy: Sequence[Mapping[str, str]]

    def columns(self, names: Sequence[str]) -> str:
        """Return the columns of a clean row `c`, soiled as `c.defect` and `c.untidy` say (null: not at all)."""
        return ", ".join(f"{self._soiled(name)} AS {name}" for name in names)

    def _soiled(self, name: str) -> str:
        broken = [f"WHEN c.defect = {n} THEN {d[name]}" for n, d in enumerate(self.defects.values()) if name in d]
        untidy = [f"WHEN c.untidy = {n} THEN {d[name]}" for n, d in enumerate(self.untidy) if name in d]
        cases = broken + untidy
        return f"CASE {' '.join(cases)} ELSE c.{name} END" if cases else f"c.{name}"

    def turns(self, schema: str, number: str, salt: int) -> str:
        """Return `defect` and `untidy` of a row: in each block of rows one of either kind, the defects taking turns."""
        block, place = f"{number} / {BROKEN_EVERY}", f"{number} % {BROKEN_EVERY}"
        drawn = f"{schema}.draw(({block})::bigint, {salt}, {BROKEN_EVERY})"
        other = f"({drawn} + {BROKEN_EVERY // 2}) % {BROKEN_EVERY}"
        return (
            f"CASE WHEN {place} = {drawn} THEN ({block}) % {len(self.defects)} END AS defect, "
            f"CASE WHEN {place} = {other} THEN ({block}) % {len(self.untidy)} END AS untidy"
        )

    def broken(self, count: int) -> dict[str, int]:
        """Return how many of `count` rows break each rule: the blocks take the rules in turn."""
        blocks = count // BROKEN_EVERY
        return {rule: len(range(place, blocks, len(self.defects))) for place, rule in enumerate(self.defects)}


def prepare(cursor: Any, schema: str, seed: int) -> None:
    """Create the schema of a city with its functions and word lists; one of the same name is dropped first."""
    cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
    cursor.execute((_FUNCTIONS + _LISTS).format(schema=schema, seed=seed).replace("%%", "%"))
    surnames = [word for weight, words in SURNAMES_BY_WEIGHT.items() for word in words for _ in range(weight)]
    common = surnames[:]
    while len(surnames) < SLOTS:
        surnames.append(common[len(surnames) * 7 % len(common)])
    groups = [code for code, weight in ETHNICITIES.items() for _ in range(weight)]
    _fill(cursor, f"{schema}.surname", list(enumerate(surnames)))
    _fill(cursor, f"{schema}.ethnicity", list(enumerate(groups)))
    rows = [
        (slot, street.code, street.name, street.district_code, street.district_name, list(street.roads))
        for slot, street in enumerate(streets())
    ]
    _fill(cursor, f"{schema}.street", rows)


def _fill(cursor: Any, table: str, rows: Sequence[Sequence[Any]]) -> None:
    execute_values(cursor, f"INSERT INTO {table} VALUES %s", rows)
    cursor.execute(f"ANALYZE {table}")


@cache
def street_count() -> int:
    """How many streets there are to draw from."""
    return len(streets())
