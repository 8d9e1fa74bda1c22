"""The one statement of a call (读取并留痕): it checks the grant, reads the granted columns and writes the record, or nothing.

It starts from the admitted grant and the record, never from the hit: a call that finds nobody leaves its record, too, and
a grant that has changed leaves neither record nor answer. The commit of the statement precedes the answer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import psycopg2
from psycopg2 import errors

from basedb.lookup import Selection, comparison_sql, data_sql, found_sql, row_sql, score_sql, source_sql
from basedb.sql_text import quote
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.terms import NO_CONTEXT, WORDS, Question, Signed, Terms, Wanted

ASKED: Final = (
    ("call_id", "uuid"),
    ("signed_ms", "bigint"),
    ("consumer_id", "bigint"),
    ("credential_id", "bigint"),
    ("nonce", "text"),
    ("grant_id", "bigint"),
    ("grant_version", "integer"),
    ("resource_id", "bigint"),
    ("provider_id", "bigint"),
    ("department_id", "bigint"),
    ("request_digest", "text"),
    ("client_ip", "inet"),
    ("elapsed_us", "bigint"),
    ("request_bytes", "integer"),
    ("quota_left", "integer"),
    ("subject_count", "integer"),
    ("matter", "text"),
    ("officer", "text"),
    ("case_number", "text"),
)
SUBJECT: Final = (("subject_key", "bytea"), ("region_prefix", "text"))
ANSWERED: Final = (
    *ASKED,
    ("subject_key", "bytea"),
    ("row_count", "bigint"),
    ("answer_digest", "text"),
    ("answer_bytes", "bigint"),
)
MEMBERS: Final = "SELECT subject_key FROM exchange_grantsubject WHERE grant_id = <<grant_id>>"

ADMITTED: Final = """(
    SELECT now() AS at FROM exchange_grant g, exchange_credential c
    WHERE g.id = <<grant_id>> AND g.version = <<grant_version>> AND g.state = 'ACTIVE'
      AND g.valid_from <= now() AND g.valid_to > now() AND c.id = <<credential_id>> AND c.state = 'ACTIVE'
) AS admitted"""

RECORD: Final = """
INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, nonce, grant_id, grant_version, resource_id,
    provider_id, department_id, mode, outcome, fields, subject_key, row_count, request_digest, answer_digest, client_ip, status,
    duration_us, request_bytes, answer_bytes, quota_left, subject_count, matter, officer, case_number, subjects_digest)
SELECT to_timestamp(<<signed_ms>>::float8 / 1000), <<consumer_id>>, <<call_id>>, <<credential_id>>, <<nonce>>, <<grant_id>>,
    <<grant_version>>, <<resource_id>>, <<provider_id>>, <<department_id>>, '{mode}', '{outcome}', {fields}::varchar(40)[],
    {subject_key}, {row_count}, decode(<<request_digest>>, 'hex'), {answer_digest}, <<client_ip>>, 200,
    <<elapsed_us>> + (extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000000)::bigint, <<request_bytes>>,
    {answer_bytes}, <<quota_left>>, <<subject_count>>, <<matter>>, <<officer>>, <<case_number>>, {subjects_digest}
FROM {source}"""

# OFFSET 0 keeps the body from being built once for the answer and again for its digest.
SINGLE: Final = """
WITH signed AS MATERIALIZED (
    SELECT body, row_count, sha256(convert_to(body, 'UTF8')) AS digest
    FROM (SELECT {body}::text AS body, {found}::int AS row_count FROM {admitted} LEFT JOIN {row} OFFSET 0) AS answer
), recorded AS ({record})
SELECT body, encode(digest, 'hex') FROM signed"""

OPENED: Final = """
WITH admitted AS MATERIALIZED (SELECT at FROM {admitted}), recorded AS ({record}) SELECT 1 FROM admitted"""


@lru_cache(maxsize=512)
def single_sql(mode: str, selection: Selection, wanted: Wanted = WORDS) -> str:
    """Return the statement of a query or verification; its `<<name>>` marks are the parameters of `parameters_of`."""
    row = row_of(selection, "<<subject_key>>")
    if mode == "QUERY":
        body = (
            f"json_build_object('call_id', <<call_id>>, 'status', CASE WHEN {found_sql()} THEN 'found' ELSE 'not_found' END, "
            f"'data', CASE WHEN {found_sql()} THEN {data_sql(selection)} END, 'as_of', at)"
        )
    else:
        values = [f"<<value_{number}>>" for number in range(len(selection.columns))]
        score = f", 'score', {score_sql(selection, values)}::json" if wanted.is_scored else ""
        compared = comparison_sql(selection, values, is_detailed=wanted.is_detailed)
        body = f"json_build_object('call_id', <<call_id>>, 'result', ({compared})::json{score})"
        row += f" LEFT JOIN {source_sql()}" if wanted.is_detailed else ""
    record = record_sql(mode, selection, subject_key="<<subject_key>>")
    return SINGLE.format(admitted=ADMITTED, body=body, found=found_sql(), row=row, record=record)


def row_of(selection: Selection, subject_key: str) -> str:
    """Return the row of a subject the grant reaches, as SQL behind a LEFT JOIN."""
    return row_sql(
        selection,
        subject_key=subject_key,
        region_prefix="<<region_prefix>>",
        lists=[f"<<list_{number}>>" for number in range(len(selection.rows.listed))],
        members=MEMBERS,
    )


def record_sql(mode: str, selection: Selection, *, subject_key: str, subjects_digest: str = "NULL") -> str:
    """Return the insert of an answered call's record, out of `signed`."""
    return RECORD.format(
        mode=mode,
        outcome="call.answered",
        fields=_array(selection),
        subject_key=subject_key,
        row_count="row_count",
        answer_digest="digest",
        answer_bytes="octet_length(body)",
        subjects_digest=subjects_digest,
        source="signed",
    )


@lru_cache(maxsize=512)
def opened_sql(selection: Selection, mode: str = "BULK") -> str:
    """Return the statement that admits a call answered in the course of time and writes its opened record."""
    record = RECORD.format(
        mode=mode,
        outcome="call.opened",
        fields=_array(selection),
        subject_key="NULL",
        row_count="NULL::bigint",
        answer_digest="NULL",
        answer_bytes="NULL::bigint",
        subjects_digest="NULL",
        source="admitted",
    )
    return OPENED.format(admitted=ADMITTED, record=record)


@lru_cache(maxsize=512)
def answered_sql(selection: Selection, mode: str) -> str:
    """Return the statement that records an answer read elsewhere, if the grant still stands."""
    record = RECORD.format(
        mode=mode,
        outcome="call.answered",
        fields=_array(selection),
        subject_key="<<subject_key>>",
        row_count="<<row_count>>",
        answer_digest="decode(<<answer_digest>>, 'hex')",
        answer_bytes="<<answer_bytes>>",
        subjects_digest="NULL",
        source="admitted",
    )
    return OPENED.format(admitted=ADMITTED, record=record)


def _array(selection: Selection) -> str:
    return f"ARRAY[{', '.join(quote(item) for item in selection.items)}]"


@lru_cache(maxsize=64)
def parameters_of(mode: str, value_count: int, list_count: int = 0) -> tuple[tuple[str, str], ...]:
    """Return names and types of the parameters of a mode's statement."""
    if mode == "BULK":
        return ASKED
    lists = tuple((f"list_{number}", "text[]") for number in range(list_count))
    return ASKED + SUBJECT + lists + tuple((f"value_{number}", "text") for number in range(value_count))


def asked(signed: Signed, terms: Terms | None, question: Question | None, quota_left: int | None = None) -> dict[str, Any]:
    """Return the values of a record that are known before the database is asked."""
    context = question.context if question else NO_CONTEXT
    return {
        "call_id": signed.call_id,
        "signed_ms": signed.signed_ms,
        "consumer_id": signed.caller.system_id,
        "credential_id": signed.caller.credential_id,
        "nonce": signed.nonce,
        "grant_id": terms and terms.grant_id,
        "grant_version": terms and terms.version,
        "resource_id": terms and terms.resource_id,
        "provider_id": terms and terms.provider_id,
        "department_id": signed.caller.department_id,
        "request_digest": signed.digest,
        "client_ip": signed.client_ip,
        "elapsed_us": signed.elapsed_us(),
        "request_bytes": signed.byte_count,
        "quota_left": quota_left,
        "subject_count": question.subject_count() if question else None,
        "matter": context.matter,
        "officer": context.officer,
        "case_number": context.case_number,
    }


def terms_values(signed: Signed, terms: Terms, question: Question, quota_left: int | None) -> dict[str, Any]:
    """Return the values of a record and those of the rows the grant reaches."""
    values = asked(signed, terms, question, quota_left)
    values["region_prefix"] = terms.region_prefix
    for number, allowed in enumerate(terms.lists):
        values[f"list_{number}"] = list(allowed)
    return values


def read_and_record(signed: Signed, terms: Terms, question: Question, quota_left: int | None = None) -> connections.Row | None:
    """Return the answer's JSON text and its SHA-256 in hex, recorded and committed; None when the grant has changed."""
    values = terms_values(signed, terms, question, quota_left)
    values["subject_key"] = question.subject_key
    for number, value in enumerate(question.values):
        values[f"value_{number}"] = value
    parameters = parameters_of(signed.mode, len(question.values), len(terms.lists))
    return run(single_sql(signed.mode, question.selection, question.wanted), parameters, values)


def record_answered(
    signed: Signed,
    terms: Terms,
    question: Question,
    quota_left: int | None,
    *,
    row_count: int,
    answer_digest: str,
    answer_bytes: int,
) -> bool:
    """Record what was read elsewhere, under the grant as it is now; False when the grant has changed."""
    values = asked(signed, terms, question, quota_left) | {
        "subject_key": question.subject_key,
        "row_count": row_count,
        "answer_digest": answer_digest,
        "answer_bytes": answer_bytes,
    }
    return run(answered_sql(question.selection, signed.mode), ANSWERED, values) is not None


def record_opened(signed: Signed, terms: Terms, question: Question, quota_left: int | None = None) -> bool:
    """Write the opened record of a bulk call; False when the grant has changed."""
    return (
        run(opened_sql(question.selection, signed.mode), parameters_of("BULK", 0), asked(signed, terms, question, quota_left))
        is not None
    )


def run(template: str, parameters: tuple[tuple[str, str], ...], values: dict[str, Any]) -> connections.Row | None:
    """Run a statement that writes a record; `call.replayed` when its nonce was answered before."""
    try:
        return connections.run(template, parameters, values)
    except errors.UniqueViolation:
        raise Refusal("call.replayed") from None
    except psycopg2.IntegrityError as error:
        connections.logger.error("a call could not be recorded: %s", error.pgcode)
        raise Refusal("platform.unavailable") from None
