"""The yardstick of a streamed copy: the very same COPY through a pipe into a WSGI answer, with no check, digest or record."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
django.setup()

from basedb.lookup import copy_sql  # noqa: E402
from exchange.calls import registry  # noqa: E402
from exchange.calls.connections import BULK_TIMEOUT_MS, connect  # noqa: E402

CHUNK = 65_536


def copy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer all rows of the grant in the path."""
    terms = registry.grants.get(environ["PATH_INFO"].split("/")[4])
    if terms is None or terms.selection is None:
        raise LookupError
    start_response("200 OK", [("Content-Type", "text/csv; charset=utf-8")])
    return _rows(copy_sql(terms.selection, **terms.inside()))


def _rows(sql: str) -> Iterator[bytes]:
    reading, writing = os.pipe()
    connection = connect(BULK_TIMEOUT_MS)

    def push() -> None:
        with os.fdopen(writing, "wb") as pipe, connection.cursor() as cursor:
            cursor.copy_expert(sql, pipe, CHUNK)

    pusher = threading.Thread(target=push)
    pusher.start()
    while chunk := os.read(reading, CHUNK):
        yield chunk
    pusher.join()
    os.close(reading)
    connection.close()
