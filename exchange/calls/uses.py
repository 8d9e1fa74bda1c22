"""When keys were last used (凭证最近使用): gathered in the process, written to the minute, so that no call waits for it.

It tells whoever rotates a key whether the old one is still in use. Evidence of calls is the call record.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

import psycopg2

from exchange.calls import connections

logger = logging.getLogger(__name__)

WRITTEN_EVERY_SECONDS: Final = 60
GATHERED_SECONDS: Final = 1.0
UPDATE: Final = "UPDATE exchange_credential SET last_used_at = now() WHERE id = ANY (%s)"


class Uses:
    """Keys used lately: each is written at most once a minute by each process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: dict[int, float] = {}
        self._waiting: set[int] = set()

    def note(self, credential_id: int) -> None:
        """Note a genuine signature of a key."""
        now = time.monotonic()
        if self._written.get(credential_id, float("-inf")) > now - WRITTEN_EVERY_SECONDS:
            return
        with self._lock:
            self._written[credential_id] = now
            is_first = not self._waiting
            self._waiting.add(credential_id)
        if is_first:
            timer = threading.Timer(GATHERED_SECONDS, self.flush)
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Write what waits; what the database does not take now is written with the next use."""
        with self._lock:
            waiting, self._waiting = sorted(self._waiting), set()
        if not waiting:
            return
        try:
            connection = connections.connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(UPDATE, (waiting,))
            finally:
                connection.close()
        except psycopg2.Error as error:
            logger.error("uses of keys could not be written: %s %s", type(error).__name__, error.pgcode)

    def forget(self) -> None:
        """Take every key for unused."""
        with self._lock:
            self._written.clear()


uses: Final = Uses()
