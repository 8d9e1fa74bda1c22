"""The one statement of a call with many keys (批量读取并留痕): one set-based read, one record, the subjects kept beside it.

Like the statement of a single call it starts from the admitted grant: a grant that has changed leaves neither record nor
answer. Lists travel as texts joined by a control character no value may hold.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from basedb.lookup import LISTED, Selection, comparison_sql, data_sql, found_sql, score_sql, source_sql
from exchange.calls.joint import Read
from exchange.calls.statement import ADMITTED, ASKED, ROW_LIMIT, has_row_limit, record_sql, row_of, run, terms_values
from exchange.calls.terms import Batch, Question, Signed, Terms, Wanted

MARK: Final = "\x1f"
MANY: Final = (("keys", "text"), ("invalid", "text"), ("subjects_digest", "bytea"), ("region_prefix", "text"))

BATCH: Final = """
WITH admitted AS MATERIALIZED (SELECT at FROM {admitted}),
asked AS (SELECT * FROM unnest({lists}) WITH ORDINALITY AS asked ({names}, place)),
signed AS MATERIALIZED (
    SELECT body, row_count, sha256(convert_to(body, 'UTF8')) AS digest FROM (
        SELECT '{{"call_id":"' || <<call_id>> || '","as_of":' || to_json(at) || ',"results":[' || results || ']}}' AS body,
            row_count
        FROM admitted CROSS JOIN LATERAL (
            SELECT string_agg(coalesce(invalid, {told}), ',' ORDER BY place) AS results,
                {row_count} AS row_count
            FROM asked LEFT JOIN {row}) AS told
        OFFSET 0) AS answer
), recorded AS ({record}), kept AS (
    INSERT INTO exchange_callsubjects (requested_at, consumer_id, call_id, subject_keys)
    SELECT to_timestamp(<<signed_ms>>::float8 / 1000), <<consumer_id>>, <<call_id>>, subject_keys
    FROM signed, array_remove({keys}, NULL) AS subject_keys WHERE cardinality(subject_keys) > 0
)
SELECT body, encode(digest, 'hex') FROM signed"""


def _listed(name: str) -> str:
    return f"string_to_array(<<{name}>>, chr(31), '')"


@lru_cache(maxsize=256)
def batch_sql(mode: str, selection: Selection, wanted: Wanted) -> str:
    """Return the statement of a query or verification of many; its `<<name>>` marks are the parameters of `parameters_of`."""
    values = [f"value_{number}" for number in range(len(selection.columns))] if mode == "VERIFY" else []
    row = row_of(selection, mode, values, subject_key="uuid_send(asked.subject)")
    found, is_list = found_sql(selection), has_row_limit(selection, mode)
    if is_list:
        status = f"CASE WHEN {found} THEN 'found' ELSE 'not_found' END"
        told = f"json_build_object('status', {status}, 'items', {LISTED}.items, 'more', {LISTED}.more)::text"
    elif mode == "QUERY":
        told = (
            f'CASE WHEN {found} THEN \'{{"status":"found","data":\' || {data_sql(selection)} || \'}}\' '
            'ELSE \'{"status":"not_found","data":null}\' END'
        )
    else:
        score = f"'\"score\":' || coalesce({score_sql(selection, values)}, 'null') || ','" if wanted.is_scored else "''"
        compared = comparison_sql(selection, values, is_detailed=wanted.is_detailed)
        told = f"'{{\"status\":\"answered\",' || {score} || '\"result\":' || {compared} || '}}'"
        row += f" LEFT JOIN {source_sql()}" if wanted.is_detailed else ""
    return BATCH.format(
        admitted=ADMITTED,
        lists=", ".join([f"{_listed('keys')}::uuid[]", *map(_listed, values), _listed("invalid")]),
        names=", ".join(["subject", *values, "invalid"]),
        told=told,
        row_count=f"sum({LISTED}.row_count)::bigint" if is_list else f"count(*) FILTER (WHERE {found})",
        row=row,
        keys=f"{_listed('keys')}::uuid[]",
        record=record_sql(mode, selection, subject_key="NULL", subjects_digest="<<subjects_digest>>"),
    )


@lru_cache(maxsize=64)
def parameters_of(value_count: int, list_count: int, has_limit: bool) -> tuple[tuple[str, str], ...]:
    """Return names and types of the parameters of the statement."""
    lists = tuple((f"list_{number}", "text[]") for number in range(list_count))
    limit = (ROW_LIMIT,) if has_limit else ()
    return ASKED + MANY + limit + lists + tuple((f"value_{number}", "text") for number in range(value_count))


def read_and_record(signed: Signed, terms: Terms, question: Question, batch: Batch, quota_left: int | None) -> Read | None:
    """Return the answer, recorded and committed; None when the grant has changed."""
    values = terms_values(signed, terms, question, quota_left)
    values["keys"] = MARK.join([key.hex() for key in batch.keys])
    values["invalid"] = MARK.join(batch.invalid) if any(batch.invalid) else None
    values["subjects_digest"] = hashlib.sha256(b"".join(batch.keys)).digest()
    for number, column in enumerate(batch.columns):
        values[f"value_{number}"] = MARK.join(column)
    template = batch_sql(signed.mode, question.selection, question.wanted)
    row = run(template, parameters_of(len(batch.columns), len(terms.lists), question.row_limit is not None), values)
    return row and (row[0].encode(), row[1])
