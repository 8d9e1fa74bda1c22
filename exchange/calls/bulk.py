"""Bulk answers (批量复制): COPY through a pipe in constant memory; a thread pushes, the response reads.

The opened record is committed before the first byte. However the transfer ends, a closing record is appended that says
how many rows and which bytes were handed over. Masks and columns are in the COPY itself. A revocation ends it within seconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from basedb.lookup import copy_sql
from exchange.calls import connections, records, registry, shape
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms

AT_ONCE: Final = 4
AT_ONCE_A_KEY: Final = 2
CHUNK: Final = 262_144
# The server ends a broken answer as it ends a whole one. So the last line says it, and the open quote stops any reader of CSV.
ABORTED: Final = b'\n"!call.aborted'
PIPE: Final = 1_048_576  # the two threads take turns less often than over the usual 64 KiB
CHECKED_EVERY_SECONDS: Final = 2.0
_counting = threading.Lock()
_taken: Final[Counter[int]] = Counter()  # credential -> its places


def take_place(credential_id: int) -> None:
    """Take one of this process's places for bulk answers, or refuse; `give_place` returns it. No key can hold them all."""
    with _counting:
        if _taken[credential_id] >= AT_ONCE_A_KEY:
            raise Refusal("platform.busy", {"bulk": f"more_than_{AT_ONCE_A_KEY}_at_once_of_this_key"})
        if _taken.total() >= AT_ONCE:
            raise Refusal("platform.busy")
        _taken[credential_id] += 1


def give_place(credential_id: int) -> None:
    """Return a place."""
    with _counting:
        _taken[credential_id] -= 1
        if not _taken[credential_id]:
            del _taken[credential_id]


def connect() -> Connection:
    """Return a connection for one bulk answer: asked for before anything is recorded."""
    try:
        return connections.connect(connections.BULK_TIMEOUT_MS)
    except psycopg2.Error:
        raise Refusal("platform.unavailable") from None


class Transfer:
    """The rows of one bulk call on their way; iterate once, then `close` (the server does, also when the caller went away)."""

    def __init__(self, signed: Signed, terms: Terms, question: Question, connection: Connection) -> None:
        self._call = signed, terms, question
        self._digest = hashlib.sha256()
        self._byte_count = 0
        self._row_count: int | None = None
        self._is_complete = False
        self._is_closed = False
        self._check_at = time.monotonic() + CHECKED_EVERY_SECONDS
        self._connection = connection
        self._reading, self._writing = os.pipe()
        with contextlib.suppress(OSError):  # beyond what the system allows a user, it stays as it is
            fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, PIPE)
        self._pusher = threading.Thread(target=self._push, name="bulk-copy", daemon=True)

    def __iter__(self) -> Iterator[bytes]:
        self._pusher.start()
        try:
            try:
                while chunk := os.read(self._reading, CHUNK):
                    self._check_grant()
                    self._digest.update(chunk)
                    self._byte_count += len(chunk)
                    yield chunk
                self._pusher.join()
                self._is_complete = self._row_count is not None
            except Refusal as refusal:
                connections.logger.warning("a bulk answer was ended: %s %s", refusal.code, self._call[0].call_id)
            if not self._is_complete:
                yield ABORTED
        finally:
            self.close()

    def _check_grant(self) -> None:
        """Break off when the grant is not what it was: asked of what this process remembers, a few seconds old at most."""
        if time.monotonic() < self._check_at:
            return
        signed, terms, _ = self._call
        found = registry.grants.get(terms.uid)
        shape.check_terms(found, signed.caller.system_id, signed.mode, datetime.now(tz=UTC))
        if found is None or found.version != terms.version:
            raise Refusal("grant.unusable", {"grant": "has_changed"})
        self._check_at = time.monotonic() + CHECKED_EVERY_SECONDS

    def _push(self) -> None:
        _, terms, question = self._call
        try:
            with os.fdopen(self._writing, "wb", CHUNK) as pipe, self._connection.cursor() as cursor:
                cursor.copy_expert(copy_sql(question.selection, **terms.inside()), pipe, CHUNK)
                pipe.flush()
                self._row_count = cursor.rowcount
        except (psycopg2.Error, OSError) as error:
            connections.logger.error("a bulk answer broke off: %s", type(error).__name__)

    def close(self) -> None:
        """Append the closing record and give everything back; only the first call does something."""
        if self._is_closed:
            return
        self._is_closed = True
        os.close(self._reading)
        if self._pusher.ident is None:
            os.close(self._writing)
        elif self._pusher.is_alive():
            self._connection.cancel()
            self._pusher.join()
        self._connection.close()
        give_place(self._call[0].caller.credential_id)
        self._record()

    def _record(self) -> None:
        try:
            records.record_closed(
                *self._call,
                outcome="call.closed" if self._is_complete else "call.aborted",
                row_count=self._row_count if self._is_complete else None,
                answer_digest=self._digest.digest(),
                answer_bytes=self._byte_count,
            )
        except Refusal:
            connections.logger.error("a bulk answer ended without its closing record: %s", self._call[0].call_id)
