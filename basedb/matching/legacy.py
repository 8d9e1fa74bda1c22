"""Matching by old numbers (旧标识换算): records keyed by a number that was in force before the identifier of today.

The source says which number its rows are keyed by (`row_key_kind`): a business number or another of the legacy identifiers of an
entity, a passport or another paper of a person. The entity's name must agree; where it does not, a person is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from django.db import connection

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS, ENTERPRISE, PERSON, Dataset
from basedb.fusion.names import normalized_sql
from basedb.fusion.survivorship import FORMER_NAME, NAME
from basedb.matching.keeping import Done, Finding, keep, refused
from basedb.matching.reading import WAITING_SQL
from basedb.models import MatchTier
from basedb.sql_text import normalize_code_sql

VERSION: Final = "legacy-1"
KINDS: Final = {PERSON.code: "person_paper", ENTERPRISE.code: "legacy_kind"}
# Whose number it is: exactly one entity, or nobody.
_OWNER: Final = {
    PERSON.code: """
        SELECT w.chain, min(encode(i.subject_key, 'hex')) AS owner FROM waiting w
        JOIN basedb_identifier i ON i.person_paper = w.kind AND i.paper_number = w.number AND i.withdrawn_at IS NULL
        GROUP BY w.chain HAVING count(DISTINCT i.subject_key) = 1""",
    ENTERPRISE.code: """
        SELECT w.chain, encode(i.subject_key, 'hex') AS owner FROM waiting w JOIN basedb_entitylegacyidentifier i
        ON i.row_key = decode(md5(concat_ws(chr(31), w.kind, w.number)), 'hex') AND i.withdrawn_at IS NULL""",
}


def kinds_of(dataset: str) -> dict[str, str]:
    """Return the old numbers rows of a dataset may be keyed by, with their titles."""
    return dict(CODE_SETS[KINDS[dataset]].labels) if dataset in KINDS else {}


def match_by_old_number(dataset: str, *, clock: Callable[[], datetime], chunk: int) -> Done:
    """Link the held records of a dataset by the number their rows are keyed by."""
    done, after = Done(), 0
    while rows := _owners(DATASETS[dataset], after, chunk):
        after = rows[-1][0]
        seen = {row[0]: row[1] for row in rows}
        parted = refused(dataset, list(seen))
        findings = []
        for chain, record_id, source_id, owner, agrees, said in rows:
            if owner is None:
                continue
            key, digest = bytes.fromhex(owner), blake2b(said.encode(), digest_size=16).digest()
            if digest not in parted.get((chain, key), set()):
                findings.append(Finding(chain, record_id, source_id, key, agrees, None, _why(is_same=agrees), digest))
        done += keep(dataset, seen, findings, tier=MatchTier.LEGACY, model_version=VERSION, now=clock())
    return done


def _why(*, is_same: bool) -> list[dict[str, Any]]:
    return [
        {"comparison": "old_number", "level": "exact", "weight": None},
        {"comparison": "name", "level": "exact" if is_same else "else", "weight": None},
    ]


def _owners(dataset: Dataset, after: int, limit: int) -> list[tuple[Any, ...]]:
    """The next held records of keyed sources with whom their number belongs to and whether the names agree."""
    name, former = normalized_sql("w.name"), f"g.{FORMER_NAME}" if FORMER_NAME in dataset.field_names else "NULL::text"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH waiting AS MATERIALIZED (
                SELECT x.chain, r.id, s.id AS source_id, s.row_key_kind AS kind, {normalize_code_sql("r.source_key")} AS number,
                    r.payload ->> '{NAME}' AS name
                {WAITING_SQL} AND s.row_key_kind <> '' AND x.chain > %s ORDER BY x.chain LIMIT %s
            ), owners AS ({_OWNER[dataset.code]})
            SELECT w.chain, w.id, w.source_id, CASE WHEN g.id IS NOT NULL THEN o.owner END,
                coalesce({name} IN ({normalized_sql(f"g.{NAME}")}, {normalized_sql(former)}), false),
                concat_ws(chr(31), w.kind, w.number, w.name, g.{NAME})
            FROM waiting w LEFT JOIN owners o USING (chain)
            LEFT JOIN {dataset.table} g ON g.subject_key = decode(o.owner, 'hex') AND g.withdrawn_at IS NULL
            ORDER BY w.chain""",
            [dataset.code, after, limit],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
