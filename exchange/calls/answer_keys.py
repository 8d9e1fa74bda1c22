"""The keys answers are signed with (应答签名密钥): a file outside the database, read again when it has changed.

Of each algorithm a key signs from its `from` until the next one's. The next one is published from the moment it is in the
file, the past ones stay published: whoever keeps an answer can check it later. `ops.keyring` makes and rotates them.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from core.crypto import KeyFileRefused
from core.signing import PublicKey, SigningKey, pem_blocks

logger = logging.getLogger(__name__)

LOOKED_AT_EVERY_SECONDS: Final = 5.0
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A key with its validity; the private half of one that no longer signs may be gone."""

    public: PublicKey
    valid_from: datetime
    valid_to: datetime | None  # None: no successor yet
    private: SigningKey | None


def read_keys(path: Path) -> tuple[AnswerKey, ...]:
    """Read the file, oldest key first; refuse one that group or others may touch."""
    try:
        with path.open() as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyFileRefused("the answer keys must be accessible by their owner only (mode 600)")
            entries = json.load(file)["keys"]
        return _in_order([_read_entry(entry) for entry in entries])
    except OSError as error:
        raise KeyFileRefused(f"the answer keys cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileRefused("the file of the answer keys is malformed") from error


def _read_entry(entry: dict[str, Any]) -> AnswerKey:
    since = datetime.fromisoformat(entry["from"])
    if since.tzinfo is None:
        raise KeyFileRefused("an answer key begins at a time without a zone")
    if "private" in entry:
        private = SigningKey.from_pem(entry["private"])
        return AnswerKey(private.public, since, None, private)
    ((_kind, der),) = pem_blocks(entry["public"])
    return AnswerKey(PublicKey.from_der(der), since, None, None)


def _in_order(found: list[AnswerKey]) -> tuple[AnswerKey, ...]:
    found.sort(key=lambda key: key.valid_from)
    keys = []
    for place, key in enumerate(found):
        later = (other.valid_from for other in found[place + 1 :] if other.public.algorithm == key.public.algorithm)
        keys.append(AnswerKey(key.public, key.valid_from, next(later, None), key.private))
    return tuple(keys)


class AnswerKeys:
    """The keys of this node; a file that turns unreadable leaves those read before in place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: tuple[AnswerKey, ...] = ()
        self._version: tuple[str, int, int] = ("", 0, 0)
        self._looked_at = float("-inf")

    def all(self) -> tuple[AnswerKey, ...]:
        """Return every key of the file; KeyFileRefused when there was never one to read."""
        if time.monotonic() - self._looked_at >= LOOKED_AT_EVERY_SECONDS:
            self._look()
        return self._keys

    def current(self, algorithm: str) -> SigningKey:
        """Return the key that signs now."""
        now = datetime.now(tz=UTC)
        for key in reversed(self.all()):
            if key.public.algorithm == algorithm and key.valid_from <= now and key.private is not None:
                return key.private
        raise KeyFileRefused(f"there is no answer key of {algorithm}")

    def forget(self) -> None:
        """Look at the file at the next question."""
        self._looked_at = float("-inf")

    def _look(self) -> None:
        with self._lock:
            path: Path = settings.ANSWER_KEYS_FILE
            try:
                found = path.stat()
                version = (str(path), found.st_mtime_ns, found.st_ino)
                if version != self._version:
                    self._keys, self._version = read_keys(path), version
            except (OSError, KeyFileRefused) as error:
                logger.error("the answer keys cannot be read: %s", error if isinstance(error, KeyFileRefused) else error.strerror)
                if not self._keys:
                    raise KeyFileRefused("there are no answer keys") from error
            self._looked_at = time.monotonic()


answer_keys: Final = AnswerKeys()
