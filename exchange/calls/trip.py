"""One trip for all calls that wait (合并受理): admission in Redis, then reading and recording in PostgreSQL, one transaction.

A call is judged as if it came alone: its quota, its nonce, its grant, its record. What is shared is the way there and back,
the transaction and its flush to disk, which cost more than the call itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exchange.calls import admission, joint
from exchange.calls.admission import Allowance
from exchange.calls.joint import Read
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms
from exchange.calls.together import Together

Asked = tuple[Signed, Terms, Question]
Told = tuple[Allowance, Read | None]  # None: the grant has changed


def admit_and_read(signed: Signed, terms: Terms, question: Question) -> Told:
    """Count a call about one subject, then read and record; raises what refuses it."""
    return _trips.ask((signed, terms, question))


def _travel(calls: Sequence[Asked]) -> list[Told | Exception]:
    outcomes: list[Told | Exception] = []
    allowances = admission.admit_all(calls)
    admitted = [
        (*call, allowance.remaining) for call, allowance in zip(calls, allowances, strict=True) if isinstance(allowance, Allowance)
    ]
    reads = iter(joint.read_and_record_all(admitted))
    for allowance in allowances:
        if isinstance(allowance, Refusal):
            outcomes.append(allowance)
            continue
        read = next(reads)
        outcomes.append(read if isinstance(read, Refusal) else (allowance, read))
    return outcomes


_trips: Final[Together[Asked, Told]] = Together(_travel)
