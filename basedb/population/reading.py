"""What a person's page shows beside the person (一人一档分册): household, residence, life events, papers, attributes, roles.

Every function is one query by subject key and returns at most `MOST` facts.
"""

from __future__ import annotations

from basedb.dictionary.legal_entity_facts import OFFICER, SHAREHOLDER
from basedb.dictionary.population_facts import (
    ATTRIBUTE,
    HOUSEHOLD,
    HOUSEHOLD_MEMBER,
    IDENTIFIER,
    NAME_USAGE,
    RESIDENCE,
    VITAL_EVENT,
)
from basedb.facts_of import MOST, Fact, columns, fact, facts_of, read


def names(subject_key: bytes) -> list[Fact]:
    """Return the names somebody goes or went by."""
    return facts_of(NAME_USAGE, subject_key, newest="used_from")


def identifiers(subject_key: bytes) -> list[Fact]:
    """Return the papers of a person beside the citizen id."""
    return facts_of(IDENTIFIER, subject_key, newest="issued_on")


def residences(subject_key: bytes) -> list[Fact]:
    """Return where a person was registered or lived, the latest first."""
    return facts_of(RESIDENCE, subject_key, newest="moved_in_on")


def vital_events(subject_key: bytes) -> list[Fact]:
    """Return births, marriages, moves and death as departments know them, the latest first."""
    return facts_of(VITAL_EVENT, subject_key, newest="occurred_on")


def attributes(subject_key: bytes) -> list[Fact]:
    """Return what departments know of a person by kind, the latest first."""
    return facts_of(ATTRIBUTE, subject_key, newest="valid_from")


def household(subject_key: bytes) -> Fact | None:
    """Return the household a person belongs to now."""
    rows = read(
        f"SELECT {columns(HOUSEHOLD)} FROM {HOUSEHOLD_MEMBER.table} m JOIN {HOUSEHOLD.table} f"
        " ON f.household_number = m.household_number AND f.withdrawn_at IS NULL"
        " WHERE m.subject_key = %s AND m.withdrawn_at IS NULL AND m.left_on IS NULL LIMIT 1",
        [subject_key],
    )
    return fact(HOUSEHOLD.field_names, rows[0]) if rows else None


def household_members(subject_key: bytes) -> list[Fact]:
    """Return all who belong to a person's household now, the person included, with `name`, `person_status` and `key` (hex)."""
    rows = read(
        f"SELECT {columns(HOUSEHOLD_MEMBER)}, p.name, p.person_status, encode(f.subject_key, 'hex')"
        f" FROM {HOUSEHOLD_MEMBER.table} own JOIN {HOUSEHOLD_MEMBER.table} f"
        " ON f.household_number = own.household_number AND f.withdrawn_at IS NULL AND f.left_on IS NULL"
        " LEFT JOIN basedb_person p ON p.subject_key = f.subject_key"
        " WHERE own.subject_key = %s AND own.withdrawn_at IS NULL AND own.left_on IS NULL"
        " ORDER BY f.household_relation, f.id LIMIT %s",
        [subject_key, MOST],
    )
    return [fact((*HOUSEHOLD_MEMBER.field_names, "name", "person_status", "key"), row) for row in rows]


def roles(subject_key: bytes) -> list[Fact]:
    """Return the offices and shares a person holds or held: uscc, entity (name), role, share_ratio, since, until."""
    rows = read(
        "SELECT r.*, e.name, e.registration_state FROM ("
        " SELECT source_department_id, source_record_id, changed_at, uscc, subject_key, officer_role AS role,"
        f" NULL::numeric AS share_ratio, appointed_on AS since, left_on FROM {OFFICER.table}"
        " WHERE person_key = %s AND withdrawn_at IS NULL"
        " UNION ALL SELECT source_department_id, source_record_id, changed_at, uscc, subject_key, '',"
        f" share_ratio, contributed_on, left_on FROM {SHAREHOLDER.table} WHERE holder_key = %s AND withdrawn_at IS NULL"
        ") r LEFT JOIN basedb_legalentity e ON e.subject_key = r.subject_key"
        " ORDER BY r.left_on NULLS FIRST, r.since DESC NULLS LAST LIMIT %s",
        [subject_key, subject_key, MOST],
    )
    names = ("uscc", "key", "role", "share_ratio", "since", "until", "entity", "registration_state")
    return [fact(names, (*row[:4], bytes(row[4]).hex(), *row[5:])) for row in rows]
