"""Systems of the demo calling (示例调用): signed like any partner's calls and put through the very door that answers those.

One call at a time, several with many keys, some refused, one bulk job ordered. What they leave behind fills the pages of
calls, monitoring, tracing and jobs; nothing is written past the door.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection

from basedb.dictionary import DATASETS
from exchange.models import CallRecord
from openapi.calls import application

HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}
TIMES = 12
SPREAD_MS = 240_000  # signed within the last minutes: older calls the door refuses
ASKED_ABOUT = {
    "citizen_id": "population.person",
    "uscc": "legal_entity.enterprise",
    "subject_code": "credit.penalty",
    "holder_code": "license.license",
}
CONTEXT = {"matter": "XSRX", "officer": "JY0231"}


def make(systems: list[dict[str, Any]]) -> int:
    """Let every system of demo.json call its grants, unless calls were made before; return how many calls were made."""
    if CallRecord.objects.exists():
        return 0
    made = 0
    for system in systems:
        for grant in system["grants"]:
            bodies = list(_bodies(grant))
            for number, (operation, body) in enumerate(bodies):
                _call(system, f"{grant['grant']}/{operation}", body, before_ms=SPREAD_MS - SPREAD_MS * number // len(bodies))
                made += 1
    return made


def _bodies(grant: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what a system asks under a grant: one subject after another, many at once, and a thing or two it may not."""
    (name,) = grant["sample_key"]
    keys = [{name: value} for value in _values(ASKED_ABOUT[name])]
    if grant["mode"] == "BULK":
        yield "bulk", {"format": "csv", "context": CONTEXT}
        yield "jobs", {"format": "csv", "context": CONTEXT}
        return
    compared = dict.fromkeys(grant["fields"][:1], "王小明")
    for key in keys[:TIMES]:
        yield grant["mode"].lower(), {"key": key, "context": CONTEXT} | _asked(grant, compared)
    if grant["mode"] == "VERIFY":
        yield "verify", {"checks": [{"key": key, "attributes": compared} for key in keys], "context": CONTEXT}
    else:
        yield "query", {"keys": keys, "context": CONTEXT}
    yield grant["mode"].lower(), {"key": keys[0], "context": CONTEXT | {"matter": "QTSX"}} | _asked(grant, {"phone": "0"})


def _asked(grant: dict[str, Any], compared: dict[str, str]) -> dict[str, Any]:
    return {"attributes": compared} if grant["mode"] == "VERIFY" else {}


def _values(code: str) -> list[str]:
    dataset = DATASETS[code]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {dataset.key_field} FROM {dataset.table} ORDER BY id LIMIT 3 * %s", [TIMES])
        return [value for (value,) in cursor.fetchall()]


def _call(system: dict[str, Any], rest: str, body: dict[str, Any], *, before_ms: int) -> None:
    """Sign one call and put it through the door, to the last byte of the answer."""
    path, raw = f"/openapi/v1/calls/{rest}", json.dumps(body, ensure_ascii=False).encode()
    stamp, nonce, digest = str(int(time.time() * 1000) - before_ms), secrets.token_urlsafe(16), hashlib.sha256(raw).hexdigest()
    text = "\n".join(("POST", path, stamp, nonce, digest))
    signature = hmac.digest(system["secret"].encode(), text.encode(), HASHES[system["algorithm"]])
    answer = application(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
            "HTTP_X_GOV_KEY": system["key"],
            "HTTP_X_GOV_TIMESTAMP": stamp,
            "HTTP_X_GOV_NONCE": nonce,
            "HTTP_X_GOV_DIGEST": digest,
            "HTTP_X_GOV_SIGNATURE": base64.b64encode(signature).decode(),
        },
        lambda status, headers: None,
    )
    for _chunk in answer:
        pass
    close = getattr(answer, "close", None)
    if close is not None:
        close()
