"""The door of exchange calls (调用入口): a plain WSGI callable, named in settings/wsgi.py, beside Django instead of inside it.

It turns a request into what `exchange.calls` understands and back; it decides nothing. Documented by `openapi.v1.calls`.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from http.client import responses
from typing import Any, Final

from exchange.calls.answering import answer, refuse
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Answer, Incoming
from openapi.call_paths import Asked, operation_at

logger = logging.getLogger(__name__)

PATH: Final = re.compile("/openapi/v1/calls/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(verify|query|bulk)")
LARGEST: Final = 2**31 - 1
STATUS_LINES: Final = {code: f"{code} {phrase}" for code, phrase in responses.items()}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one call."""
    try:
        given = _answered(environ)
    except Refusal as refusal:
        given = refuse(refusal)
    except Exception as error:  # the last line of defence: nothing of the error leaves, its text may quote values
        logger.error("a call failed: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        given = refuse(Refusal("platform.unavailable"))
    start_response(STATUS_LINES[given.status], given.headers)
    return given.body


def _answered(environ: dict[str, Any]) -> Answer:
    asked = _asked(environ["PATH_INFO"], environ["REQUEST_METHOD"])
    if environ.get("QUERY_STRING") and asked.mode != "FEATURES":
        raise Refusal("call.unknown_path", {"query": "not_signed_and_not_allowed"})
    return answer(incoming(environ, asked, partial(read_body, environ)), now=datetime.now(tz=UTC))


def incoming(environ: dict[str, Any], asked: Asked, read: Callable[[int], bytes]) -> Incoming:
    """Return a request as the rules of calls know it."""
    header = environ.get
    query, announced = header("QUERY_STRING") or "", header("CONTENT_LENGTH") or ""
    path = environ["PATH_INFO"]
    return Incoming(
        path=f"{path}?{query}" if query else path,
        grant_uid=asked.grant_uid,
        mode=asked.mode,
        key=header("HTTP_X_GOV_KEY", ""),
        timestamp=header("HTTP_X_GOV_TIMESTAMP", ""),
        nonce=header("HTTP_X_GOV_NONCE", ""),
        digest=header("HTTP_X_GOV_DIGEST", ""),
        signature=header("HTTP_X_GOV_SIGNATURE", ""),
        algorithm=header("HTTP_X_GOV_ALGORITHM", ""),
        client_ip=peer_of(environ),
        read=read,
        byte_count=min(int(announced), LARGEST) if announced.isdecimal() else None,
        method=environ["REQUEST_METHOD"],
        operation=asked.operation,
        place=asked.place,
        wanted_range=header("HTTP_RANGE", ""),
        if_range=header("HTTP_IF_RANGE", ""),
        if_none_match=header("HTTP_IF_NONE_MATCH", ""),
        query=query,
    )


def _asked(path: str, method: str) -> Asked:
    matched = PATH.fullmatch(path)
    if matched is None:
        return operation_at(path, method)
    if method != "POST":
        raise Refusal("call.method_not_allowed", {"allowed": "POST"})
    return Asked(matched[1], matched[2].upper())


def peer_of(environ: dict[str, Any]) -> str | None:
    """Return the caller's address, without the zone of a link-local one, which no record can hold."""
    return str(environ.get("REMOTE_ADDR") or "").partition("%")[0] or None


def read_body(environ: dict[str, Any], at_most: int) -> bytes:
    """Return the body up to a length; a body without an announced length is read until it ends."""
    announced = environ.get("CONTENT_LENGTH") or ""
    length = min(int(announced), at_most) if announced.isdecimal() else at_most
    body: bytes = environ["wsgi.input"].read(length)
    return body
