"""Operations (作业操作): what a call may ask for beside the one answer of its mode - bulk jobs, change feeds, map services.

Each is decided where every call is decided: signature, standing, grant and quota are checked by `answering`, which opens the
record before `serve` and closes it after; a lookup records with the statement that reads. Nothing here decides who may call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from basedb.lookup import Selection
from exchange.calls.company import Found, Row
from exchange.calls.terms import Question, Signed, Terms
from exchange.calls.trip import Trips

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Served:
    """An answer. Bytes are digested, recorded as closed and signed; a stream records its end itself.

    A lookup tells the digest it recorded; `cache` is what its receiver may do with a copy.
    """

    body: bytes | Iterable[bytes]
    row_count: int = 0
    status: int = 200
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)
    digest: str = ""
    cache: str = "no-store"


class Operation(Protocol):
    """One operation of one call. `read` and `prepare` may refuse and cost no quota; `serve` comes after the opened record.

    An order says what it is made for; what only follows an order - a part, a look at a job - was said with it.
    """

    is_order: bool

    def read(self, body: bytes, selection: Selection) -> Question:
        """Return the question in a body."""

    def prepare(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> None:
        """Find what the call is about."""

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Do what was asked."""


class Lookup(ABC):
    """An operation that reads and records in one statement, as a query does. `read` may refuse and costs no quota."""

    is_order: bool

    @property
    def trips(self) -> Trips | None:
        """With whom the call goes; None: alone."""
        return None

    @abstractmethod
    def read(self, body: bytes, selection: Selection) -> Question:
        """Return the question a request asks."""

    @abstractmethod
    def row(self, signed: Signed, terms: Terms, question: Question, quota_left: int) -> Row:
        """Return what the call brings to its statement."""

    @abstractmethod
    def served(self, found: Found) -> Served:
        """Return the answer in what the statement told, recorded and committed."""
