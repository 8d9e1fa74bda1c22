"""Records of what was not answered (拒绝留痕): refused calls of known systems, and how bulk answers ended.

Both are appended; nothing is ever changed. Calls of nobody we know are counted in `attempts` instead.
"""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg2

from core.ids import uuid7
from exchange.calls import connections
from exchange.calls.refusals import REFUSALS, Refusal
from exchange.calls.statement import asked
from exchange.calls.terms import Question, Signed, Terms

COLUMNS: Final = (
    ("signed_ms", "bigint"),
    ("consumer_id", "bigint"),
    ("call_id", "uuid"),
    ("parent_call_id", "uuid"),
    ("credential_id", "bigint"),
    ("nonce", "text"),
    ("grant_id", "bigint"),
    ("grant_version", "integer"),
    ("resource_id", "bigint"),
    ("provider_id", "bigint"),
    ("department_id", "bigint"),
    ("mode", "text"),
    ("outcome", "text"),
    ("fields", "varchar(40)[]"),
    ("subject_key", "bytea"),
    ("row_count", "bigint"),
    ("request_digest", "bytea"),
    ("answer_digest", "bytea"),
    ("client_ip", "inet"),
    ("status", "smallint"),
    ("duration_us", "bigint"),
    ("request_bytes", "integer"),
    ("answer_bytes", "bigint"),
    ("subject_count", "integer"),
    ("matter", "text"),
    ("officer", "text"),
    ("case_number", "text"),
)
INSERT: Final = (
    f"INSERT INTO exchange_callrecord (requested_at, {', '.join(name for name, _ in COLUMNS[1:])}) "
    f"VALUES (to_timestamp(<<signed_ms>>::float8 / 1000), {', '.join(f'<<{name}>>' for name, _ in COLUMNS[1:])})"
)


def record_refusal(signed: Signed, terms: Terms | None, question: Question | None, code: str) -> None:
    """Append the record of a refused call; one whose signed time is not to be trusted stands under the time of now."""
    values = refusal_values(signed, terms, question, code)
    if code == "auth.clock_skew":
        values["signed_ms"] = int(time.time() * 1000)
    _append(values)


def refusal_values(signed: Signed, terms: Terms | None, question: Question | None, code: str) -> dict[str, Any]:
    """Return the values of `INSERT` for a refused call."""
    return _values(signed, terms, question) | {"outcome": code, "status": REFUSALS[code].status}


def record_closed(
    signed: Signed,
    terms: Terms,
    question: Question,
    *,
    outcome: str,
    row_count: int | None,
    answer_digest: bytes,
    answer_bytes: int | None = None,
) -> None:
    """Append the closing record of a bulk call, under its own call id, naming the opened one."""
    values = _values(signed, terms, question) | {
        "call_id": str(uuid7()),
        "parent_call_id": signed.call_id,
        "outcome": outcome,
        "row_count": row_count,
        "answer_digest": answer_digest,
        "answer_bytes": answer_bytes,
    }
    _append(values)


def _values(signed: Signed, terms: Terms | None, question: Question | None) -> dict[str, Any]:
    known = asked(signed, terms, question)
    return known | {
        "parent_call_id": None,
        "mode": signed.mode,
        "fields": list(question.selection.items) if question else None,
        "subject_key": question and question.subject_key,
        "row_count": None,
        "request_digest": bytes.fromhex(signed.digest),
        "answer_digest": None,
        "status": 200,
        "duration_us": known["elapsed_us"],
        "answer_bytes": None,
    }


def _append(values: dict[str, Any]) -> None:
    try:
        connections.run(INSERT, COLUMNS, values)
    except psycopg2.IntegrityError as error:
        connections.logger.error("a refusal could not be recorded: %s", error.pgcode)
        raise Refusal("platform.unavailable") from None
