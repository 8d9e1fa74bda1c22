"""The door of the national convention (国家规范入口): /httpproxy and /sysapi/auth/refreshappsecret, beside Django.

It reads headers of both generations and of ours, in headers or in the body, and decides nothing. Documented in docs/sources.md.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from exchange.calls import shape
from exchange.calls.answering import refuse
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Answer
from exchange.national import serving, sessions, signing
from exchange.national.serving import Given
from openapi.calls import STATUS_LINES, peer_of, read_body

logger = logging.getLogger(__name__)

PATHS: Final = frozenset({serving.PATH, sessions.PATH})
PARTS: Final = (*signing.PARTS, "nonce", "digest")
METHODS: Final = {serving.PATH: ("GET", "POST"), sessions.PATH: ("POST",)}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request of the convention."""
    try:
        given = _answered(environ)
    except Refusal as refusal:
        given = serving.enveloped(refuse(refusal))
    except Exception as error:  # the last line of defence: nothing of the error leaves, its text may quote values
        logger.error("a national call failed: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        given = serving.enveloped(refuse(Refusal("platform.unavailable")))
    start_response(STATUS_LINES[given.status], given.headers)
    return given.body


def _answered(environ: dict[str, Any]) -> Answer:
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if method not in METHODS[path]:
        raise Refusal("call.method_not_allowed", {"allowed": ", ".join(METHODS[path])})
    query = environ.get("QUERY_STRING", "")
    if query and method == "POST":
        raise Refusal("call.invalid_parameter", {"query": "not_allowed_with_a_body"})
    body = query.encode("latin-1") if method == "GET" else read_body(environ, shape.BODY_AT_MOST + 1)
    parts = _parts(environ) or (_parts_of_body(body) if path == sessions.PATH else {})
    given = Given(
        method=method,
        client_ip=peer_of(environ),
        body=body,
        is_form=environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"),
        **{part: parts.get(part, "") for part in PARTS},
    )
    now = datetime.now(tz=UTC)
    return sessions.refresh(given, now=now) if path == sessions.PATH else serving.serve(given, now=now)


def _parts(environ: dict[str, Any]) -> dict[str, str]:
    """Return the parts of the one family of headers that is there; two families in one request are refused."""
    found = []
    for prefix in signing.PREFIXES.values():
        start = f"HTTP_{prefix.upper().replace('-', '_')}"
        parts = {part: environ[start + part.upper()] for part in PARTS if start + part.upper() in environ}
        if "sign" in parts or "rid" in parts:
            found.append(parts)
    if len(found) > 1:
        raise Refusal("auth.missing_header", {"headers": "of_two_generations"})
    return found[0] if found else {}


def _parts_of_body(body: bytes) -> dict[str, str]:
    """Return the four fields of a refresh whose body carries them."""
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict):
        return {}
    lower = {str(name).lower(): str(value) for name, value in fields.items() if isinstance(value, str | int)}
    for prefix in signing.PREFIXES.values():
        parts = {part: lower[prefix.lower() + part] for part in signing.PARTS if prefix.lower() + part in lower}
        if parts:
            return parts
    return {}
