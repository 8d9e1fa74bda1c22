"""Which operation a call asks for (作业分派): one table, so that the door and the decision cannot disagree.

Operations use Django's connection. The door has no request cycle that would replace a lost one, so it is looked after here;
lookups use the connection of calls and need none of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.db import InterfaceError, OperationalError, close_old_connections

from basedb.lookup import Selection
from exchange.bulk_jobs.calling import CancelJob, HandOverPart, OpenJob, ShowJob
from exchange.calls.operations import Lookup, Operation, Served
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Incoming, Question, Signed, Terms
from exchange.features.calling import ReadLayer
from exchange.feeds.calling import ReadChanges
from exchange.presenting.calling import ReadPresentation, ScanCode

logger = logging.getLogger(__name__)

OPERATIONS: Final[Mapping[str, Callable[[Incoming], Operation]]] = MappingProxyType(
    {
        "job.open": OpenJob,
        "job.show": ShowJob,
        "job.part": HandOverPart,
        "job.cancel": CancelJob,
        "feed.changes": ReadChanges,
    }
)

LOOKUPS: Final[Mapping[str, Callable[[Incoming], Lookup]]] = MappingProxyType(
    {
        **dict.fromkeys(("features.items", "features.item", "features.tile"), ReadLayer),
        "presenting.scan": ScanCode,
        "presenting.read": ReadPresentation,
    }
)


class _OnLivingConnection:
    """An operation that gets a connection which works; a database that goes away meanwhile is a refusal."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self.is_order = operation.is_order

    def read(self, body: bytes, selection: Selection) -> Question:
        """Return the question in a body."""
        return self._operation.read(body, selection)

    def prepare(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> None:
        """Find what the call is about, on a connection that was asked whether it still works."""
        with _refusing():
            close_old_connections()
            self._operation.prepare(signed, terms, question, now)

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Do what was asked."""
        with _refusing():
            return self._operation.serve(signed, terms, question, now)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        # The text of a database error may quote values: its kind alone is logged.
        logger.error("database away or refusing an operation: %s", type(error).__name__)
        raise Refusal("platform.unavailable") from None


def operation_of(call: Incoming) -> Operation | Lookup | None:
    """Return the operation a call asks for, None when it asks for its mode itself."""
    if call.operation in LOOKUPS:
        return LOOKUPS[call.operation](call)
    return _OnLivingConnection(OPERATIONS[call.operation](call)) if call.operation else None
