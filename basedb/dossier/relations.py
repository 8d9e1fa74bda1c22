"""Who an entity has to do with now (关系): household, offices and shares, branches, heirs, and the names of those its facts name.

One query each for people and for entities. Others are known by key; the names come from the bases.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import connection

from basedb.dictionary.legal_entity_facts import BRANCH, OFFICER, SHAREHOLDER, SUCCESSION
from basedb.dictionary.population_facts import HOUSEHOLD, HOUSEHOLD_MEMBER
from basedb.geography.divisions import division_name_sql

MOST: Final = 50
FURTHEST: Final = 50  # steps from an entity to who took over from it
_NAMES: Final = """
    SELECT encode(p.subject_key, 'hex') AS key, p.name, 'PERSON' AS subject, p.withdrawn_at IS NULL AS stands
    FROM basedb_person p WHERE p.subject_key = ANY (%(linked)s::bytea[])
    UNION ALL SELECT encode(e.subject_key, 'hex'), e.name, 'LEGAL_ENTITY', e.withdrawn_at IS NULL
    FROM basedb_legalentity e WHERE e.subject_key = ANY (%(linked)s::bytea[])"""
_DIVISIONS: Final = f"""
    SELECT c.code, {division_name_sql("c.code")} AS name FROM unnest(%(codes)s::text[]) AS c (code)"""
# The household of the membership that began last; a person who was merged from two numbers may have two memberships.
_HOUSED: Final = f"""
    SELECT m.household_number FROM {HOUSEHOLD_MEMBER.table} m
    LEFT JOIN {HOUSEHOLD.table} h ON h.household_number = m.household_number AND h.withdrawn_at IS NULL
    WHERE m.subject_key = ANY (%(keys)s) AND m.withdrawn_at IS NULL AND m.left_on IS NULL
    ORDER BY h.household_number IS NULL, m.joined_on DESC NULLS LAST, m.household_number LIMIT 1"""
_HOUSEHOLD: Final = f"""
    SELECT h.household_number, h.household_kind, h.region_code, {division_name_sql("h.region_code")} AS region_name, h.address,
        d.name AS department, h.changed_at
    FROM ({_HOUSED}) housed JOIN {HOUSEHOLD.table} h ON h.household_number = housed.household_number AND h.withdrawn_at IS NULL
    JOIN core_department d ON d.id = h.source_department_id"""
_MEMBERS: Final = f"""
    SELECT encode(o.subject_key, 'hex') AS key, p.name, p.person_status, o.household_relation, o.joined_on, d.name AS department,
        o.changed_at
    FROM ({_HOUSED}) housed JOIN {HOUSEHOLD_MEMBER.table} o
        ON o.household_number = housed.household_number AND o.withdrawn_at IS NULL AND o.left_on IS NULL
    JOIN core_department d ON d.id = o.source_department_id LEFT JOIN basedb_person p ON p.subject_key = o.subject_key
    ORDER BY o.household_relation, o.id LIMIT %(most)s"""
_ROLES: Final = f"""
    SELECT encode(r.subject_key, 'hex') AS key, r.uscc, e.name, e.registration_state, r.officer_role, r.share_ratio, r.since,
        r.until, d.name AS department, r.changed_at
    FROM (SELECT f.subject_key, f.uscc, f.officer_role, NULL::numeric AS share_ratio, f.appointed_on AS since, f.left_on AS until,
            f.source_department_id, f.changed_at FROM {OFFICER.table} f
          WHERE f.person_key = ANY (%(keys)s) AND f.withdrawn_at IS NULL
          UNION ALL SELECT f.subject_key, f.uscc, NULL, f.share_ratio, f.contributed_on, f.left_on, f.source_department_id,
            f.changed_at FROM {SHAREHOLDER.table} f WHERE f.holder_key = ANY (%(keys)s) AND f.withdrawn_at IS NULL) r
    JOIN core_department d ON d.id = r.source_department_id LEFT JOIN basedb_legalentity e ON e.subject_key = r.subject_key
    ORDER BY r.until NULLS FIRST, r.since DESC NULLS LAST, r.uscc LIMIT %(most)s"""
_BRANCHES: Final = f"""
    SELECT encode(b.subject_key, 'hex') AS key, b.uscc, e.name, e.registration_state, b.branch_kind, b.opened_on, b.closed_on,
        d.name AS department, b.changed_at
    FROM {BRANCH.table} b JOIN core_department d ON d.id = b.source_department_id
    LEFT JOIN basedb_legalentity e ON e.subject_key = b.subject_key
    WHERE b.parent_key = ANY (%(keys)s) AND b.withdrawn_at IS NULL ORDER BY b.closed_on NULLS FIRST, b.opened_on, b.id
    LIMIT %(most)s"""
_HEIRS: Final = f"""
    WITH RECURSIVE line (key, since, steps) AS (
        SELECT s.successor_key, s.effective_on, 1 FROM {SUCCESSION.table} s
        WHERE s.subject_key = ANY (%(keys)s) AND s.withdrawn_at IS NULL AND s.effective_on <= %(today)s
        UNION SELECT s.successor_key, s.effective_on, l.steps + 1 FROM line l JOIN {SUCCESSION.table} s ON s.subject_key = l.key
        WHERE s.withdrawn_at IS NULL AND s.effective_on <= %(today)s AND l.steps < {FURTHEST})
    SELECT encode(l.key, 'hex') AS key, e.name, e.uscc, e.registration_state, min(l.since) AS since, min(l.steps) AS steps,
        NOT EXISTS (SELECT FROM {SUCCESSION.table} n WHERE n.subject_key = l.key AND n.withdrawn_at IS NULL
            AND n.effective_on <= %(today)s) AS is_last
    FROM line l LEFT JOIN basedb_legalentity e ON e.subject_key = l.key
    GROUP BY l.key, e.name, e.uscc, e.registration_state ORDER BY 6, 5, 1 LIMIT %(most)s"""
_VERIFICATION: Final = """
    SELECT v.corroboration, v.state, v.validated_by, v.reasons, v.checked_on FROM basedb_entityverification v
    WHERE v.subject_key = ANY (%(keys)s) LIMIT 1"""
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Relations:
    """Lines as JSON has them (days as ISO text, keys as hex). `names` is key -> name and kind of those the facts name.

    `divisions` is code -> name of the divisions asked about.

    `heirs` took over from the entity, directly or through others, nearest first; `is_last` are those nobody took over from.
    """

    names: Mapping[str, Line] = field(default_factory=dict)
    divisions: Mapping[str, str] = field(default_factory=dict)
    household: Line | None = None
    members: list[Line] = field(default_factory=list)
    roles: list[Line] = field(default_factory=list)
    branches: list[Line] = field(default_factory=list)
    heirs: list[Line] = field(default_factory=list)
    verification: Line | None = None


def of_person(keys: Collection[bytes], linked: Collection[bytes], codes: Collection[str] = ()) -> Relations:
    """Return the household, offices and shares of a person, and the names of divisions."""
    parts = (_NAMES, _DIVISIONS, _HOUSEHOLD, _MEMBERS, _ROLES)
    names, divisions, households, members, roles = _read(parts, keys, linked, codes)
    household = households[0] if households else None
    told = [*divisions, {"code": household["region_code"], "name": household["region_name"]}] if household else divisions
    return Relations(_by_key(names), _by_code(told), household, members, roles)


def of_entity(keys: Collection[bytes], linked: Collection[bytes], codes: Collection[str] = (), *, today: date) -> Relations:
    """Return the branches and heirs of an entity, shares it holds in others, and how well its data hold."""
    parts = (_NAMES, _DIVISIONS, _BRANCHES, _ROLES, _HEIRS, _VERIFICATION)
    names, divisions, branches, roles, heirs, verification = _read(parts, keys, linked, codes, today=today)
    outcome = verification[0] if verification else None
    return Relations(_by_key(names), _by_code(divisions), roles=roles, branches=branches, heirs=heirs, verification=outcome)


def names_of(linked: Collection[bytes], codes: Collection[str]) -> Relations:
    """Return the names alone: of another moment's relations the base tells no more."""
    names, divisions = _read((_NAMES, _DIVISIONS), (), linked, codes)
    return Relations(_by_key(names), _by_code(divisions))


def _read(
    parts: tuple[str, ...],
    keys: Collection[bytes],
    linked: Collection[bytes],
    codes: Collection[str],
    *,
    today: date | None = None,
) -> tuple[list[Line], ...]:
    columns = ", ".join(f"(SELECT coalesce(json_agg(x), '[]') FROM ({part}) x)" for part in parts)
    values: dict[str, Any] = {"keys": list(keys), "linked": list(linked), "codes": sorted(codes), "most": MOST, "today": today}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", values)
        lines: tuple[list[Line], ...] = cursor.fetchone()
        return lines


def _by_key(names: list[Line]) -> dict[str, Line]:
    return {line["key"]: line for line in names}


def _by_code(divisions: list[Line]) -> dict[str, str]:
    return {line["code"]: line["name"] for line in divisions if line["name"]}
