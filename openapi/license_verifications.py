"""The door of license lookups (证照核验入口): a plain WSGI callable, named in settings/wsgi.py, beside Django instead of inside it.

Anybody may ask by identifier or QR code: one trip to Redis for the limit, one statement, shared by lookups that wait at the same
moment (`openapi.license_trip`). Whoever shows a session or a signature, and whoever sends a file, is Django's
(`openapi.v1.license_verifications`), which also documents this door.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http.client import responses
from typing import Any, Final
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import translation
from django.utils.translation import gettext as _

from core.errors import DomainError, Invalid, Unavailable
from core.ids import uuid7
from exchange.calls import connections
from licenses.models import VerificationDoor
from licenses.numbering import Identifier
from licenses.status.checker import Code, read_code
from licenses.verification import counting, limits
from licenses.verification.checks import read_identifier, with_foreign_issuer
from licenses.verification.judging import judge
from licenses.verification.outcome import Result
from openapi.license_trip import count_and_find

logger = logging.getLogger(__name__)

PATH: Final = "/openapi/v1/license-verifications"
QUESTIONS: Final = frozenset({"identifier", "code"})
STATUS_LINES: Final = {code: f"{code} {phrase}" for code, phrase in responses.items()}
JSON: Final = ("Content-Type", "application/json; charset=utf-8")
ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
NEVER_KEPT: Final = ("Cache-Control", "no-store")


def is_mine(environ: Mapping[str, Any]) -> bool:
    """Return whether a request is answered here: a lookup of somebody who shows neither a session nor a signature."""
    return (
        environ["PATH_INFO"] == PATH
        and environ.get("REQUEST_METHOD") == "GET"
        and "HTTP_X_GOV_KEY" not in environ
        and f"{settings.SESSION_COOKIE_NAME}=" not in environ.get("HTTP_COOKIE", "")
    )


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one lookup."""
    request_id = str(uuid7())
    headers = [JSON, NEVER_KEPT, ("X-Request-Id", request_id)]
    with translation.override(settings.LANGUAGE_CODE):
        try:
            result, allowance = _answered(environ, datetime.now(tz=UTC))
            status, told = 200, result.told() | {"request_id": request_id}
            headers += allowance.headers()
        except DomainError as error:
            status, told = error.status, _refused(error, request_id)
            if isinstance(error, limits.TooMany):
                headers += [*error.allowance.headers(), ("Retry-After", str(error.wait))]
        except Exception as error:  # the last line of defence: nothing of the error leaves, its text may quote values
            logger.error("a lookup failed: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            away = Unavailable("platform.unavailable", _("平台暂时不可用，请稍后再试。"))
            status, told = away.status, _refused(away, request_id)
    body = ENCODER.encode(told).encode()
    start_response(STATUS_LINES[status], [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _answered(environ: Mapping[str, Any], now: datetime) -> tuple[Result, limits.Allowance]:
    code = asked_in(environ.get("QUERY_STRING") or "")
    asked = read_identifier(code.identifier)
    allowance, found = count_and_find(str(environ.get("REMOTE_ADDR") or ""), asked)
    result = judge(asked, found, now=now, position=code.position)
    if result.issuer.code == "issuer.unknown":
        result = _with_foreign_issuer(result, asked, now)
    counting.tally.count(VerificationDoor.REST.value, result.outcome, now, _add)
    return result, allowance


def _with_foreign_issuer(result: Result, asked: Identifier, now: datetime) -> Result:
    """Ask the trust list, by Django's connection, which nobody else tidies up here."""
    close_old_connections()
    try:
        return with_foreign_issuer(result, asked, now)
    except DatabaseError:
        raise Unavailable("platform.unavailable", _("平台暂时不可用，请稍后再试。")) from None
    finally:
        close_old_connections()


def asked_in(query: str) -> Code:
    """Return what a query string asks after; Invalid for anything but one identifier or one code."""
    try:
        given = parse_qsl(query, keep_blank_values=True, max_num_fields=2)
    except ValueError:
        given = []
    if len(given) != 1 or given[0][0] not in QUESTIONS:
        text = _("请只给出一个参数：identifier（电子证照标识）或 code（二维码内容）。")
        raise Invalid("verification.wrong_question", text, {"identifier": [text]})
    name, text = given[0]
    return read_code(text) if name == "code" else Code(text, None, "")


def _add(line: Mapping[str, Any]) -> None:
    connections.rows(counting.UPSERT, counting.PARAMETERS, line)


def _refused(error: DomainError, request_id: str) -> dict[str, Any]:
    return {"code": error.code, "message": str(error.message), "details": error.details, "request_id": request_id}
