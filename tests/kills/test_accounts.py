"""The accounts of the load run find what they are there to find: each of these books disagrees with the records."""

from __future__ import annotations

import pytest

from bench.load_run import accounts
from bench.load_run.books import Entry

CALM: list[tuple[float, float]] = []
AWAY = [(90.0, 110.0)]


def entry(kind: str = "query", status: int = 200, code: str = "", *, is_cut: bool = False) -> Entry:
    return Entry(100.0, 5.0, kind, status, code, "a-call", "d1", is_cut)


Records = list[tuple[str, str | None]]
ANSWERED: Records = [("call.answered", "d1")]
OPENED: Records = [("call.opened", None)]
CLOSED: Records = [("call.closed", "d1")]


def wrong(of: Entry, records: Records, closings: Records, troubled: list[tuple[float, float]] = CALM) -> list[str]:
    found = accounts.Accounts(told={"streams without a closing record": 0})
    accounts._compare(found, of, records, closings, troubled)
    return found.wrong


@pytest.mark.parametrize(
    ("of", "records", "closings", "troubled"),
    [
        (entry(), ANSWERED, [], CALM),
        (entry(status=503, code="platform.unavailable"), [], [], CALM),
        (entry(status=429, code="quota.day_exceeded"), [("quota.day_exceeded", None)], [], CALM),
        (entry("bulk"), OPENED, CLOSED, CALM),
        (entry("bulk", is_cut=True), OPENED, [("call.aborted", "d2")], CALM),
        (entry("bulk"), OPENED, [], AWAY),
        (entry("feed"), OPENED, CLOSED, CALM),
    ],
)
def test_what_agrees_is_not_called_wrong(
    of: Entry, records: Records, closings: Records, troubled: list[tuple[float, float]]
) -> None:
    assert wrong(of, records, closings, troubled) == []


@pytest.mark.parametrize(
    ("of", "records", "closings", "troubled"),
    [
        (entry(), [], [], AWAY),
        (entry(), ANSWERED * 2, [], CALM),
        (entry(), [("call.answered", "d2")], [], CALM),
        (entry("sent again"), ANSWERED, [], CALM),
        (entry(status=429, code="quota.day_exceeded"), [], [], CALM),
        (entry(status=500, code=""), [("", None)], [], CALM),
        (entry("bulk"), OPENED, [], CALM),
        (entry("bulk"), OPENED, [("call.closed", "d2")], CALM),
        (entry("bulk", is_cut=True), OPENED, CLOSED, CALM),
        (entry("feed"), OPENED, [], AWAY),
        (entry("feed"), [], CLOSED, CALM),
    ],
)
def test_an_answer_without_its_record_is_found(
    of: Entry, records: Records, closings: Records, troubled: list[tuple[float, float]]
) -> None:
    assert wrong(of, records, closings, troubled) != []
