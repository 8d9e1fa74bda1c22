"""Attempts that are counted by minute (未识别的调用), not recorded one by one, so that nobody can fill the disk.

These are the attempts of nobody we know, and refusals of a known key beyond what is recorded of it in a minute. Counts
gather in the process, in bounded number, and are added to the table about once a second. Beyond the bound they go on
counting without key and address. What could not be recorded because PostgreSQL was away is counted here as well.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import psycopg2
from psycopg2.extras import execute_values

from exchange.calls import connections

logger = logging.getLogger(__name__)

DISTINCT_A_MINUTE: Final = 50
RECORDED_A_MINUTE: Final = 60
FLUSH_SECONDS: Final = 1.0
OTHERS: Final = bytes(8)
UPSERT: Final = """
INSERT INTO exchange_rejectedattempt (minute, code, key_digest, client_ip, count) VALUES %s
ON CONFLICT (minute, code, key_digest, client_ip) DO UPDATE SET count = exchange_rejectedattempt.count + EXCLUDED.count"""

Kind = tuple[datetime, str, bytes, str | None]


class RecordLimit:
    """How many refusals this process has recorded this minute, by key and code, of those a captured request can cause.

    Whoever sends an old request again needs no secret. Every other refusal takes a signature of the last five minutes and is
    always recorded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._recorded: Counter[tuple[int, str]] = Counter()

    def take(self, credential_id: int, code: str) -> bool:
        """Return whether one more refusal may be recorded."""
        if not code.startswith("auth.") and code != "call.replayed":
            return True
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._recorded = minute, Counter()
            self._recorded[credential_id, code] += 1
            return self._recorded[credential_id, code] <= RECORDED_A_MINUTE


class Tally:
    """Counts that wait to be added to the table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._adding = threading.Lock()
        self._waiting: Counter[Kind] = Counter()
        self._minute: datetime | None = None
        self._seen: set[Kind] = set()
        self._is_timed = False

    def count(self, code: str, key: str, client_ip: str | None) -> None:
        """Count one attempt."""
        minute = datetime.now(tz=UTC).replace(second=0, microsecond=0)
        kind: Kind = (minute, code, hashlib.sha256(key[:64].encode()).digest()[:8], client_ip)
        with self._lock:
            if minute != self._minute:
                self._minute, self._seen = minute, set()
            if kind not in self._seen and len(self._seen) >= DISTINCT_A_MINUTE:
                kind = (minute, code, OTHERS, None)
            self._seen.add(kind)
            self._waiting[kind] += 1
            if not self._is_timed:
                self._is_timed = True
                timer = threading.Timer(FLUSH_SECONDS, self.flush)
                timer.daemon = True
                timer.start()

    def flush(self) -> None:
        """Add what waits to the table; when the database is away it waits for the next attempt, a day's worth at most.

        When this returns, what was counted before is in the table, whichever thread added it.
        """
        with self._adding:
            with self._lock:
                waiting, self._waiting, self._is_timed = self._waiting, Counter(), False
            if not waiting:
                return
            try:
                connection = connections.connect()
                try:
                    with connection.cursor() as cursor:
                        rows = sorted(((*kind, number) for kind, number in waiting.items()), key=str)  # one order of locks
                        execute_values(cursor, UPSERT, [(*row[:2], psycopg2.Binary(row[2]), *row[3:]) for row in rows])
                finally:
                    connection.close()
            except psycopg2.Error as error:
                logger.error("attempts could not be added: %s %s", type(error).__name__, error.pgcode)
                with self._lock:
                    if len(self._waiting) < DISTINCT_A_MINUTE * 1440:
                        self._waiting.update(waiting)


tally: Final = Tally()
record_limit: Final = RecordLimit()
