"""What matching reads (读取待匹配记录): held records without an identifier, and the people they might be.

People are looked for by block in one scan a chunk: the base carries no index of names or phones. Blocks on the address see
addresses written alike; the finer comparison is `scoring`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import connection

from basedb.dictionary import PERSON
from basedb.fusion.names import writings
from basedb.matching.features import COMPARED, Features, features_of

SHARED: Final = 50  # a phone or address of more people than that tells nothing about one of them


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits for its entity, at the version that stands."""

    chain: int
    record_id: int
    source_id: int


WAITING_SQL: Final = """
    FROM basedb_crosswalk x JOIN basedb_sourcerecord r ON r.chain = x.chain AND upper_inf(r.known) AND upper_inf(r.valid)
    JOIN basedb_datasource s ON s.id = r.source_id
    WHERE x.dataset = %s AND x.tier = 'HELD' AND upper_inf(x.linked) AND x.decided_by_id IS NULL AND r.subject_key IS NULL"""


def waiting(*, after: int, limit: int) -> list[tuple[Waiting, Features]]:
    """Return the next held records without an identifier, in the order of their chains."""
    values = ", ".join(
        f"basedb_normalize_address(r.payload ->> '{name}')" if name == "address" else f"r.payload ->> '{name}'" for name in COMPARED
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT x.chain, r.id, s.id, {values} {WAITING_SQL} AND x.chain > %s ORDER BY x.chain LIMIT %s",
            [PERSON.code, after, limit],
        )
        return [
            (Waiting(*row[:3]), features_of(str(row[0]), dict(zip(COMPARED, row[3:], strict=True)))) for row in cursor.fetchall()
        ]


def still_waiting(dataset: str, chains: Sequence[int]) -> dict[int, int]:
    """Return which chains wait now, with the version that stands."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT x.chain, r.id {WAITING_SQL} AND x.chain = ANY (%s)", [dataset, list(chains)])
        return dict(cursor.fetchall())


def people_like(records: Sequence[Features]) -> list[Features]:
    """Return the people who share a block with one of the records; `unique_id` is their key in hex."""
    by_name = {(name, int(one.birth_year)) for one in records if one.birth_year for name in (one.name, one.former_name) if name}
    by_birth = {(one.birth_on, first) for one in records if one.birth_on and one.surname for first in writings(one.surname)}
    phones = {one.phone for one in records if one.phone}
    columns = ", ".join(
        {"birth_on": "to_char(p.birth_on, 'YYYYMMDD')", "address": "basedb_normalize_address(p.address)"}.get(name, f"p.{name}")
        for name in COMPARED
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT encode(p.subject_key, 'hex'), {columns} FROM basedb_person p WHERE p.withdrawn_at IS NULL AND (
                (p.name, date_part('year', p.birth_on)::int) IN (SELECT * FROM unnest(%s::text[], %s::int[]))
                OR (to_char(p.birth_on, 'YYYYMMDD'), left(p.name, 1)) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
                OR p.phone IN (SELECT * FROM unnest(%s::text[])))""",
            [*_columns(by_name), *_columns(by_birth), list(phones)],
        )
        found = [features_of(row[0], dict(zip(COMPARED, row[1:], strict=True))) for row in cursor.fetchall()]
    return without_shared(found)


def without_shared(people: Sequence[Features]) -> list[Features]:
    """Forget phones and addresses that many people give: a ward, a dormitory, a made-up number."""
    phones, addresses = Counter(one.phone for one in people), Counter(one.address for one in people)
    return [
        replace(
            one,
            phone=one.phone if phones[one.phone] <= SHARED else None,
            address=one.address if addresses[one.address] <= SHARED else None,
        )
        for one in people
    ]


def population() -> int:
    """Return how many people the base knows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM basedb_person WHERE withdrawn_at IS NULL")
        return int(cursor.fetchone()[0])


def name_counts(records: Iterable[Features]) -> dict[str, int]:
    """Return how many people have each of the records' names."""
    names = {one.name for one in records if one.name}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.name, count(*) FROM basedb_person p"
            " WHERE p.withdrawn_at IS NULL AND p.name IN (SELECT unnest(%s::text[])) GROUP BY p.name",
            [list(names)],
        )
        return dict(cursor.fetchall())


def _columns(pairs: Iterable[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    pairs = sorted(pairs)
    return [first for first, _second in pairs], [second for _first, second in pairs]
