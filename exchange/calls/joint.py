"""The one statement of calls about one subject each (合并读取并留痕): one row a call, one transaction for all on one trip.

For every call of its own it checks the grant, reads the granted columns and writes the record, or nothing. It starts from
what was asked, never from the hit: a call that finds nobody leaves its record, too, and a grant that has changed leaves
neither record nor answer. The commit of the statement precedes the answers.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from psycopg2 import errors

from basedb.lookup import LISTED, Selection, comparison_sql, data_sql, found_sql, score_sql, source_sql
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.statement import ADMITTED, ASKED, ROW_LIMIT, has_row_limit, record_sql, refusal_of, row_of, terms_values
from exchange.calls.terms import Question, Signed, Terms, Wanted

SUBJECT: Final = (("subject_key", "bytea"), ("region_prefix", "text"))

# OFFSET 0 keeps a body from being built once for the answer and again for its digest.
JOINT: Final = """
WITH asked AS MATERIALIZED (SELECT * FROM json_to_recordset(<<calls>>) AS asked ({columns})),
signed AS MATERIALIZED (
    SELECT *, sha256(convert_to(body, 'UTF8')) AS digest FROM (
        SELECT asked.*, {body}::text AS body, {row_count} AS row_count
        FROM asked JOIN LATERAL {admitted} ON true LEFT JOIN {row} OFFSET 0) AS answer
), recorded AS ({record})
SELECT place, body, encode(digest, 'hex') FROM signed"""

Call = tuple[Signed, Terms, Question, int]  # the last is what the call leaves of the day's quota
Read = tuple[str, str]  # the answer's JSON text and its SHA-256 in hex


@lru_cache(maxsize=512)
def joint_sql(mode: str, selection: Selection, wanted: Wanted) -> str:
    """Return the statement of queries or verifications of one form; its parameters are those of `parameters_of`."""
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
    columns = {"place": "integer", **dict(ASKED), **dict(SUBJECT), **dict.fromkeys(values, "text")}
    columns |= dict([ROW_LIMIT]) if is_list else {}
    return JOINT.format(
        columns=", ".join(f"{name} {kind}" for name, kind in columns.items()),
        body=_out_of("asked", body, columns),
        row_count=f"{LISTED}.row_count" if is_list else f"{found}::int",
        admitted=_out_of("asked", ADMITTED, columns),
        row=_out_of("asked", row, columns),
        record=_out_of("signed", record_sql(mode, selection, subject_key="<<subject_key>>"), columns),
    )


def _one(selection: Selection) -> str:
    return f"'data', CASE WHEN {found_sql(selection)} THEN {data_sql(selection)} END"


def _out_of(table: str, sql: str, columns: dict[str, str]) -> str:
    """Let the marks of one call's values stand for the columns of many calls."""
    return connections.MARK.sub(lambda mark: f"{table}.{mark[1]}" if mark[1] in columns else mark[0], sql)


@lru_cache(maxsize=16)
def parameters_of(list_count: int) -> tuple[tuple[str, str], ...]:
    """Return names and types of the parameters of the statement: the calls, and the lists of their row filter."""
    return ("calls", "json"), *((f"list_{number}", "text[]") for number in range(list_count))


def read_and_record(signed: Signed, terms: Terms, question: Question, quota_left: int) -> Read | None:
    """Return the answer to one call, recorded and committed; None when the grant has changed."""
    (outcome,) = read_and_record_all([(signed, terms, question, quota_left)])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def read_and_record_all(calls: Sequence[Call]) -> list[Read | Refusal | None]:
    """Return the answers to several calls, each recorded and committed; None where the grant has changed.

    Once the database is found away, the forms that follow are refused without waiting for it again.
    """
    outcomes: list[Read | Refusal | None] = [None] * len(calls)
    forms = defaultdict(list)
    for place, (signed, terms, question, _) in enumerate(calls):
        forms[signed.mode, question.selection, question.wanted, terms.lists].append(place)
    is_away = False
    for places in forms.values():
        of_form = [_away() for _ in places] if is_away else _of_one_form([calls[place] for place in places])
        is_away = any(_is_away(outcome) for outcome in of_form)
        for place, outcome in zip(places, of_form, strict=True):
            outcomes[place] = outcome
    return outcomes


def _away() -> Refusal:
    return Refusal("platform.unavailable")


def _is_away(outcome: Read | Refusal | None) -> bool:
    """Whether the database did not answer; what it refused to run, it did answer."""
    return isinstance(outcome, Refusal) and outcome.code == "platform.unavailable" and not isinstance(outcome, connections.Rejected)


def _of_one_form(calls: Sequence[Call]) -> list[Read | Refusal | None]:
    """Read and record in one transaction; when it fails because of one of them, each has one of its own."""
    signed, terms, question, _ = calls[0]
    template = joint_sql(signed.mode, question.selection, question.wanted)
    values: dict[str, Any] = {f"list_{number}": list(allowed) for number, allowed in enumerate(terms.lists)}
    values["calls"] = json.dumps([_row(place, *call) for place, call in enumerate(calls)], ensure_ascii=False)
    try:
        rows = connections.rows(template, parameters_of(len(terms.lists)), values)
    except (errors.IntegrityError, connections.Rejected) as error:
        if len(calls) == 1:
            return [error if isinstance(error, Refusal) else refusal_of(error)]
        return [outcome for call in calls for outcome in _of_one_form([call])]
    except Refusal as refusal:
        return [Refusal(refusal.code, refusal.details) for _ in calls]
    read = {place: (text, digest) for place, text, digest in rows}
    return [read.get(place) for place in range(len(calls))]


def _row(place: int, signed: Signed, terms: Terms, question: Question, quota_left: int) -> dict[str, Any]:
    row = terms_values(signed, terms, question, quota_left)
    row["place"] = place
    row["subject_key"] = f"\\x{(question.subject_key or b'').hex()}"
    for number, value in enumerate(question.values):
        row[f"value_{number}"] = value
    return row
