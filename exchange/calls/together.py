"""Calls that wait at the same moment go together (合并办理): one trip for all of them instead of one for each.

Nobody waits for company. Whoever comes while nobody is under way sets out at once, alone; those who come meanwhile are
taken along by the next trip, whose leader is the first of them. Each gets an answer, or an error, of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

Asked = TypeVar("Asked")
Told = TypeVar("Told")

AT_ONCE: Final = 32


class _Place(Generic[Asked, Told]):
    """One who waits: what is asked, and what came of it once `is_done`."""

    __slots__ = ("asked", "error", "is_done", "told", "turn")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.told: Told | None = None
        self.error: Exception | None = RuntimeError("the trip was broken off")
        self.is_done = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Together(Generic[Asked, Told]):
    """Trips of one kind. `travel` gets one to `at_most` questions and returns as many answers in the same order; an answer
    that is an exception is raised for whoever asked. At most one trip is under way."""

    def __init__(self, travel: Callable[[Sequence[Asked]], Sequence[Told | Exception]], at_most: int = AT_ONCE) -> None:
        self._travel = travel
        self._at_most = at_most
        self._entering = threading.Lock()
        self._waiting: deque[_Place[Asked, Told]] = deque()
        self._is_under_way = False

    def ask(self, asked: Asked) -> Told:
        """Return the answer to one question; from any thread."""
        place: _Place[Asked, Told] = _Place(asked)
        with self._entering:
            leads = not self._is_under_way
            self._is_under_way = True
            if not leads:
                self._waiting.append(place)
        if not leads:
            place.turn.acquire()  # answered by another's trip, or told to lead the next one
        if not place.is_done:
            self._lead(place)
        if place.error is not None:
            raise place.error
        return place.told  # type: ignore[return-value]  # done without an error

    def _lead(self, leader: _Place[Asked, Told]) -> None:
        with self._entering:
            others = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_most - 1))]
        travellers = [leader, *others]
        try:
            answers = self._travel([place.asked for place in travellers])
            for place, answer in zip(travellers, answers, strict=True):
                place.error = answer if isinstance(answer, Exception) else None
                place.told = None if isinstance(answer, Exception) else answer
        except Exception as error:
            for place in travellers:
                place.error = RuntimeError(f"the trip failed: {type(error).__name__}")
            leader.error = error
        finally:
            self._hand_over()
            for place in others:
                place.is_done = True
                place.turn.release()

    def _hand_over(self) -> None:
        """Let the first of those who wait lead, or say that nobody is under way."""
        with self._entering:
            following = self._waiting.popleft() if self._waiting else None
            self._is_under_way = following is not None
        if following is not None:
            following.turn.release()
