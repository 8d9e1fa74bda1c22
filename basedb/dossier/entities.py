"""Finding the entity of an identifier (主体定位), and the versions of one field of it (历史).

Under an identifier that was merged into another the other one's entity is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from basedb.dictionary import Dataset
from basedb.fusion.linking import MERGE
from basedb.sql_text import quote


@dataclass(frozen=True, slots=True)
class Version:
    """What one version of a record said of a field: in the world from - to, on the platform from - to."""

    value: str | None
    chain: int
    department_id: int
    department: str
    source: str
    valid_from: datetime | None
    valid_to: datetime | None
    known_from: datetime
    known_to: datetime | None


def entity_of(master: Dataset, subject_key: bytes) -> bytes | None:
    """Return the key of the entity an identifier belongs to now, None when no record of it is linked.

    Of several its own comes first, then one it was merged into, then one a lead source knows by it.
    """
    rows = _read(
        """SELECT x.entity_key FROM basedb_sourcerecord r JOIN basedb_datasource s ON s.id = r.source_id AND s.dataset = %s
        JOIN basedb_crosswalk x ON x.chain = r.chain AND upper_inf(x.linked) AND x.entity_key IS NOT NULL
        WHERE r.subject_key = %s AND upper_inf(r.known) ORDER BY x.entity_key <> r.subject_key, x.rule_version <> %s,
            NOT s.is_lead, NOT upper_inf(r.valid), x.id LIMIT 1""",
        [master.code, subject_key, MERGE],
    )
    return bytes(rows[0][0]) if rows else None


def delivers(department_id: int, datasets: list[str]) -> bool:
    """Return whether a department delivers into any of some datasets."""
    return bool(
        _read("SELECT FROM basedb_datasource WHERE department_id = %s AND dataset = ANY (%s) LIMIT 1", [department_id, datasets])
    )


def has_records_of(department_id: int, keys: list[bytes]) -> bool:
    """Return whether a department delivered anything known now under one of some keys."""
    return bool(
        _read(
            "SELECT FROM basedb_sourcerecord r JOIN basedb_datasource s ON s.id = r.source_id AND s.department_id = %s"
            " WHERE r.subject_key = ANY (%s) AND upper_inf(r.known) LIMIT 1",
            [department_id, keys],
        )
    )


def versions_of(master: Dataset, entity_key: bytes, field: str, *, department_id: int | None, most: int) -> list[Version]:
    """Return what the records linked to an entity now said of a field over time, the newest knowledge first. One query."""
    name = quote(master.field(field).name)
    own = "" if department_id is None else f"AND s.department_id = {department_id:d}"
    rows = _read(
        f"""SELECT r.payload ->> {name}, r.chain, s.department_id, d.name, s.title, lower(r.valid), upper(r.valid), lower(r.known),
            upper(r.known)
        FROM basedb_crosswalk x JOIN basedb_sourcerecord r ON r.chain = x.chain
        JOIN basedb_datasource s ON s.id = r.source_id JOIN core_department d ON d.id = s.department_id
        WHERE x.entity_key = %s AND x.dataset = %s AND upper_inf(x.linked) AND r.payload ? {name} {own}
        ORDER BY lower(r.known) DESC, lower(r.valid) DESC NULLS LAST, r.id DESC LIMIT %s""",
        [entity_key, master.code, most],
    )
    return [Version(*row) for row in rows]


def _read(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
