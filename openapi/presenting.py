"""The door of presenting for systems and phones (亮证接口): plain WSGI beside Django, as the door of calls.

Four requests make a round: the holder's phone asks for a code, a desk's system scans it, the phone answers, the system reads.
Systems sign as for calls; phones carry the cookie of their session. It decides nothing. Documented by `openapi.v1.presenting`.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, close_old_connections, connection

from core.errors import DomainError
from core.ids import uuid7
from exchange.calls.answering import answer, refuse
from exchange.calls.reading import read_signed
from exchange.calls.refusals import REFUSALS, Refusal
from exchange.calls.shape import BODY_AT_MOST, check_size
from exchange.calls.terms import Answer
from exchange.calls.values import read_object
from exchange.presenting import entering
from licenses.presenting import codes, sessions
from openapi import holder_trip
from openapi.call_paths import UID, Asked
from openapi.calls import STATUS_LINES, incoming, read_body

logger = logging.getLogger(__name__)

ROOT: Final = "/openapi/v1"
PREFIXES: Final = (f"{ROOT}/presentations", f"{ROOT}/holder-sessions", f"{ROOT}/holder/")
READ: Final = re.compile(f"{ROOT}/presentations/({UID})/read")
ANSWER: Final = re.compile(f"{ROOT}/holder/codes/({UID})/answer")
GRANT: Final = re.compile(UID)
TOKEN: Final = re.compile(rf"(?:^|;\s*){sessions.COOKIE}=([A-Za-z0-9_-]{{1,100}})(?:;|$)")
NOBODYS: Final = "00000000-0000-0000-0000-000000000000"
HEADERS: Final = [("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store")]


def serves(path: str, method: str) -> bool:
    """Return whether a request is this door's; reading where something stands is Django's."""
    return method == "POST" and path.startswith(PREFIXES)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    try:
        given = _answered(environ)
    except Refusal as refusal:
        given = refuse(refusal)
    except DomainError as error:
        given = _told(error.status, _error(error))
    except Exception as error:  # the last line of defence: nothing of the error leaves, its text may quote values
        logger.error("presenting failed: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        given = refuse(Refusal("platform.unavailable"))
    start_response(STATUS_LINES[given.status], given.headers)
    return given.body


def _answered(environ: dict[str, Any]) -> Answer:
    path = environ["PATH_INFO"]
    if environ.get("QUERY_STRING"):
        raise Refusal("call.unknown_path", {"query": "not_signed_and_not_allowed"})
    body = read_body(environ, BODY_AT_MOST + 1)
    if path == f"{ROOT}/presentations":
        return _called(environ, body, Asked(_grant_in(body), "QUERY", "presenting.scan"))
    if matched := READ.fullmatch(path):
        return _called(environ, body, Asked(_grant_in(body), "QUERY", "presenting.read", (matched[1],)))
    if path == f"{ROOT}/holder/codes":
        return _code(environ, body)
    if matched := ANSWER.fullmatch(path):
        return _confirmed(environ, body, UUID(matched[1]))
    if path == f"{ROOT}/holder-sessions":
        return _let_in(environ, body)
    raise Refusal("call.unknown_path")


def _called(environ: dict[str, Any], body: bytes, asked: Asked) -> Answer:
    return answer(incoming(environ, asked, lambda at_most: body[:at_most]), now=datetime.now(tz=UTC))


def _grant_in(body: bytes) -> str:
    """Return the grant a body names; the body is checked again once its signature is."""
    try:
        grant = json.loads(body).get("grant", "")
    except (ValueError, RecursionError, AttributeError):
        return NOBODYS
    return grant if isinstance(grant, str) and GRANT.fullmatch(grant) else NOBODYS


def _code(environ: dict[str, Any], body: bytes) -> Answer:
    given = _of_phone(environ, body, {"licenses"})
    chosen = given.get("licenses", [])
    if not isinstance(chosen, list) or not all(isinstance(row, str) for row in chosen):
        raise Refusal("call.invalid_parameter", {"licenses": "must_be_a_list_of_texts"})
    now = datetime.now(tz=UTC)
    code, uid, until = codes.create(token=_token(environ), chosen=chosen, now=now, make=holder_trip.make)
    return _told(201, {"code": code, "uid": str(uid), "expires_at": until.isoformat()})


def _confirmed(environ: dict[str, Any], body: bytes, uid: UUID) -> Answer:
    given = _of_phone(environ, body, {"answer", "items"})
    token, now = _token(environ), datetime.now(tz=UTC)
    if given.get("answer") == "refuse" and "items" not in given:
        codes.refuse(token=token, uid=uid, now=now, reply=holder_trip.reply)
        return _told(200, {"uid": str(uid), "state": "REFUSED", "read_until": None})
    items = given.get("items")
    if given.get("answer") != "confirm" or not (items is None or _are_items(items)):
        raise Refusal("call.invalid_parameter", {"answer": "must_be_confirm_or_refuse"})
    until = codes.confirm(token=token, uid=uid, given=items, now=now, reply=holder_trip.reply)
    return _told(200, {"uid": str(uid), "state": "CONFIRMED", "read_until": until.isoformat()})


def _are_items(items: Any) -> bool:
    return isinstance(items, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in items.values()
    )


def _of_phone(environ: dict[str, Any], body: bytes, known: set[str]) -> Mapping[str, Any]:
    """Return a phone's body; a form of another site cannot send this content type without asking first."""
    _look_after_connection()  # what was refused is explained through it
    check_size(body, BODY_AT_MOST)
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != "application/json":
        raise Refusal("call.invalid_parameter", {"Content-Type": "must_be_application_json"})
    given = read_object(body)
    if set(given) - known:
        raise Refusal("call.invalid_parameter", {"body": "unknown_fields"})
    return given


def _look_after_connection() -> None:
    """Replace Django's connection when it is lost; nobody does it here between requests."""
    if not connection.in_atomic_block:
        close_old_connections()


def _token(environ: dict[str, Any]) -> str:
    found = TOKEN.search(environ.get("HTTP_COOKIE", ""))
    return found[1] if found else _ended()


def _ended() -> str:
    raise sessions.refusal(token="", now=datetime.now(tz=UTC))


def _let_in(environ: dict[str, Any], body: bytes) -> Answer:
    """Let a holder in on the word of an identity application; seldom, and through Django's connection."""
    now = datetime.now(tz=UTC)
    check_size(body, BODY_AT_MOST)
    signed = read_signed(incoming(environ, Asked("", "QUERY"), lambda _at_most: body), now=now)
    _look_after_connection()
    try:
        told = entering.let_in(system_id=signed.caller.system_id, given=read_object(body), client_ip=signed.client_ip, now=now)
    except Refusal as refusal:
        return refuse(refusal, signed)
    except DomainError as error:
        if error.code in REFUSALS:
            return refuse(Refusal(error.code), signed)
        raise
    except DatabaseError as error:
        logger.error("a holder could not be let in: %s", type(error).__name__)
        return refuse(Refusal("platform.unavailable"), signed)
    return _told(201, told)


def _error(error: DomainError) -> dict[str, Any]:
    details = {name: value if isinstance(value, list) else [str(value)] for name, value in error.details.items()}
    return {"code": error.code, "message": str(error.message), "details": details, "request_id": str(uuid7())}


def _told(status: int, values: Mapping[str, Any]) -> Answer:
    body = json.dumps(values, ensure_ascii=False, default=str).encode()
    return Answer(status, HEADERS, [body])
