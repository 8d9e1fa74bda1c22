"""Counting verifications (核验计数) by day, door and outcome: nobody's address, nobody's license.

Counts gather in the process and are added to the table about once a second, so that a lookup writes nothing. A process that
is killed loses a second of them.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import date, datetime
from typing import Final

from django.db import DatabaseError, connection

from core.calendar import SHANGHAI

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 1.0
WAITING_AT_MOST: Final = 10_000
UPSERT: Final = """
INSERT INTO licenses_verificationcount AS c (day, door, outcome, count) VALUES (%s, %s, %s, %s)
ON CONFLICT (day, door, outcome) DO UPDATE SET count = c.count + EXCLUDED.count"""

Kind = tuple[date, str, str]


class Tally:
    """Counts that wait to be added to the table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[Kind] = Counter()
        self._is_timed = False

    def count(self, door: str, outcome: str, now: datetime) -> None:
        """Count one verification."""
        kind = (now.astimezone(SHANGHAI).date(), door, outcome)
        with self._lock:
            self._waiting[kind] += 1
            if not self._is_timed:
                self._is_timed = True
                timer = threading.Timer(FLUSH_SECONDS, self._flush_apart)
                timer.daemon = True
                timer.start()

    def _flush_apart(self) -> None:
        try:
            self.flush()
        finally:
            connection.close()  # of the timer's own thread

    def flush(self) -> None:
        """Add what waits to the table; when the database is away it waits for the next verification."""
        with self._lock:
            waiting, self._waiting, self._is_timed = self._waiting, Counter(), False
        if not waiting:
            return
        try:
            with connection.cursor() as cursor:
                cursor.executemany(UPSERT, [(*kind, number) for kind, number in sorted(waiting.items())])  # one order of locks
        except DatabaseError as error:
            logger.error("verifications could not be counted: %s", type(error).__name__)
            with self._lock:
                if len(self._waiting) < WAITING_AT_MOST:
                    self._waiting.update(waiting)


tally: Final = Tally()
