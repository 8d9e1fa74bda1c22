"""Calls that wait at the same moment go together: everybody gets the answer to the own question, errors included."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from exchange.calls.together import AT_ONCE, Together


class Odd(Exception):
    """What the trip says to odd numbers."""


def travel(asked: Sequence[int]) -> list[int | Exception]:
    """Double what is even; refuse what is odd."""
    time.sleep(0.001)
    return [Odd(str(number)) if number % 2 else number * 2 for number in asked]


def test_everybody_gets_the_answer_to_the_own_question():
    together = Together(travel)

    def ask(number: int) -> int | str:
        try:
            return together.ask(number)
        except Odd as odd:
            return f"odd {odd}"

    with ThreadPoolExecutor(40) as pool:
        told = list(pool.map(ask, range(4000)))
    assert told == [f"odd {number}" if number % 2 else number * 2 for number in range(4000)]


def test_those_who_come_meanwhile_share_one_trip_and_no_trip_is_too_large():
    trips: list[int] = []
    may_go = threading.Event()

    def slow(asked: Sequence[int]) -> Sequence[int]:
        trips.append(len(asked))
        if len(trips) == 1:
            may_go.wait(10)
        return asked

    together = Together(slow)
    with ThreadPoolExecutor(50) as pool:
        first = pool.submit(together.ask, 0)
        while not trips:
            time.sleep(0.001)
        rest = [pool.submit(together.ask, number) for number in range(1, 50)]
        while len(together._waiting) < 49:
            time.sleep(0.001)
        may_go.set()
        assert [first.result(10)] + [one.result(10) for one in rest] == list(range(50))
    assert trips == [1, AT_ONCE, 50 - 1 - AT_ONCE]


def test_nobody_waits_for_company():
    trips: list[int] = []

    def note(asked: Sequence[int]) -> Sequence[int]:
        trips.append(len(asked))
        return asked

    together = Together(note)
    assert [together.ask(number) for number in range(3)] == [0, 1, 2]
    assert trips == [1, 1, 1]


def test_a_trip_that_fails_fails_for_everybody_on_it_and_the_next_one_goes():
    fails = [True]

    def fail_once(asked: Sequence[int]) -> Sequence[int]:
        if fails.pop() if fails else False:
            raise ValueError("broken")
        return asked

    together = Together(fail_once)
    with pytest.raises(ValueError, match="broken"):
        together.ask(1)
    assert together.ask(2) == 2


@pytest.mark.parametrize("answers", [[], [1, 2]])
def test_a_trip_that_answers_too_little_or_too_much_is_an_error(answers: list[int]):
    with pytest.raises(ValueError, match="zip"):
        Together(lambda asked: answers).ask(1)
