"""What the statements of calls share (留痕): the check of the grant, the row it reaches, the record and its values.

It starts from the admitted grant and the record, never from the hit: a call that finds nobody leaves its record, too, and
a grant that has changed leaves neither record nor answer. The commit of the statement precedes the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypedDict

import psycopg2
from psycopg2 import errors

from basedb.lookup import Selection, any_row_sql, is_fact, list_sql, row_sql
from basedb.sql_text import quote
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.terms import NO_CONTEXT, Question, Signed, Terms

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
ANSWERED: Final = (
    *ASKED,
    ("subject_key", "bytea"),
    ("row_count", "bigint"),
    ("answer_digest", "text"),
    ("answer_bytes", "bigint"),
)
ROW_LIMIT: Final = ("row_limit", "integer")
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

OPENED: Final = """
WITH admitted AS MATERIALIZED (SELECT at FROM {admitted}), recorded AS ({record}) SELECT 1 FROM admitted"""


class Reach(TypedDict):
    """The rows of a grant, as the joins of `basedb.lookup` take them."""

    subject_key: str
    region_prefix: str
    lists: list[str]
    members: str


def row_of(selection: Selection, mode: str, values: Sequence[str], *, subject_key: str) -> str:
    """Return the row of a subject the grant reaches, or what its many rows come to, as SQL behind a LEFT JOIN."""
    reach: Reach = {
        "subject_key": subject_key,
        "region_prefix": "<<region_prefix>>",
        "lists": [f"<<list_{number}>>" for number in range(len(selection.rows.listed))],
        "members": MEMBERS,
    }
    if not is_fact(selection):
        return row_sql(selection, **reach)
    if mode == "QUERY":
        return list_sql(selection, row_limit=f"<<{ROW_LIMIT[0]}>>", **reach)
    return any_row_sql(selection, values, **reach)


def has_row_limit(selection: Selection, mode: str) -> bool:
    """Return whether a statement reads as many rows of a subject as it is told."""
    return mode == "QUERY" and is_fact(selection)


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


def call_values(signed: Signed, terms: Terms, question: Question, quota_left: int | None) -> dict[str, Any]:
    """Return the values of a record, the region the grant reaches and how many rows are asked for."""
    values = asked(signed, terms, question, quota_left)
    values["region_prefix"] = terms.region_prefix
    if question.row_limit is not None:
        values[ROW_LIMIT[0]] = question.row_limit
    return values


def terms_values(signed: Signed, terms: Terms, question: Question, quota_left: int | None) -> dict[str, Any]:
    """Return the values of a record and those of the rows the grant reaches, the lists of its row filter among them."""
    values = call_values(signed, terms, question, quota_left)
    for number, allowed in enumerate(terms.lists):
        values[f"list_{number}"] = list(allowed)
    return values


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
    return run(opened_sql(question.selection, signed.mode), ASKED, asked(signed, terms, question, quota_left)) is not None


def run(template: str, parameters: tuple[tuple[str, str], ...], values: dict[str, Any]) -> connections.Row | None:
    """Run a statement that writes a record; `call.replayed` when its nonce was answered before."""
    try:
        return connections.run(template, parameters, values)
    except psycopg2.IntegrityError as error:
        raise refusal_of(error) from None


def refusal_of(error: psycopg2.IntegrityError) -> Refusal:
    """Return why a record was not taken: its nonce was answered before, or something that must not happen."""
    if isinstance(error, errors.UniqueViolation):
        return Refusal("call.replayed")
    connections.logger.error("a call could not be recorded: %s", error.pgcode)
    return Refusal("platform.unavailable")
