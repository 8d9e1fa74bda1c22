"""Judging a batch (校验): every staged row in standard writing with the first rule it breaks; the rejected are kept.

Rules of the row itself come first, then those that ask what the base knows (`rules.stored`). Nothing is written, so batches of
one dataset are judged side by side.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from basedb import staging
from basedb.cleaning import clean_sql
from basedb.dictionary import Kind
from basedb.geography import batches
from basedb.intake.contract import GONE, SINCE, SUPERSEDED, Intake
from basedb.rules import RULES, broken_rule_sql
from basedb.rules.stored import stored_rule_statements
from basedb.sql_text import quote

_REQUIRED = ".required"
# The piece that stands, or the one a key ended with: a row from before the end does not bring it back.
_LAST = """(upper_inf(r.valid) OR NOT EXISTS (
                        SELECT FROM basedb_sourcerecord l WHERE l.source_id = r.source_id AND l.source_key = r.source_key
                            AND upper_inf(l.known) AND lower(l.valid) > lower(r.valid)))"""


def judge(intake: Intake, table: str) -> tuple[str, int]:
    """Judge a staging table into a table of this transaction and keep the rejected; return its name and their number."""
    judged = f"judged_{table}"
    batches.prepare(intake.dataset, intake.source.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {judged} ON COMMIT DROP AS {_judged_sql(intake, f'{staging.SCHEMA}.{table}')}")
        cursor.execute(f"ANALYZE {judged} (source_key, subject_key, rule)")
        source = intake.source
        for statement in stored_rule_statements(
            intake.dataset, judged, intake.fields, source_id=source.pk, collector=source.collector, is_lead=source.is_lead
        ):
            cursor.execute(statement)
        batches.settle(intake.dataset, judged, intake.fields)
        cursor.execute(f"SELECT count(rule) FROM {judged}")
        rejected: int = cursor.fetchone()[0]
        if rejected:
            cursor.execute(*_rejects(intake, f"{staging.SCHEMA}.{table}", judged))
    return judged, rejected


def _judged_sql(intake: Intake, table: str) -> str:
    """OFFSET 0 keeps cleaning from being done per rule. A row that says its record has ended needs no more than its key."""
    dataset = intake.dataset
    cleaned = ", ".join(
        (clean_sql(field, f"r.{field.name}") if field.name in intake.fields else "NULL::text") + f" AS {field.name}"
        for field in dataset.fields
    )
    kept = ", ".join(f"s.{name}" for name in intake.fields)
    return f"""
        SELECT s.row_number, s.source_key, s.subject_key, s.row_hash, s.row_valid_from, s.gone, {kept}, CASE
            WHEN s.fault <> '' THEN s.fault
            WHEN s.as_of IS NOT NULL AND EXISTS (
                SELECT FROM basedb_sourcerecord r WHERE r.source_id = {intake.source.pk:d} AND r.source_key = s.source_key
                    AND upper_inf(r.known) AND lower(r.known) > s.as_of AND {_LAST}
            ) THEN {quote(SUPERSEDED)}
            WHEN s.gone THEN NULL
            ELSE {broken_rule_sql(dataset, today=intake.today, exempt=exempt_rules(intake))} END AS rule
        FROM (
            SELECT r.row_number, r.fault, r.as_of, r.source_key, r.subject_key, r.row_hash, r.row_valid_from, r.gone, {cleaned}
            FROM {table} r OFFSET 0
        ) s"""


def exempt_rules(intake: Intake) -> frozenset[str]:
    """A source that only adds to entities made by others must name the subject (and its name, if it has one): no more.

    A source whose rows may lack an identifier need not even do that.
    """
    dataset, source = intake.dataset, intake.source
    key = f"{dataset.key_field}{_REQUIRED}"
    exempt = {key} if source.is_keyless else set()
    if not source.is_lead:
        needed = {key}
        if dataset.kind is Kind.MASTER and "name" in intake.fields:
            needed.add(f"name{_REQUIRED}")
        exempt |= {rule.code for rule in RULES[dataset.code] if rule.code.endswith(_REQUIRED)} - needed
    return frozenset(exempt)


def _rejects(intake: Intake, table: str, judged: str) -> tuple[str, tuple[Any, ...]]:
    told = f"jsonb_build_object({quote(SINCE)}, s.row_valid_from, {quote(GONE)}, nullif(s.gone, false))"
    raw = f"{staging.raw_sql('s', intake.fields)} || jsonb_strip_nulls({told})"
    sql = f"""
        WITH rejected AS (
            SELECT s.row_number AS number, s.line_number, s.related_line, coalesce(s.source_key, '') AS source_key, j.rule,
                CASE WHEN left(j.rule, 4) = 'row.' THEN '' ELSE split_part(j.rule, '.', 1) END AS field,
                CASE WHEN s.damaged IS NULL THEN {raw} ELSE jsonb_build_object('_row', s.damaged) END AS raw
            FROM {judged} j JOIN {table} s ON s.row_number = j.row_number WHERE j.rule IS NOT NULL ORDER BY s.row_number
        ), kept AS ({intake.rejects.statement}) SELECT 1"""
    return sql, intake.rejects.parameters
