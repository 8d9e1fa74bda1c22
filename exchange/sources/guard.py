"""Keeping a slow or broken source from taking the platform along (隔离与熔断): places and a circuit breaker, one pair a source.

Both count in this process. A source that failed several times in a row is left alone for a while; then one call tries it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pybreaker
from django.conf import settings

from exchange.calls import connections
from exchange.calls.refusals import Refusal

logger = logging.getLogger(__name__)

FAILURES_IN_A_ROW: Final = 5
NOTE: Final = {
    "provider": "UPDATE exchange_sourceconnection SET breaker_state = <<state>>, breaker_changed_at = now() WHERE uid = <<uid>>",
    "upstream": "UPDATE exchange_upstreaminterface SET breaker_state = <<state>>, breaker_changed_at = now() WHERE uid = <<uid>>",
}
NOTED: Final = (("state", "text"), ("uid", "uuid"))

Outcome = TypeVar("Outcome")


class Failed(Exception):
    """The source did not do its part: `refusal` is what the caller hears. Counts against the source."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class _Note(pybreaker.CircuitBreakerListener):
    """Writes a change of the breaker where the pages show it."""

    def __init__(self, side: str, uid: str) -> None:
        self._side, self._uid = side, uid

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        logger.warning("%s source %s: breaker %s", self._side, self._uid, new_state.name)
        try:
            connections.run(NOTE[self._side], NOTED, {"state": new_state.name, "uid": self._uid})
        except Refusal:
            logger.error("a change of a breaker could not be noted")


class Guard:
    """The places and the breaker of one source."""

    def __init__(self, side: str, uid: str) -> None:
        self._side = side
        self._opened = 0.0
        self.breaker = pybreaker.CircuitBreaker(
            fail_max=FAILURES_IN_A_ROW,
            reset_timeout=settings.SOURCE_BREAKER_SECONDS,
            exclude=[Refusal],
            listeners=[_Note(side, uid)],
            throw_new_error_on_trip=False,
        )

    def run(self, work: Callable[[], Outcome], *, uid: str, at_once: int) -> Outcome:
        """Do the work in one of the source's places, unless the breaker is open. Nobody waits for a place."""
        places.take(uid, at_once, self._side)
        try:
            return self._through_breaker(work)
        except Failed as failed:
            raise failed.refusal from None
        finally:
            places.give(uid)

    def _through_breaker(self, work: Callable[[], Outcome]) -> Outcome:
        """Run without the breaker's lock while it is closed: the library would let one call in at a time."""
        state = self.breaker.current_state
        if state == pybreaker.STATE_HALF_OPEN:  # somebody is trying
            raise self._open()
        if state == pybreaker.STATE_OPEN:
            try:
                return self.breaker.call(work)
            except pybreaker.CircuitBreakerError:
                raise self._open() from None
        try:
            outcome = work()
        except Failed as failed:
            self._count(failed)
            raise
        if self.breaker.fail_counter:
            self.breaker.call(lambda: None)
        return outcome

    def _count(self, failed: Failed) -> None:
        def fail() -> None:
            raise failed

        try:
            self.breaker.call(fail)
        except (Failed, pybreaker.CircuitBreakerError):
            self._opened = time.monotonic()

    def _open(self) -> Refusal:
        left = self._opened + settings.SOURCE_BREAKER_SECONDS - time.monotonic()
        refusal = Refusal(f"{self._side}.circuit_open", {"source": "failed_repeatedly"})
        refusal.retry_after = max(1, round(left))
        return refusal


class Places:
    """How many calls wait for sources in this process, by source and in all: most threads stay free for everybody else."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, uid: str, at_once: int, side: str) -> None:
        """Take a place or refuse."""
        with self._counting:
            if self._taken[uid] >= at_once or self._taken.total() >= settings.SOURCE_CALLS_AT_ONCE:
                raise Refusal(f"{side}.busy", {"source": "too_many_calls_at_once"})
            self._taken[uid] += 1

    def give(self, uid: str) -> None:
        """Give a place back."""
        with self._counting:
            self._taken[uid] -= 1
            if not self._taken[uid]:
                del self._taken[uid]


places: Final = Places()
_guards: Final[dict[str, Guard]] = {}
_making: Final = threading.Lock()


def guard_of(side: str, uid: str) -> Guard:
    """Return the guard of a source, made when it is first asked for."""
    with _making:
        return _guards.setdefault(uid, Guard(side, uid)) if uid not in _guards else _guards[uid]


def forget() -> None:
    """Begin anew with every breaker closed."""
    with _making:
        _guards.clear()
