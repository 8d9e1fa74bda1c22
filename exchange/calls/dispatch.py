"""Which operation a call asks for (作业分派): one table, so that the door and the decision cannot disagree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from exchange.bulk_jobs.calling import CancelJob, HandOverPart, OpenJob, ShowJob
from exchange.calls.operations import Operation
from exchange.calls.terms import Incoming
from exchange.feeds.calling import ReadChanges

OPERATIONS: Final[Mapping[str, Callable[[Incoming], Operation]]] = MappingProxyType(
    {
        "job.open": OpenJob,
        "job.show": ShowJob,
        "job.part": HandOverPart,
        "job.cancel": CancelJob,
        "feed.changes": ReadChanges,
    }
)


def operation_of(call: Incoming) -> Operation | None:
    """Return the operation a call asks for, None when it asks for its mode itself."""
    return OPERATIONS[call.operation](call) if call.operation else None
