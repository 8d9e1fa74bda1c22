"""Projection (投影): from the records of some subjects to their links, their golden rows and what is in doubt.

Called inside the transaction that changed the records; everything is set-based and follows from the records alone, so that
doing it again changes nothing. How a value is chosen stands in `survivorship`, who belongs together in `linking`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection

from basedb import followers
from basedb.cleaning import typed_sql
from basedb.dictionary import Dataset, Kind
from basedb.fusion import linking
from basedb.fusion.survivorship import (
    CHAIN_LENGTH,
    CHAIN_START,
    RULE_VERSION,
    Plan,
    plan_of,
    rules_at,
    survivors_sql,
    typed_chosen_sql,
)
from basedb.sql_text import quote
from core.working_days import deadline

LOCK: Final = "fusion:"
ANSWERED_WITHIN: Final = "FUSION_CONFLICT_DAYS"
_TABLES: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS fusion_entity (entity_key bytea) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fusion_member (entity_key bytea, record_id bigint) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fusion_difference (entity_key bytea, field text, winner bigint) ON COMMIT DELETE ROWS;
TRUNCATE fusion_entity, fusion_member, fusion_difference"""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What lies over some fields of a golden row: a join on `s.entity_key`, and by field the value made of `{chosen}`."""

    join: str
    values: Mapping[str, str]


_overlays: dict[str, Overlay] = {}


def lay_over(dataset: str, overlay: Overlay) -> None:
    """Have facts lie over the golden rows of a dataset; called from `AppConfig.ready()`."""
    _overlays[dataset] = overlay


@dataclass(frozen=True, slots=True)
class Projected:
    """What became of the golden rows, of the links, and of the conflicts (opened, resolved or changed)."""

    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    linked: int = 0
    conflicts: int = 0

    def __add__(self, other: Projected) -> Projected:
        return Projected(
            self.added + other.added,
            self.changed + other.changed,
            self.withdrawn + other.withdrawn,
            self.linked + other.linked,
            self.conflicts + other.conflicts,
        )


def lock(dataset: Dataset) -> None:
    """Keep everybody else from projecting a dataset until the transaction ends; taken before rows of links are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK + dataset.table])


def project(dataset: Dataset, *, touched: str, run_id: int | None, now: datetime) -> Projected:
    """Bring links, golden rows and conflicts of a MASTER dataset up to its records, in the caller's transaction.

    `touched` is a temporary table with one column `subject_key` (bytea, repeats and nulls do no harm): the keys of every record
    that was added or closed, the old key as well where a row changed its identifier. Call it last: a lock per dataset is held
    from here to the end of the transaction. Subjects whose only record is new in run `run_id` take a shorter way to the same
    result; None sends all of them the long way.
    """
    if dataset.kind is not Kind.MASTER:
        raise ValueError(f"{dataset.code} has no golden rows")
    plan = plan_of(dataset, rules_at(dataset, now))
    with connection.cursor() as cursor:
        lock(dataset)
        cursor.execute(linking.TABLES)
        cursor.execute(_TABLES)
        cursor.execute(*linking.records_sql(plan, touched))
        cursor.execute("ANALYZE fusion_record")
        cursor.execute(_abandoned_sql(touched))
        lone = _project_lone(cursor, plan, run_id, now) if run_id is not None else Projected()
        rest = _project_rest(cursor, plan, now)
        cursor.execute(_also_touched_sql(touched))
    followers.follow(dataset.code, touched=touched, now=now)
    return lone + rest


def _project_lone(cursor: Any, plan: Plan, run_id: int, now: datetime) -> Projected:
    """Subjects nobody knew, with one record: it is their golden row. Most of a first load takes this way."""
    dataset = plan.dataset
    values = ", ".join(typed_sql(field, f"(r.payload ->> {quote(field.name)})") for field in dataset.fields)
    names = ", ".join(dataset.field_names)
    cursor.execute(
        f"""
        WITH lone AS MATERIALIZED (
            DELETE FROM fusion_record f
            WHERE f.siblings = 1 AND f.record_id = f.chain AND f.run_id = %s AND f.is_current
            AND NOT EXISTS (SELECT FROM basedb_crosswalk x WHERE x.entity_key = f.subject_key AND upper_inf(x.linked))
            AND NOT EXISTS (SELECT FROM basedb_crosswalk x WHERE x.chain = f.chain)
            AND NOT EXISTS (SELECT FROM {dataset.table} b WHERE b.subject_key = f.subject_key)
            RETURNING f.*
        ), linked AS (
            INSERT INTO basedb_crosswalk (chain, dataset, entity_key, tier, rule_version, linked)
            SELECT chain, %s, subject_key, 'EXACT', %s, tstzrange(known_from, NULL) FROM lone RETURNING 1
        ), added AS (
            INSERT INTO {dataset.table} (subject_key, version, source_record_id, source_department_id, run_id, changed_at, {names})
            SELECT l.subject_key, 1, l.record_id, l.department_id, l.run_id, %s, {values}
            FROM lone l JOIN basedb_sourcerecord r ON r.id = l.record_id WHERE l.is_lead RETURNING 1
        )
        SELECT (SELECT count(*) FROM linked), (SELECT count(*) FROM added)""",
        [run_id, dataset.code, RULE_VERSION, now],
    )
    linked, added = cursor.fetchone()
    return Projected(added=added, linked=linked)


def _project_rest(cursor: Any, plan: Plan, now: datetime) -> Projected:
    """Subjects of several records, and those known before: link, choose, compare."""
    dataset, due_at = plan.dataset, deadline(now, getattr(settings, ANSWERED_WITHIN))
    cursor.execute(*linking.links_sql(plan))
    cursor.execute("ANALYZE fusion_link")
    cursor.execute(linking.targets_sql())
    cursor.execute("ANALYZE fusion_target")
    cursor.execute(*linking.closing_sql(now))
    cursor.execute(*linking.opening_sql(plan, now))
    linked = cursor.rowcount
    cursor.execute(*_entities_sql())
    cursor.execute("ANALYZE fusion_entity")
    cursor.execute(*_members_sql(dataset))
    cursor.execute("ANALYZE fusion_member")
    cursor.execute(*_golden_sql(plan, now))
    added, changed, withdrawn = cursor.fetchone()
    conflicts = 0
    for statement in (
        linking.identity_conflicts_sql(plan, due_at, now),
        linking.identity_resolved_sql(plan, now),
        _conflicts_sql(dataset, due_at, now),
        _reopened_sql(dataset, due_at),
        _resolved_sql(dataset, now),
    ):
        cursor.execute(*statement)
        conflicts += cursor.rowcount
    return Projected(added=added, changed=changed, withdrawn=withdrawn, linked=linked, conflicts=conflicts)


def _abandoned_sql(touched: str) -> str:
    """Keys no record carries any more: the entity may have lost its last one."""
    return f"""
        INSERT INTO fusion_entity SELECT DISTINCT t.subject_key FROM {touched} t
        WHERE t.subject_key IS NOT NULL AND NOT EXISTS (SELECT FROM fusion_record f WHERE f.subject_key = t.subject_key)"""


def _entities_sql() -> tuple[str, list[Any]]:
    """Every other entity whose group may differ now: the keys left over, where their chains were, where they are."""
    return (
        """
        INSERT INTO fusion_entity
        SELECT subject_key FROM fusion_target
        UNION SELECT old_entity FROM fusion_target WHERE old_entity IS NOT NULL
        UNION SELECT entity_key FROM fusion_target WHERE entity_key IS NOT NULL
        EXCEPT SELECT entity_key FROM fusion_entity""",
        [],
    )


def _also_touched_sql(touched: str) -> str:
    """Entities of another key that were projected: merged records change those, and what follows a change follows them, too."""
    return (
        f"INSERT INTO {touched} SELECT e.entity_key FROM fusion_entity e"
        f" WHERE NOT EXISTS (SELECT FROM {touched} t WHERE t.subject_key = e.entity_key)"
    )


def _members_sql(dataset: Dataset) -> tuple[str, list[Any]]:
    """The current records of those entities, looked for under the entity's own key first."""
    return (
        """
        INSERT INTO fusion_member
        SELECT e.entity_key, coalesce(own.id, other.id)
        FROM fusion_entity e
        CROSS JOIN LATERAL (
            SELECT x.chain FROM basedb_crosswalk x
            WHERE x.entity_key = e.entity_key AND upper_inf(x.linked) AND x.dataset = %s OFFSET 0
        ) x
        LEFT JOIN LATERAL (
            SELECT r.id FROM basedb_sourcerecord r
            WHERE r.subject_key = e.entity_key AND r.chain = x.chain AND upper_inf(r.known) AND upper_inf(r.valid) OFFSET 0
        ) own ON true
        LEFT JOIN LATERAL (
            SELECT r.id FROM basedb_sourcerecord r
            WHERE own.id IS NULL AND r.chain = x.chain AND upper_inf(r.known) AND upper_inf(r.valid) OFFSET 0
        ) other ON true
        WHERE coalesce(own.id, other.id) IS NOT NULL""",
        [dataset.code],
    )


_MEMBERS: Final = """
    SELECT m.entity_key, r.subject_key, r.id AS record_id, r.chain, s.collector, s.department_id, s.is_lead, r.run_id,
        lower(r.valid) AS begin, lower(r.known) AS known_from, r.payload
    FROM fusion_member m CROSS JOIN LATERAL (SELECT * FROM basedb_sourcerecord r WHERE r.id = m.record_id OFFSET 0) r
    JOIN basedb_datasource s ON s.id = r.source_id"""


def _golden_sql(plan: Plan, now: datetime) -> tuple[str, list[Any]]:
    """Choose the values, write the rows that differ, withdraw those nobody vouches for; remember what differs."""
    dataset = plan.dataset
    names = dataset.field_names
    ranks = ", ".join(f"({quote(field.name)}, s.w{plan.choice_of[field.name].place})" for field in plan.compared)
    over = _overlays.get(dataset.code, Overlay("", {}))
    values = ", ".join(
        f"{over.values.get(field.name, '{chosen}').format(chosen=typed_chosen_sql(plan, field, 's'))} AS {field.name}"
        for field in dataset.fields
    )
    columns = (*names, "source_record_id", "source_department_id", "run_id", "doubtful")
    sql = f"""
    WITH survived AS MATERIALIZED ({survivors_sql(plan, _MEMBERS)}),
    differing AS MATERIALIZED (
        SELECT s.entity_key, d.field, ('x' || substr(d.rank, {CHAIN_START + 1}, {CHAIN_LENGTH}))::bit(64)::bigint AS seniority
        FROM survived s CROSS JOIN LATERAL (VALUES {ranks}) d (field, rank)
        WHERE s.lead IS NOT NULL AND s.differing <> '{{}}' AND d.field = ANY (s.differing) AND NOT EXISTS (
            SELECT FROM basedb_fusionconflict c WHERE c.dataset = %s AND c.entity_key = s.entity_key AND c.kind = 'VALUE'
            AND c.field = d.field AND c.state = 'RESOLVED' AND c.answered_at >= s.known_from AND NOT EXISTS (
                SELECT FROM fusion_member m JOIN basedb_sourcerecord r ON r.id = m.record_id WHERE m.entity_key = s.entity_key
                AND jsonb_exists(r.payload, d.field) AND r.chain <> ALL (c.records) OFFSET 0))
    ),
    noted AS (INSERT INTO fusion_difference SELECT entity_key, field, {2**62} - seniority FROM differing),
    doubts AS MATERIALIZED (SELECT entity_key, jsonb_agg(field ORDER BY field COLLATE "C") AS fields FROM differing GROUP BY 1),
    golden AS MATERIALIZED (
        SELECT s.entity_key, {values}, split_part(s.lead, '/', 1)::bigint AS source_record_id,
            split_part(s.lead, '/', 2)::bigint AS source_department_id, split_part(s.lead, '/', 3)::bigint AS run_id,
            coalesce(d.fields, '[]') AS doubtful
        FROM survived s LEFT JOIN doubts d USING (entity_key) {over.join} WHERE s.lead IS NOT NULL
    ),
    changed AS (
        UPDATE {dataset.table} b SET {", ".join(f"{name} = g.{name}" for name in columns)}, withdrawn_at = NULL,
            version = b.version + 1, changed_at = %s, changed_xid = pg_current_xact_id()
        FROM golden g WHERE b.subject_key = g.entity_key AND (b.withdrawn_at IS NOT NULL
            OR ({_listed("b", columns)}) IS DISTINCT FROM ({_listed("g", columns)})) RETURNING 1
    ),
    added AS (
        INSERT INTO {dataset.table} (subject_key, version, {", ".join(columns)}, changed_at)
        SELECT g.entity_key, 1, {_listed("g", columns)}, %s FROM golden g
        WHERE NOT EXISTS (SELECT FROM {dataset.table} b WHERE b.subject_key = g.entity_key) RETURNING 1
    ),
    withdrawn AS (
        UPDATE {dataset.table} b SET withdrawn_at = %s, version = b.version + 1, changed_at = %s,
            changed_xid = pg_current_xact_id(), doubtful = '[]'
        FROM fusion_entity e WHERE b.subject_key = e.entity_key AND b.withdrawn_at IS NULL
            AND NOT EXISTS (SELECT FROM golden g WHERE g.entity_key = e.entity_key) RETURNING 1
    )
    SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM changed), (SELECT count(*) FROM withdrawn)"""
    return sql, [dataset.code, now, now, now, now]


def _listed(alias: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in columns)


def _conflicts_sql(dataset: Dataset, due_at: datetime, now: datetime) -> tuple[str, list[Any]]:
    """Open what is in doubt as a task of the department whose value stands; one that is open already follows its records."""
    sql = """
        INSERT INTO basedb_fusionconflict (dataset, entity_key, kind, field, records, owner_id, state, opened_at, due_at)
        SELECT %s, d.entity_key, 'VALUE', d.field, array_agg(r.chain ORDER BY r.chain),
            coalesce(min(s.department_id) FILTER (WHERE r.chain = d.winner), min(s.department_id)), 'OPEN', %s, %s
        FROM fusion_difference d JOIN fusion_member m USING (entity_key) JOIN basedb_sourcerecord r ON r.id = m.record_id
        JOIN basedb_datasource s ON s.id = r.source_id
        WHERE jsonb_exists(r.payload, d.field) GROUP BY d.entity_key, d.field
        ON CONFLICT (dataset, entity_key, kind, field) WHERE NOT state = 'RESOLVED' DO UPDATE
        SET records = excluded.records, owner_id = excluded.owner_id
        WHERE (basedb_fusionconflict.records, basedb_fusionconflict.owner_id)
            IS DISTINCT FROM (excluded.records, excluded.owner_id)"""
    return sql, [dataset.code, now, due_at]


def _reopened_sql(dataset: Dataset, due_at: datetime) -> tuple[str, list[Any]]:
    """Ask again where a record says something else since its department announced a correction, and the sources still differ."""
    sql = """
        UPDATE basedb_fusionconflict c SET state = 'OPEN', due_at = %s
        FROM fusion_difference d WHERE c.entity_key = d.entity_key AND c.field = d.field AND c.dataset = %s AND c.kind = 'VALUE'
        AND c.state = 'ANSWERED' AND EXISTS (
            SELECT FROM fusion_member m JOIN basedb_sourcerecord r ON r.id = m.record_id
            WHERE m.entity_key = c.entity_key AND lower(r.known) > c.answered_at AND jsonb_exists(r.payload, c.field)
            AND NOT EXISTS (
                SELECT FROM basedb_sourcerecord o WHERE o.chain = r.chain AND o.known @> c.answered_at
                AND o.payload ->> c.field = r.payload ->> c.field)
            OFFSET 0)"""
    return sql, [due_at, dataset.code]


def _resolved_sql(dataset: Dataset, now: datetime) -> tuple[str, list[Any]]:
    """Resolve what is in doubt no longer: the sources agree again."""
    return (
        """
        UPDATE basedb_fusionconflict c SET state = 'RESOLVED', resolved_at = %s
        FROM fusion_entity e WHERE c.entity_key = e.entity_key AND c.dataset = %s AND c.kind = 'VALUE' AND c.state <> 'RESOLVED'
        AND NOT EXISTS (SELECT FROM fusion_difference d WHERE d.entity_key = c.entity_key AND d.field = c.field)""",
        [now, dataset.code],
    )
