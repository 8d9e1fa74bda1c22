"""The one statement of calls about one subject each (合并读取并留痕): for every call of its own it checks the grant, reads the
granted columns and writes the record, or nothing.

It starts from what was asked, never from the hit: a call that finds nobody leaves its record, too, and a grant that has
changed leaves neither record nor answer. The commit of the statement precedes the answers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from basedb.lookup import LISTED, Selection, comparison_sql, data_sql, found_sql, score_sql, source_sql
from exchange.calls import company
from exchange.calls.company import Found, Row, asked_sql, out_of
from exchange.calls.statement import ADMITTED, ASKED, ROW_LIMIT, call_values, has_row_limit, record_sql, row_of
from exchange.calls.terms import Question, Signed, Terms, Wanted

SUBJECT: Final = (("subject_key", "bytea"), ("region_prefix", "text"))

# OFFSET 0 keeps a body from being built once for the answer and again for its digest.
JOINT: Final = """
WITH {asked},
signed AS MATERIALIZED (
    SELECT *, sha256(convert_to(body, 'UTF8')) AS digest FROM (
        SELECT asked.*, {body}::text AS body, {row_count} AS row_count
        FROM asked JOIN LATERAL {admitted} ON true LEFT JOIN {row} OFFSET 0) AS answer
), recorded AS ({record})
SELECT place, body, encode(digest, 'hex') FROM signed"""

Read = tuple[bytes, str]  # the answer's JSON and its SHA-256 in hex


@lru_cache(maxsize=512)
def joint_sql(mode: str, selection: Selection, wanted: Wanted) -> str:
    """Return the statement of queries or verifications of one form; its parameters are those of `company.parameters_of`."""
    values = [f"value_{number}" for number in range(len(selection.columns))] if mode == "VERIFY" else []
    row = row_of(selection, mode, values, subject_key="<<subject_key>>")
    found, is_list = found_sql(selection), has_row_limit(selection, mode)
    if mode == "QUERY":
        told = f"'items', {LISTED}.items, 'more', {LISTED}.more"
        body = (
            f"json_build_object('call_id', <<call_id>>, 'status', CASE WHEN {found} THEN 'found' ELSE 'not_found' END, "
            f"{told if is_list else _one(selection)}, 'as_of', at)"
        )
    else:
        score = f", 'score', {score_sql(selection, values)}::json" if wanted.is_scored else ""
        compared = comparison_sql(selection, values, is_detailed=wanted.is_detailed)
        body = f"json_build_object('call_id', <<call_id>>, 'result', ({compared})::json{score})"
        row += f" LEFT JOIN {source_sql()}" if wanted.is_detailed else ""
    columns = {**dict(ASKED), **dict(SUBJECT), **dict.fromkeys(values, "text")}
    columns |= dict([ROW_LIMIT]) if is_list else {}
    return JOINT.format(
        asked=asked_sql(columns),
        body=out_of("asked", body, columns),
        row_count=f"{LISTED}.row_count" if is_list else f"{found}::int",
        admitted=out_of("asked", ADMITTED, columns),
        row=out_of("asked", row, columns),
        record=out_of("signed", record_sql(mode, selection, subject_key="<<subject_key>>"), columns),
    )


def _one(selection: Selection) -> str:
    return f"'data', CASE WHEN {found_sql(selection)} THEN {data_sql(selection)} END"


def read_and_record(signed: Signed, terms: Terms, question: Question, quota_left: int) -> Read | None:
    """Return the answer to one call, recorded and committed; None when the grant has changed."""
    return read_in(company.run(call_row(signed, terms, question, quota_left)))


def read_in(found: Found | None) -> Read | None:
    """Return what the statement told of a call."""
    return found and (found[0], found[1].decode())


def call_row(signed: Signed, terms: Terms, question: Question, quota_left: int) -> Row:
    """Return what a call brings to the statement of its form."""
    values = call_values(signed, terms, question, quota_left)
    values["subject_key"] = f"\\x{(question.subject_key or b'').hex()}"
    for number, value in enumerate(question.values):
        values[f"value_{number}"] = value
    return Row(joint_sql(signed.mode, question.selection, question.wanted), terms.lists, values)
