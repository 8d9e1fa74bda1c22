"""What an entity's page shows beside the entity (一企一档分册): people, shares, branches, changes, reports, successors.

Every function is one query by subject key and returns at most `MOST` facts. People are known by key, their names
come from the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from basedb.dictionary import Dataset
from basedb.dictionary.legal_entity_facts import (
    ANNUAL_REPORT,
    BRANCH,
    CHANGE,
    INSURANCE_REGISTRATION,
    LEGACY_IDENTIFIER,
    OFFICER,
    QUALIFICATION,
    SHAREHOLDER,
    SUCCESSION,
    TAX_REGISTRATION,
)
from basedb.facts_of import MOST, Fact, columns, fact, facts_of, read
from basedb.models import EntityVerification


def changes(subject_key: bytes) -> list[Fact]:
    """Return the registered changes, the latest first."""
    return facts_of(CHANGE, subject_key, newest="changed_on")


def qualifications(subject_key: bytes) -> list[Fact]:
    """Return the qualifications, the latest first."""
    return facts_of(QUALIFICATION, subject_key, newest="valid_from")


def annual_reports(subject_key: bytes) -> list[Fact]:
    """Return the yearly reports, the latest first."""
    return facts_of(ANNUAL_REPORT, subject_key, newest="report_year")


def tax_registrations(subject_key: bytes) -> list[Fact]:
    """Return how the tax offices know an entity."""
    return facts_of(TAX_REGISTRATION, subject_key, newest="registered_on")


def insurance_registrations(subject_key: bytes) -> list[Fact]:
    """Return how social insurance knows an entity."""
    return facts_of(INSURANCE_REGISTRATION, subject_key, newest="registered_on")


def legacy_identifiers(subject_key: bytes) -> list[Fact]:
    """Return the numbers an entity had before the unified code."""
    return facts_of(LEGACY_IDENTIFIER, subject_key, newest="valid_from")


def officers(subject_key: bytes) -> list[Fact]:
    """Return who holds or held an office, with `name` and `person_status` as far as the population base knows them."""
    return _with_person(OFFICER, "person_key", subject_key, newest="appointed_on")


def shareholders(subject_key: bytes) -> list[Fact]:
    """Return who holds or held a share: a person's `name` and `person_status`, or an entity's `name`."""
    return _with_person(SHAREHOLDER, "holder_key", subject_key, newest="contributed_on")


def _with_person(dataset: Dataset, link: str, subject_key: bytes, *, newest: str) -> list[Fact]:
    rows = read(
        f"SELECT {columns(dataset)}, coalesce(p.name, e.name), p.person_status FROM {dataset.table} f"
        f" LEFT JOIN basedb_person p ON p.subject_key = f.{link} LEFT JOIN basedb_legalentity e ON e.subject_key = f.{link}"
        f" WHERE f.subject_key = %s AND f.withdrawn_at IS NULL ORDER BY f.left_on NULLS FIRST, f.{newest} DESC NULLS LAST LIMIT %s",
        [subject_key, MOST],
    )
    return [fact((*dataset.field_names, "name", "person_status"), row) for row in rows]


def branches(subject_key: bytes) -> list[Fact]:
    """Return the branches of an entity, with `name` and `registration_state` of each."""
    return _kin("f.parent_key = %s", "f.subject_key", subject_key)


def parents(subject_key: bytes) -> list[Fact]:
    """Return the entities an entity is a branch of, with `name` and `registration_state` of each."""
    return _kin("f.subject_key = %s", "f.parent_key", subject_key)


def _kin(mine: str, other: str, subject_key: bytes) -> list[Fact]:
    rows = read(
        f"SELECT {columns(BRANCH)}, e.name, e.registration_state FROM {BRANCH.table} f"
        f" LEFT JOIN basedb_legalentity e ON e.subject_key = {other}"
        f" WHERE {mine} AND f.withdrawn_at IS NULL ORDER BY f.closed_on NULLS FIRST, f.opened_on, f.id LIMIT %s",
        [subject_key, MOST],
    )
    return [fact((*BRANCH.field_names, "name", "registration_state"), row) for row in rows]


@dataclass(frozen=True, slots=True)
class Successor:
    """An entity that took over, directly or through others: how many steps away, and whether anybody took over from it."""

    key: str
    name: str | None
    registration_state: str | None
    since: date
    steps: int
    is_last: bool


def successors(subject_key: bytes, *, as_of: date) -> list[Successor]:
    """Return all who took over from an entity up to a day, nearest first; the living heirs are those with `is_last`."""
    rows = read(
        f"""
        WITH RECURSIVE line (key, since, steps) AS (
            SELECT successor_key, effective_on, 1 FROM {SUCCESSION.table}
            WHERE subject_key = %s AND withdrawn_at IS NULL AND effective_on <= %s
            UNION
            SELECT s.successor_key, s.effective_on, l.steps + 1 FROM line l JOIN {SUCCESSION.table} s ON s.subject_key = l.key
            WHERE s.withdrawn_at IS NULL AND s.effective_on <= %s AND l.steps < 50
        )
        SELECT encode(l.key, 'hex'), e.name, e.registration_state, min(l.since), min(l.steps), NOT EXISTS (
            SELECT FROM {SUCCESSION.table} n WHERE n.subject_key = l.key AND n.withdrawn_at IS NULL AND n.effective_on <= %s)
        FROM line l LEFT JOIN basedb_legalentity e ON e.subject_key = l.key
        GROUP BY l.key, e.name, e.registration_state ORDER BY 5, 1 LIMIT %s""",
        [subject_key, as_of, as_of, as_of, MOST],
    )
    return [Successor(*row) for row in rows]


def verification(subject_key: bytes) -> EntityVerification | None:
    """Return the outcome of the last check of an entity."""
    return EntityVerification.objects.filter(pk=subject_key).first()


def entity_of_legacy(kind: str, number: str) -> bytes | None:
    """Return the key of the entity an old number belongs to now; None when nobody has it (matching tier LEGACY)."""
    rows = read(
        f"SELECT subject_key FROM {LEGACY_IDENTIFIER.table} WHERE row_key = decode(md5(concat_ws(chr(31), %s, %s)), 'hex')"
        " AND withdrawn_at IS NULL",
        [kind, number],
    )
    return bytes(rows[0][0]) if rows else None
