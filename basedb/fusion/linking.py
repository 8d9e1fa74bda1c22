"""Linking (归并): which entity each chain of records belongs to, computed for a set of identifiers at once.

A record belongs to the entity of its identifier when its name agrees with the reference name there; the same identifier with
another name is held apart and becomes a conflict (同一标识姓名不符). What a person decided stays; a link made by
matching gives way to the record's own identifier as soon as it has one. The temporary tables live in the transaction;
`projecting` drives the steps. OFFSET 0 in a lateral subquery keeps the planner from reading a whole table for a batch.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from basedb.fusion.names import normalized_sql
from basedb.fusion.survivorship import FORMER_NAME, RULE_VERSION, Plan, Rule, authority_sql
from basedb.models import MatchTier
from basedb.sql_text import quote

MERGE: Final = "entity-merge"  # rule_version of links by which a whole entity was merged: later records of its key follow them

TABLES: Final = """
CREATE TEMPORARY TABLE IF NOT EXISTS fusion_record (
    record_id bigint, chain bigint, subject_key bytea, run_id bigint, is_current boolean, known_from timestamptz,
    siblings bigint, authority integer, department_id bigint, is_lead boolean, name text, former_name text, source_id bigint,
    source_key text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fusion_link (
    record_id bigint, chain bigint, subject_key bytea, is_current boolean, known_from timestamptz, authority integer,
    department_id bigint, name text, former_name text, link_id bigint, old_entity bytea, old_tier text, since timestamptz,
    is_decided boolean, is_merge boolean, source_id bigint, source_key text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS fusion_target (
    chain bigint, subject_key bytea, is_current boolean, known_from timestamptz, link_id bigint, old_entity bytea, old_tier text,
    since timestamptz, is_decided boolean, entity_key bytea, tier text, reference bigint, owner_id bigint
) ON COMMIT DELETE ROWS;
TRUNCATE fusion_record, fusion_link, fusion_target"""


def records_sql(plan: Plan, touched: str) -> tuple[str, list[Any]]:
    """The standing version of every chain whose identifier was touched: the one known now that began last."""
    names = "NULL::text, NULL::text"
    if plan.name_field:
        former = f"r.payload ->> {quote(FORMER_NAME)}" if FORMER_NAME in plan.dataset.field_names else "NULL::text"
        names = f"r.payload ->> {quote(plan.name_field)}, {former}"
    sql = f"""
        INSERT INTO fusion_record
        SELECT r.id, r.chain, r.subject_key, r.run_id, upper_inf(r.valid), lower(r.known),
            count(*) OVER (PARTITION BY r.subject_key), {authority_sql(_name_rule(plan), "s.collector")},
            s.department_id, s.is_lead, {names}, r.source_id, r.source_key
        FROM (SELECT DISTINCT subject_key FROM {touched} WHERE subject_key IS NOT NULL) t
        CROSS JOIN LATERAL (
            SELECT * FROM basedb_sourcerecord r WHERE r.subject_key = t.subject_key AND upper_inf(r.known) OFFSET 0
        ) r
        JOIN basedb_datasource s ON s.id = r.source_id AND s.dataset = %s
        WHERE (upper_inf(r.valid) OR NOT EXISTS (
            SELECT FROM basedb_sourcerecord later
            WHERE later.chain = r.chain AND upper_inf(later.known) AND lower(later.valid) > lower(r.valid)))"""
    return sql, [plan.dataset.code]


def links_sql(plan: Plan) -> tuple[str, list[Any]]:
    """The records with the link in force. Looked for under their own key first, which is where nearly all of them are."""
    sql = """
        INSERT INTO fusion_link
        SELECT r.record_id, r.chain, r.subject_key, r.is_current, r.known_from, r.authority, r.department_id, r.name,
            r.former_name, x.id, x.entity_key, x.tier, lower(x.linked),
            x.decided_by_id IS NOT NULL,
            coalesce(x.decided_by_id IS NOT NULL AND x.rule_version = %s AND x.entity_key <> r.subject_key, false),
            r.source_id, r.source_key
        FROM fusion_record r
        LEFT JOIN LATERAL (
            SELECT own.id FROM basedb_crosswalk own
            WHERE own.entity_key = r.subject_key AND own.chain = r.chain AND upper_inf(own.linked) OFFSET 0
        ) own ON true
        LEFT JOIN LATERAL (
            SELECT other.id FROM basedb_crosswalk other
            WHERE own.id IS NULL AND other.chain = r.chain AND upper_inf(other.linked) OFFSET 0
        ) other ON true
        LEFT JOIN LATERAL (SELECT * FROM basedb_crosswalk x WHERE x.id = coalesce(own.id, other.id) OFFSET 0) x ON true"""
    return sql, [MERGE]


def targets_sql() -> str:
    """Where each chain belongs. Of the names under one identifier that of the highest authority is the reference; where nobody
    leads that of the source registered first, and never that which came first: workers may bring rows in any order. Of an
    identifier that was merged it is a name people merged: who carries it under another name was not meant."""
    agrees = " OR ".join(
        [
            "l.name IS NULL",
            "f.chain IS NULL",
            "l.name = f.name",
            f"{normalized_sql('l.name')} = {normalized_sql('f.name')}",
            f"{normalized_sql('l.name')} = {normalized_sql('f.former_name')}",
            f"{normalized_sql('l.former_name')} = {normalized_sql('f.name')}",
        ]
    )
    return f"""
        INSERT INTO fusion_target
        WITH reference AS (
            SELECT DISTINCT ON (subject_key) subject_key, chain, name, former_name, department_id FROM fusion_link
            WHERE name IS NOT NULL AND (NOT is_decided OR is_merge OR old_entity = subject_key)
            ORDER BY subject_key, is_merge DESC, is_current DESC, authority, source_id, source_key
        ), merged AS (
            SELECT DISTINCT ON (subject_key) subject_key, old_entity FROM fusion_link WHERE is_merge
            ORDER BY subject_key, link_id DESC
        )
        SELECT l.chain, l.subject_key, l.is_current, l.known_from, l.link_id, l.old_entity, l.old_tier, l.since, l.is_decided,
            CASE WHEN l.is_decided THEN l.old_entity WHEN {agrees} THEN coalesce(m.old_entity, l.subject_key) END,
            CASE WHEN l.is_decided THEN l.old_tier WHEN {agrees} THEN 'EXACT' ELSE 'HELD' END,
            f.chain, f.department_id
        FROM fusion_link l LEFT JOIN reference f USING (subject_key) LEFT JOIN merged m USING (subject_key)"""


_MOVED: Final = "NOT t.is_decided AND (t.link_id IS NULL OR (t.old_entity, t.old_tier) IS DISTINCT FROM (t.entity_key, t.tier))"


def closing_sql(now: datetime) -> tuple[str, list[Any]]:
    """Close the computed links that no longer hold."""
    return (
        f"UPDATE basedb_crosswalk x SET linked = tstzrange(lower(x.linked), greatest(lower(x.linked), %s)) "
        f"FROM fusion_target t WHERE x.id = t.link_id AND {_MOVED}",
        [now],
    )


def opening_sql(plan: Plan, now: datetime) -> tuple[str, list[Any]]:
    """Open the computed links that hold now; the first one of a chain reaches back to when its record became known."""
    return (
        "INSERT INTO basedb_crosswalk (chain, dataset, entity_key, tier, rule_version, linked) "
        "SELECT t.chain, %s, t.entity_key, t.tier, %s, "
        "tstzrange(CASE WHEN t.link_id IS NOT NULL THEN greatest(t.since, %s) ELSE greatest(t.known_from, "
        "(SELECT max(upper(x.linked)) FROM basedb_crosswalk x WHERE x.chain = t.chain)) END, NULL) "
        f"FROM fusion_target t WHERE {_MOVED}",
        [plan.dataset.code, RULE_VERSION, now],
    )


def merged_keys_sql(entity: str) -> str:
    """The identifiers that were merged into an entity, as the records that went along carry them; with repeats."""
    return f"""
        SELECT own.subject_key FROM basedb_crosswalk x CROSS JOIN LATERAL (
            SELECT r.subject_key FROM basedb_sourcerecord r
            WHERE r.chain = x.chain AND upper_inf(r.known) AND r.subject_key IS NOT NULL ORDER BY lower(r.valid) DESC LIMIT 1
        ) own WHERE x.entity_key = {entity} AND x.rule_version = {quote(MERGE)} AND upper_inf(x.linked)"""


def identity_conflicts_sql(plan: Plan, due_at: datetime | None, now: datetime) -> tuple[str, list[Any]]:
    """Open a conflict where an identifier stands with two names, unless the department settled it since."""
    sql = f"""
        INSERT INTO basedb_fusionconflict (dataset, entity_key, kind, field, records, owner_id, state, opened_at, due_at)
        SELECT %s, t.subject_key, 'IDENTITY', '', array_agg(t.chain ORDER BY t.chain) || min(t.reference), min(t.owner_id),
            'OPEN', %s, %s
        FROM fusion_target t WHERE {_HELD} GROUP BY t.subject_key
        HAVING NOT EXISTS (
            SELECT FROM basedb_fusionconflict c WHERE c.dataset = %s AND c.entity_key = t.subject_key AND c.kind = 'IDENTITY'
            AND c.state = 'RESOLVED' AND c.answered_at >= max(t.known_from) AND c.records @> array_agg(t.chain))
        ON CONFLICT (dataset, entity_key, kind, field) WHERE NOT state = 'RESOLVED' DO UPDATE
        SET records = excluded.records, owner_id = excluded.owner_id
        WHERE (basedb_fusionconflict.records, basedb_fusionconflict.owner_id)
            IS DISTINCT FROM (excluded.records, excluded.owner_id)"""
    return sql, [plan.dataset.code, now, due_at, plan.dataset.code]


def identity_resolved_sql(plan: Plan, now: datetime) -> tuple[str, list[Any]]:
    """Resolve the conflicts of the entities at hand under whose identifier nothing is held apart any more."""
    sql = f"""
        WITH held AS MATERIALIZED (SELECT DISTINCT t.subject_key FROM fusion_target t WHERE {_HELD})
        UPDATE basedb_fusionconflict c SET state = 'RESOLVED', resolved_at = %s
        FROM fusion_entity e LEFT JOIN held h ON h.subject_key = e.entity_key
        WHERE c.entity_key = e.entity_key AND c.dataset = %s AND c.kind = 'IDENTITY' AND c.state <> 'RESOLVED'
        AND h.subject_key IS NULL"""
    return sql, [now, plan.dataset.code]


_HELD: Final = f"t.tier = {quote(MatchTier.HELD)} AND NOT t.is_decided AND t.is_current"


def _name_rule(plan: Plan) -> Rule:
    return plan.rule_of[plan.name_field or plan.dataset.key_field]
