"""Counting verifications (核验计数) by day, door and outcome: nobody's address, nobody's license.

Counts gather in the process and are added to the table at most once a second, by whoever verifies next. A process that ends
loses what a burst left behind.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from core.calendar import SHANGHAI

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
WAITING_AT_MOST: Final = 10_000
PARAMETERS: Final = (("day", "date"), ("door", "text"), ("outcome", "text"), ("count", "bigint"))
UPSERT: Final = """
INSERT INTO licenses_verificationcount AS c (day, door, outcome, count) VALUES (<<day>>, <<door>>, <<outcome>>, <<count>>)
ON CONFLICT (day, door, outcome) DO UPDATE SET count = c.count + EXCLUDED.count"""
_SQL: Final = UPSERT.replace("<<", "%(").replace(">>", ")s")

Kind = tuple[date, str, str]
Write = Callable[[Mapping[str, Any]], object]  # adds one line of the table


class Tally:
    """Counts that wait to be added to the table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[Kind] = Counter()
        self._written_at = 0.0

    def count(self, door: str, outcome: str, now: datetime, write: Write) -> None:
        """Count one verification, and add what waits when the last time was long enough ago."""
        clock = time.monotonic()
        with self._lock:
            self._waiting[now.astimezone(SHANGHAI).date(), door, outcome] += 1
            if clock - self._written_at < PAUSE_SECONDS:
                return
            self._written_at = clock
            waiting, self._waiting = self._waiting, Counter()
        self._add(waiting, write)

    def flush(self) -> None:
        """Add what waits to the table, by Django's connection."""
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
        self._add(waiting, write_by_django)

    def _add(self, waiting: Counter[Kind], write: Write) -> None:
        for kind in sorted(waiting):  # one order of locks
            day, door, outcome = kind
            try:
                write({"day": day, "door": door, "outcome": outcome, "count": waiting[kind]})
            except Exception as error:  # a verification is answered all the same
                logger.error("verifications could not be counted: %s", type(error).__name__)
                with self._lock:
                    if len(self._waiting) < WAITING_AT_MOST:
                        self._waiting[kind] += waiting[kind]


def write_by_django(line: Mapping[str, Any]) -> None:
    """Add one line of the table by Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, dict(line))


def count(door: str, outcome: str, now: datetime) -> None:
    """Count one verification."""
    tally.count(door, outcome, now, write_by_django)


tally: Final = Tally()
