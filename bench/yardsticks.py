"""Yardsticks of a call: `bare` reads one row with a prepared select; `durable` runs the platform's own statement unchecked.

Both are as thin as WSGI allows on the same server, driver and connection settings. They check nothing and sign nothing.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
django.setup()

from core.ids import uuid7  # noqa: E402
from exchange.calls import joint, registry  # noqa: E402
from exchange.calls.connections import connect  # noqa: E402
from exchange.calls.terms import Question, Signed  # noqa: E402
from exchange.systems import key_ring  # noqa: E402

Start = Callable[..., Any]
HEADERS = [("Content-Type", "application/json; charset=utf-8")]
SELECT = """
PREPARE bare (bytea) AS
SELECT json_build_object('citizen_id', citizen_id, 'name', name, 'sex', sex, 'address', address)::text
FROM basedb_person WHERE subject_key = $1"""
held = threading.local()


def _subject_key(environ: dict[str, Any]) -> bytes:
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    return key_ring().subject_key(asked["key"]["citizen_id"])


def bare(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """One prepared select on a persistent connection."""
    subject_key = _subject_key(environ)
    cursor = getattr(held, "cursor", None)
    if cursor is None:
        cursor = held.cursor = connect().cursor()
        cursor.execute(SELECT)
    cursor.execute("EXECUTE bare (%s)", (subject_key,))
    row = cursor.fetchone()
    start_response("200 OK", HEADERS)
    return [row[0].encode()]


def durable(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """The read-and-record statement of a call, without a check before it."""
    caller = registry.callers.get(environ["HTTP_X_GOV_KEY"])
    terms = registry.grants.get(environ["PATH_INFO"].split("/")[4])
    if caller is None or terms is None or terms.selection is None:
        raise LookupError
    signed = Signed(
        call_id=str(uuid7()),
        caller=caller,
        mode="QUERY",
        path=environ["PATH_INFO"],
        signed_ms=int(environ["HTTP_X_GOV_TIMESTAMP"]),
        nonce=environ["HTTP_X_GOV_NONCE"],
        digest=environ["HTTP_X_GOV_DIGEST"],
        client_ip=environ["REMOTE_ADDR"],
    )
    told = joint.read_and_record(signed, terms, Question(terms.selection, _subject_key(environ)), 0)
    if told is None:
        raise LookupError
    start_response("200 OK", HEADERS)
    return [told[0]]


ANY = """
PREPARE any_of (bytea[]) AS
SELECT citizen_id, name, sex FROM basedb_person WHERE subject_key = ANY ($1)"""


def any_of(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """One prepared select for all keys of the body, its rows answered as JSON in the order they come."""
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    ring = key_ring()
    keys = [ring.subject_key(check["key"]["citizen_id"]) for check in asked["checks"]]
    cursor = getattr(held, "any_of", None)
    if cursor is None:
        cursor = held.any_of = connect().cursor()
        cursor.execute(ANY)
    cursor.execute("EXECUTE any_of (%s::bytea[])", ("{" + ",".join([f'"\\\\x{key.hex()}"' for key in keys]) + "}",))
    rows = [{"citizen_id": row[0], "name": row[1], "sex": row[2]} for row in cursor]
    start_response("200 OK", HEADERS)
    return [json.dumps(rows, ensure_ascii=False).encode()]


WRITE = """
PREPARE write (bigint, text) AS
INSERT INTO bench_write (number, text) VALUES ($1, $2) RETURNING id"""


def write(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """One prepared insert with its commit on a persistent connection."""
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    cursor = getattr(held, "write", None)
    if cursor is None:
        cursor = held.write = connect().cursor()
        cursor.execute(WRITE)
    cursor.execute("EXECUTE write (%s, %s)", (asked["number"], asked["text"]))
    row = cursor.fetchone()
    start_response("200 OK", HEADERS)
    return [json.dumps({"id": row[0]}).encode()]
