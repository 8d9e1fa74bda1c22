"""One trip for all calls that wait (合并受理): admission in Redis, then reading and recording in PostgreSQL, one transaction.

A call is judged as if it came alone: its quota, its nonce, its grant, its record. What is shared is the way there and back,
the transaction and its flush to disk, which cost more than the call itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from exchange.calls import admission, company
from exchange.calls.admission import Allowance
from exchange.calls.company import Found, Row
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms
from exchange.calls.together import AT_ONCE, Together

RowOf = Callable[[int], Row]  # what a call brings to its statement, given what it leaves of the day's quota
Asked = tuple[Signed, Terms, Question, RowOf]
Told = tuple[Allowance, Found | None]  # None: the grant has changed


class Trips:
    """Trips of calls that suit each other: none of them is much slower than the rest."""

    def __init__(self, at_most: int = AT_ONCE) -> None:
        self._together: Together[Asked, Told] = Together(_travel, at_most)

    def admit_and_run(self, signed: Signed, terms: Terms, question: Question, row_of: RowOf) -> Told:
        """Count a call, then run its statement; raises what refuses it."""
        return self._together.ask((signed, terms, question, row_of))


def admit_and_run_alone(signed: Signed, terms: Terms, question: Question, row_of: RowOf) -> Told:
    """Count a call that goes without company, then run its statement; raises what refuses it."""
    allowance = admission.admit(signed, terms, question)
    return allowance, company.run(row_of(allowance.remaining))


def _travel(calls: Sequence[Asked]) -> list[Told | Exception]:
    allowances = admission.admit_all([(signed, terms, question) for signed, terms, question, _ in calls])
    ways = [_way(row_of, allowance) for (*_, row_of), allowance in zip(calls, allowances, strict=True)]
    found = iter(company.run_all([way[1] for way in ways if isinstance(way, tuple)]))
    return [way if isinstance(way, Exception) else _told(way[0], next(found)) for way in ways]


def _way(row_of: RowOf, allowance: Allowance | Refusal) -> tuple[Allowance, Row] | Exception:
    """Return what an admitted call brings to its statement, or what ends its way; it ends nobody else's."""
    if isinstance(allowance, Refusal):
        return allowance
    try:
        return allowance, row_of(allowance.remaining)
    except Exception as error:  # raised for whoever asked, not for the leader of the trip
        return error


def _told(allowance: Allowance, outcome: Found | Refusal | None) -> Told | Exception:
    return outcome if isinstance(outcome, Refusal) else (allowance, outcome)


about_subjects: Final = Trips()
