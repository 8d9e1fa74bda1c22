"""Partner systems that call without end while the stack is shot at, and write down every answer that reached them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}


@dataclass(frozen=True)
class Delivered:
    """An answer that arrived whole. `at` is the clock's time of its last byte."""

    at: float
    mode: str
    status: int
    code: str
    call_id: str
    digest: str


@dataclass(frozen=True)
class Caller:
    """One grant of a system, with the key to sign calls on it."""

    address: tuple[str, int]
    key: str
    secret: str
    algorithm: str
    grant: str
    mode: str

    @property
    def path(self) -> str:
        return f"/openapi/v1/calls/{self.grant}/{self.mode.lower()}"

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the headers of a call signed now."""
        timestamp, nonce = str(time.time_ns() // 1_000_000), secrets.token_urlsafe(16)
        digest = hashlib.sha256(body).hexdigest()
        text = f"POST\n{self.path}\n{timestamp}\n{nonce}\n{digest}"
        signature = hmac.digest(self.secret.encode(), text.encode(), HASHES[self.algorithm])
        return {
            "X-Gov-Key": self.key,
            "X-Gov-Timestamp": timestamp,
            "X-Gov-Nonce": nonce,
            "X-Gov-Digest": digest,
            "X-Gov-Signature": base64.b64encode(signature).decode(),
        }

    def call(self, link: http.client.HTTPConnection, question: dict[str, Any]) -> Delivered:
        """Make one call; OSError or HTTPException when no whole answer arrives."""
        body = json.dumps(question).encode()
        link.request("POST", self.path, body, self.headers(body))
        answer = link.getresponse()
        content = answer.read()
        code = "" if answer.status == 200 else str(json.loads(content)["code"])
        call_id = answer.headers["X-Gov-Call-Id"]
        return Delivered(time.time(), self.mode, answer.status, code, call_id, hashlib.sha256(content).hexdigest())

    def call_once(self, question: dict[str, Any]) -> Delivered:
        """Make one call over a connection of its own, so that any of the web processes may get it."""
        link = http.client.HTTPConnection(*self.address, timeout=10)
        try:
            return self.call(link, question)
        finally:
            link.close()


class Office:
    """A thread that calls on one grant, about `a_second` times a second, until it is sent home."""

    def __init__(self, caller: Caller, questions: Sequence[dict[str, Any]], a_second: float) -> None:
        self.caller, self.questions, self.pause = caller, questions, 1 / a_second
        self.delivered: list[Delivered] = []
        self.broken: Counter[str] = Counter()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"{caller.mode}-caller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send_home(self) -> None:
        """End after the call under way."""
        self._done.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "a call hangs"

    def answers_since(self, moment: float) -> int:
        """Return how many calls were answered with data since a moment."""
        return sum(1 for one in reversed(self.delivered) if one.status == 200 and one.at > moment)

    def _work(self) -> None:
        link = http.client.HTTPConnection(*self.caller.address, timeout=10)
        for question in itertools.cycle(self.questions):
            if self._done.wait(self.pause):
                break
            try:
                self.delivered.append(self.caller.call(link, question))
            except (OSError, http.client.HTTPException) as trouble:
                self.broken[type(trouble).__name__] += 1
                link.close()
        link.close()


def callers_of(demo: dict[str, Any], address: tuple[str, int]) -> dict[str, Caller]:
    """Return mode -> a caller on the first grant of that mode in demo.json."""
    found: dict[str, Caller] = {}
    for system in demo["systems"]:
        for grant in system["grants"]:
            caller = Caller(address, system["key"], system["secret"], system["algorithm"], grant["grant"], grant["mode"])
            found.setdefault(grant["mode"], caller)
    return found
