"""Facts as their sources tell them now (事实投影): of the current records of one fact the one that began last stands.

Of a document that is issued the word of its issuer, delivered by itself, goes before what others say. Which record stands does not
depend on the order of arrival. When the standing record ends, the next best takes its place; when there
is none, the fact is withdrawn.
"""

from __future__ import annotations

from django.db import connection

from basedb.cleaning import typed_sql
from basedb.dictionary import Dataset
from basedb.dictionary.contract import Issued
from basedb.fusion.projecting import Projected
from basedb.intake.versions import Laid
from basedb.sql_text import quote

CURRENT = "upper_inf(r.known) AND upper_inf(r.valid)"


def project(dataset: Dataset, laid: Laid, *, table: str) -> Projected:
    """Bring the facts up to the records just laid, in the caller's transaction; return how many stand differently now."""
    best = f"best_{table}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {best} ON COMMIT DROP AS {_best_sql(dataset, laid)}")
    return write(dataset, best)


def write(dataset: Dataset, best: str, *, is_compared: bool = False) -> Projected:
    """Have the facts of table `best` stand as it says: a record each, or none where `id` is null.

    A fact that stands by that record already is right, because records never change; with `is_compared` its columns are
    looked at all the same.
    """
    with connection.cursor() as cursor:
        cursor.execute(_replace_sql(dataset, best, is_compared=is_compared))
        changed = cursor.rowcount
        cursor.execute(_add_sql(dataset, best))
        added = cursor.rowcount
        cursor.execute(_withdraw_sql(dataset, best))
        return Projected(added=added, changed=changed, withdrawn=cursor.rowcount)


def row_key_sql(dataset: Dataset, payload: str) -> str:
    """An expression: the digest that names a fact, over the fields of the contract that together name one."""
    values = ", ".join(f"coalesce({payload}->>{quote(name)}, '')" for name in dataset.row_fields)
    return f"decode(md5(concat_ws(chr(31), {values})), 'hex')"


def candidates_sql(dataset: Dataset) -> str:
    """What the choice among records `r` is made from: the beginning of a SELECT."""
    return (
        f"SELECT r.id, {row_key_sql(dataset, 'r.payload')} AS row_key, r.subject_key, r.payload, lower(r.valid) AS since,"
        " r.source_id, r.run_id"
    )


def found_by(dataset: Dataset) -> tuple[str, str]:
    """A column of its facts, and of records `r` what has to equal it: an index finds all records that may tell the same fact."""
    if dataset.is_named_by_subject:
        return "subject_key", "r.subject_key"
    name = dataset.row_fields[-1]
    return name, f"(r.payload ->> {quote(name)})"


def ours_sql(dataset: Dataset) -> str:
    """A join: records `r` of the sources of this dataset alone."""
    return f"JOIN basedb_datasource s ON s.id = r.source_id AND s.dataset = {quote(dataset.code)}"


def chosen_sql(dataset: Dataset, candidates: str) -> str:
    """Of the candidates for each fact the one that stands, with its department."""
    return f"""
            SELECT b.*, s.department_id FROM (
                SELECT DISTINCT ON (row_key) * FROM ({candidates}) c
                ORDER BY row_key, {_own_word_sql(dataset)}since DESC, id DESC
            ) b JOIN basedb_datasource s ON s.id = b.source_id"""


def _best_sql(dataset: Dataset, laid: Laid) -> str:
    """One row a touched fact: the record that stands, or none (then `id` is null)."""
    key, columns, (column, sought) = row_key_sql(dataset, "r.payload"), candidates_sql(dataset), found_by(dataset)
    chosen = chosen_sql(dataset, "SELECT * FROM fresh UNION ALL SELECT * FROM standing UNION ALL SELECT * FROM others")
    return f"""
        WITH fresh AS MATERIALIZED (
            {columns} FROM {laid.pieces} p CROSS JOIN LATERAL {record_sql("p.new_id")} r
            WHERE {CURRENT} AND NOT p.gone AND r.subject_key IS NOT NULL
        ), bereft AS MATERIALIZED (
            SELECT f.row_key, f.{column} AS sought
            FROM {laid.closed} c CROSS JOIN LATERAL {record_sql("c.id")} r
            JOIN {dataset.table} f ON f.row_key = {key} AND f.source_record_id = r.id
        ), standing AS (
            {columns} FROM (SELECT DISTINCT row_key FROM fresh) n
            CROSS JOIN LATERAL (SELECT * FROM {dataset.table} f WHERE f.row_key = n.row_key OFFSET 0) f
            CROSS JOIN LATERAL {record_sql("f.source_record_id")} r WHERE {CURRENT}
        ), others AS (
            {columns} FROM bereft b CROSS JOIN LATERAL (
                SELECT * FROM basedb_sourcerecord r WHERE {sought} = b.sought AND {CURRENT} OFFSET 0
            ) r {ours_sql(dataset)} WHERE r.subject_key IS NOT NULL AND {key} = b.row_key
        ), best AS ({chosen})
        SELECT * FROM best
        UNION ALL
        SELECT NULL, row_key, NULL, NULL, NULL, NULL, NULL, NULL FROM bereft
        WHERE row_key NOT IN (SELECT row_key FROM best)"""


def _own_word_sql(dataset: Dataset) -> str:
    """The first term of the order: records of the department that issued the document and has not let go of it go before."""
    issued = dataset.issued
    if issued is None:
        return ""
    keeps, is_issuer = own_word(issued, "c.payload", "d")
    return f"""({keeps} AND EXISTS (
                SELECT FROM basedb_datasource o JOIN core_department d ON d.id = o.department_id
                WHERE o.id = c.source_id AND {is_issuer})) DESC, """


def own_word(issued: Issued, payload: str, department: str) -> tuple[str, str]:
    """Two conditions of a record that goes before others: the document is still its issuer's, and `department` is that issuer."""
    code, name, state = (f"{payload}->>{quote(field)}" for field in (issued.code_field, issued.name_field, issued.state_field))
    keeps = f"coalesce({state}, '') NOT IN ({', '.join(map(quote, issued.let_go))})"
    return keeps, f"CASE WHEN {code} IS NULL THEN {name} = {department}.name ELSE {code} = {department}.code END"


def record_sql(number: str) -> str:
    """A record by its number; OFFSET 0 keeps the planner from reading the whole table for a batch."""
    return f"(SELECT * FROM basedb_sourcerecord r WHERE r.id = {number} OFFSET 0)"


def _add_sql(dataset: Dataset, best: str) -> str:
    names = ", ".join(dataset.field_names)
    return f"""
        INSERT INTO {dataset.table}
            (row_key, subject_key, source_department_id, source_record_id, run_id, version, {names})
        SELECT b.row_key, b.subject_key, b.department_id, b.id, b.run_id, 1, {", ".join(_values(dataset))}
        FROM {best} b WHERE b.id IS NOT NULL AND NOT EXISTS (SELECT FROM {dataset.table} f WHERE f.row_key = b.row_key)
        ORDER BY b.id"""


def _replace_sql(dataset: Dataset, best: str, *, is_compared: bool) -> str:
    columns = [*dataset.field_names, "subject_key", "source_department_id", "source_record_id", "run_id"]
    told = [*_values(dataset), "b.subject_key", "b.department_id", "b.id", "b.run_id"]
    values = ", ".join(f"{name} = {value}" for name, value in zip(columns, told, strict=True))
    differs = "f.source_record_id <> b.id"
    if is_compared:
        differs = f"({', '.join(f'f.{name}' for name in columns)}) IS DISTINCT FROM ({', '.join(told)})"
    return f"""
        UPDATE {dataset.table} f SET {values}, version = f.version + 1, changed_at = now(),
            changed_xid = pg_current_xact_id(), withdrawn_at = NULL
        FROM {best} b WHERE f.row_key = b.row_key AND b.id IS NOT NULL AND ({differs} OR f.withdrawn_at IS NOT NULL)"""


def _withdraw_sql(dataset: Dataset, best: str) -> str:
    return f"""
        UPDATE {dataset.table} f SET withdrawn_at = now(), version = f.version + 1, changed_at = now(),
            changed_xid = pg_current_xact_id()
        FROM {best} b WHERE f.row_key = b.row_key AND b.id IS NULL AND f.withdrawn_at IS NULL"""


def _values(dataset: Dataset) -> list[str]:
    return [typed_sql(field, f"(b.payload->>{quote(field.name)})") for field in dataset.fields]
