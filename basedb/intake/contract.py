"""What a batch brings with it and what is told of it (批次约定): dataset, source, run, keeper of rejects, counts.

Nothing is written here. The steps are in `judging`, `unchanged`, `versions`, `facts` and `vanished`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from basedb.dictionary import Dataset, Kind
from basedb.models import DataSource

BROKEN_COLUMNS = "row.columns"
BROKEN_QUOTE = "row.quote"
TOO_LONG = "row.too_long"
BROKEN_SINCE = "row.valid_from"
SUPERSEDED = "row.superseded"
BROKEN_JSON = "row.json"
BROKEN_GEOMETRY = "row.geometry"
LOST_DIGITS = "row.lost_digits"
NUL_BYTE = "row.nul"
DUPLICATE = "duplicate"
SINCE, GONE = "_since", "_gone"  # what a rejected row said beside its fields: no field begins with a mark


def key_fields_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the fields that name a row whose source has no key for it."""
    return dataset.row_fields if dataset.kind is Kind.FACT else (dataset.key_field,)


@dataclass(frozen=True, slots=True)
class RejectSink:
    """Where rejected rows are kept: a data-modifying statement over the rows of `rejected`.

    `rejected` has number, line_number, related_line, source_key, rule, field, raw. Values come in `parameters`. `raw` has the
    values by field and, where the row said so, since when it holds and that it has ended.
    """

    statement: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """What stays the same for all batches of a run: the dataset, the source, the fields it maps, who keeps rejects.

    `now` is when the batch becomes known; a row whose source does not say since when it holds is taken to hold from then on.
    """

    dataset: Dataset
    source: DataSource
    fields: tuple[str, ...]
    run_id: int
    subject_key: Callable[[str], bytes]
    rejects: RejectSink
    today: date
    now: datetime

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that name a row of a source without a key column of its own."""
        return key_fields_of(self.dataset)


@dataclass(frozen=True, slots=True)
class Staged:
    """A batch in its staging table: how many rows were read, and how many of them told nothing new and stayed outside.

    `checksum` sums up the digests of all rows read; the order of the rows does not matter to it.
    """

    table: str
    read: int
    unchanged: int
    checksum: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a batch. Read = accepted + rejected + held back; accepted = changed + unchanged + deleted.

    Changed rows were new or different, deleted ones said that a record has ended. Of a batch that was not loaded every row that
    was not rejected is held back.
    """

    read: int
    accepted: int
    changed: int
    rejected: int
    unchanged: int = 0
    deleted: int = 0
    is_loaded: bool = True

    @property
    def held_back(self) -> int:
        """Rows nothing was wrong with, of a batch that was not loaded."""
        return self.read - self.accepted - self.rejected
