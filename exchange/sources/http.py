"""One HTTP(S) request to a host above (外联请求): bounded in time, size and attempts, never redirected.

A request is sent again once at most, and only when the connection could not be made: it has not been there yet.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
from django.conf import settings
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.util import Retry, Timeout

from exchange.calls.refusals import Refusal
from exchange.sources.guard import Failed
from exchange.sources.hosts import is_url_allowed

# The library tells of every connection it makes anew with the whole address, in which keys and secrets may stand.
logging.getLogger("urllib3").setLevel(logging.ERROR)

ANSWER_AT_MOST: Final = 1_048_576
CHUNK: Final = 65_536
CONNECT_SECONDS: Final = 2.0
HOSTS_AT_MOST: Final = 32
ONCE_MORE: Final = Retry(total=1, connect=1, read=0, redirect=0, status=0, other=0, raise_on_status=False)
REFUSED: Final = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 415, 422})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status below 500 and its JSON."""

    status: int
    document: Any


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout_ms: int,
    body: Mapping[str, Any] | None = None,
    query: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request and return its answer; Failed when the other side did not answer in time or answered with an error."""
    if not is_url_allowed(url):
        raise Refusal("upstream.refused", {"source": "host_not_allowed"})
    deadline = time.monotonic() + timeout_ms / 1000
    content = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
    try:
        answer = _pool(settings.SOURCE_CA_FILE).request(
            method,
            url if not query else f"{url}{'&' if '?' in url else '?'}{urlencode(query)}",
            body=content,
            headers={**headers, "Accept": "application/json", **({"Content-Type": "application/json"} if content else {})},
            timeout=Timeout(connect=min(CONNECT_SECONDS, timeout_ms / 1000), read=timeout_ms / 1000),
            retries=ONCE_MORE,
            redirect=False,
            preload_content=False,
        )
    except (HTTPError, OSError) as error:
        raise _failure(error) from None
    return _read(answer, deadline)


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> Reply:
    """Read an answer to its end; one that drips in slowly is given up at the deadline."""
    parts = bytearray()
    try:
        for part in parts_of(answer, deadline):
            parts += part
            if len(parts) > ANSWER_AT_MOST:
                raise Refusal("upstream.refused", {"source": "answer_too_large"})
    except (HTTPError, OSError) as error:
        raise _failure(error) from None
    finally:
        answer.close()
    if answer.status == 429 or answer.status >= 500:
        raise _failed("upstream.unavailable", f"http_{answer.status}")
    try:
        document = json.loads(parts) if parts else None
    except (ValueError, RecursionError):
        if answer.status in REFUSED:
            return Reply(answer.status, None)
        raise Refusal("upstream.refused", {"source": "answer_not_json"}) from None
    return Reply(answer.status, document)


def parts_of(answer: urllib3.BaseHTTPResponse, deadline: float) -> Iterator[bytes]:
    """Hand out the parts of an answer as they come in; TimeoutError at the deadline, however small they are."""
    while part := answer.read1(CHUNK, decode_content=True):  # `stream` would wait until a whole chunk is there
        if time.monotonic() > deadline:
            raise TimeoutError
        yield part


def _failure(error: Exception) -> Failed:
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(cause, ReadTimeoutError | TimeoutError):
        return _failed("upstream.timeout", "took_too_long")
    if isinstance(cause, ConnectTimeoutError | NewConnectionError):
        return _failed("upstream.unavailable", "connection_failed")
    return _failed("upstream.unavailable", "connection_broken")


def _failed(code: str, detail: str) -> Failed:
    return Failed(Refusal(code, {"source": detail}))


@lru_cache(maxsize=4)
def _pool(ca_file: str) -> urllib3.PoolManager:
    options: dict[str, Any] = {"ca_certs": ca_file} if ca_file else {}
    return urllib3.PoolManager(num_pools=HOSTS_AT_MOST, maxsize=8, block=False, cert_reqs="CERT_REQUIRED", **options)
