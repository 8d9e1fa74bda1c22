"""Taking delivered rows into a base table (入库): judge, reject with a reason, de-duplicate, merge what differs.

One batch is one COPY into a staging table and one set-based statement, in the transaction of the caller, who also writes
what the run has to remember. The same rows taken twice change nothing. Where rows come from, runs and checkpoints, and
the table of rejected rows belong to the room above, which hands in the statement that keeps the rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from basedb import staging
from basedb.cleaning import clean_sql, typed_sql
from basedb.dictionary import DATASETS, Dataset
from basedb.rules import broken_rule_sql, rule_named
from basedb.sql_text import quote
from basedb.staging import RawRow

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

BROKEN_COLUMNS = "row.columns"
BROKEN_QUOTE = "row.quote"
TOO_LONG = "row.too_long"
SUPERSEDED = "row.superseded"
DUPLICATE = "duplicate"

ROW_RULES: dict[str, _StrPromise] = {
    BROKEN_COLUMNS: _("列数与表头不一致"),
    BROKEN_QUOTE: _("引号不配对"),
    TOO_LONG: _("一行过长"),
    SUPERSEDED: _("该记录已被更新的来源数据取代"),
}


@dataclass(frozen=True, slots=True)
class RejectSink:
    """Where rejected rows are kept: a data-modifying statement over the rows of `rejected`.

    `rejected` has number, line_number, related_line, source_key, rule, field, raw. Values come in `parameters`.
    """

    statement: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """What stays the same for all batches of a run: the dataset, the fields the source maps, who delivers, who keeps rejects."""

    dataset: Dataset
    fields: tuple[str, ...]
    department_id: int
    run_id: int
    subject_key: Callable[[str], bytes]
    rejects: RejectSink
    today: date


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a batch. Read = accepted + rejected; changed are the accepted rows that were new or different."""

    read: int
    accepted: int
    changed: int
    rejected: int


def message_of(dataset_code: str, rule: str, related_line: int | None = None) -> str:
    """Return the sentence that explains a rule to the source department; it never quotes a value."""
    if rule in ROW_RULES:
        return str(ROW_RULES[rule])
    dataset = DATASETS[dataset_code]
    field, _dot, reason = rule.partition(".")
    if reason == DUPLICATE:
        return str(_("%(field)s与第 %(line)s 行重复")) % {"field": dataset.field(field).title, "line": related_line}
    try:
        return rule_named(dataset, rule).text()
    except KeyError:
        return rule


def broken_rule(dataset: Dataset, values: Mapping[str, str | None], *, today: date) -> str | None:
    """Return the first rule one row breaks, None when it is good; nothing is stored."""
    columns = ", ".join(f"%s::text AS {name}" for name in dataset.field_names)
    cleaned = ", ".join(f"{clean_sql(field, f'r.{field.name}')} AS {field.name}" for field in dataset.fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {broken_rule_sql(dataset, today=today)} FROM (SELECT {cleaned} FROM (SELECT {columns}) r OFFSET 0) s",
            [values.get(name) for name in dataset.field_names],
        )
        code: str | None = cursor.fetchone()[0]
        return code


def stage(intake: Intake, table: str, rows: Iterable[RawRow]) -> int:
    """Stream the rows of a batch into staging table `table`; return how many. Needs an open transaction."""
    staging.create(table, intake.fields)
    return staging.fill(table, intake.dataset, intake.fields, rows, intake.subject_key)


def merge(intake: Intake, table: str) -> Counts:
    """Judge the staged rows, keep the rejected, merge the rest and drop the staging table.

    One writer per dataset at a time: a lock held to the end of the transaction keeps two runs from the same subject.
    """
    statement, parameters = _statement(intake, f"{staging.SCHEMA}.{table}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [intake.dataset.table])
        cursor.execute(statement, parameters)
        read, rejected, changed = cursor.fetchone()
    staging.drop(table)
    return Counts(read=read, accepted=read - rejected, changed=changed, rejected=rejected)


def _statement(intake: Intake, table: str) -> tuple[str, list[Any]]:
    """Compose the one statement; values are parameters, names come from the field contract."""
    dataset, fields = intake.dataset, intake.fields
    typed = ", ".join(f"{typed_sql(dataset.field(name), f's.{name}')} AS {name}" for name in fields)
    theirs, ours = _columns("c", fields), _columns("b", fields)
    names = ", ".join(fields)
    sql = f"""
    WITH judged AS MATERIALIZED ({_judged_sql(dataset, fields, table, intake.today)}),
    rejected AS (
        SELECT s.number, s.line_number, s.related_line, coalesce(s.source_key, '') AS source_key, j.rule,
            CASE WHEN left(j.rule, 4) = 'row.' THEN '' ELSE split_part(j.rule, '.', 1) END AS field,
            CASE WHEN s.damaged IS NULL THEN {staging.raw_sql("s", fields)} ELSE jsonb_build_object('_row', s.damaged) END AS raw
        FROM judged j JOIN {table} s ON s.number = j.number WHERE j.rule IS NOT NULL ORDER BY s.number
    ),
    kept AS ({intake.rejects.statement}),
    good AS (
        SELECT DISTINCT ON (s.subject_key) s.number, s.subject_key, {typed}
        FROM judged s WHERE s.rule IS NULL ORDER BY s.subject_key, s.number DESC
    ),
    changed AS MATERIALIZED (
        SELECT c.*, b.id AS base_id FROM good c LEFT JOIN {dataset.table} b ON b.subject_key = c.subject_key
        WHERE b.id IS NULL OR ({ours}) IS DISTINCT FROM ({theirs})
    ),
    records AS (
        INSERT INTO basedb_sourcerecord (dataset, source_department_id, run_id, source_key, subject_key, payload)
        SELECT %s, %s, %s, coalesce(s.source_key, ''), c.subject_key, {staging.raw_sql("s", fields)}
        FROM changed c JOIN {table} s ON s.number = c.number
        RETURNING id, subject_key
    ),
    added AS (
        INSERT INTO {dataset.table} (subject_key, source_department_id, source_record_id, run_id, version, {names})
        SELECT c.subject_key, %s, r.id, %s, 1, {theirs}
        FROM changed c JOIN records r ON r.subject_key = c.subject_key WHERE c.base_id IS NULL
    ),
    replaced AS (
        UPDATE {dataset.table} b SET {", ".join(f"{name} = c.{name}" for name in fields)},
            source_department_id = %s, source_record_id = r.id, run_id = %s, version = b.version + 1,
            changed_at = now(), changed_xid = pg_current_xact_id()
        FROM changed c JOIN records r ON r.subject_key = c.subject_key WHERE b.id = c.base_id
    )
    SELECT count(*), count(rule), (SELECT count(*) FROM changed) FROM judged"""
    source, run = intake.department_id, intake.run_id
    return sql, [*intake.rejects.parameters, dataset.code, source, run, source, run, source, run]


def _columns(alias: str, fields: Sequence[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in fields)


def _judged_sql(dataset: Dataset, fields: Sequence[str], table: str, today: date) -> str:
    """Rows in standard writing, each with the first rule it breaks. OFFSET 0 keeps cleaning from being done per rule."""
    cleaned = ", ".join(
        (clean_sql(field, f"r.{field.name}") if field.name in fields else "NULL::text") + f" AS {field.name}"
        for field in dataset.fields
    )
    return f"""
        SELECT s.*, CASE
            WHEN s.fault IS NOT NULL THEN s.fault
            WHEN s.as_of IS NOT NULL AND EXISTS (
                SELECT FROM {dataset.table} b WHERE b.subject_key = s.subject_key AND b.changed_at > s.as_of
            ) THEN {quote(SUPERSEDED)}
            ELSE {broken_rule_sql(dataset, today=today)} END AS rule
        FROM (SELECT r.number, r.fault, r.as_of, r.subject_key, {cleaned} FROM {table} r OFFSET 0) s"""
