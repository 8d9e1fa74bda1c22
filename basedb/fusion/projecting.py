"""Projection (投影): from the records of some subjects to their links, their golden rows and what is in doubt.

Called inside the transaction that changed the records; everything is set-based and follows from the records alone, so that
doing it again changes nothing. How a value is chosen stands in `survivorship`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from basedb.dictionary import Dataset


@dataclass(frozen=True, slots=True)
class Projected:
    """What became of the golden rows: new ones, those that differ now, those no lead source vouches for any more."""

    added: int
    changed: int
    withdrawn: int


def project(dataset: Dataset, *, touched: str, run_id: int, now: datetime) -> Projected:
    """Bring links, golden rows and conflicts of a MASTER dataset up to its records, in the caller's transaction.

    `touched` is a temporary table with one column `subject_key` (bytea, repeats and nulls do no harm): the keys of every record
    that was added or closed, the old key as well where a row changed its identifier. Call it last: a lock per dataset is held
    from here to the end of the transaction.
    """
    raise NotImplementedError
