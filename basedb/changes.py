"""What changed in a region (变更): the feed of a base table by writing transaction, for receivers of a region's own rows.

A position is (changed_xid, id). A feed reads below `horizon()`: every transaction under it has ended, so nothing can
appear behind a position already passed, however late it commits. Who receives what is the business of the room above; it hands
in which rows it wants beside those of the region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from basedb.dictionary import Dataset

LAST_ID = 2**63 - 1


class Position(NamedTuple):
    """A place in the feed; everything up to and including it is passed."""

    xid: int
    id: int


START = Position(0, 0)


class ChangedRow(NamedTuple):
    """One row as it stands: its key, whether it lies in the region, its version, and the fields asked for."""

    subject_key: bytes
    is_inside: bool
    version: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RegionFeed:
    """The rows of a region and those named by `also`, a condition over `p` with its parameters (rows held elsewhere)."""

    dataset: Dataset
    region_code: str
    also: str
    also_parameters: tuple[Any, ...]

    @property
    def _inside(self) -> str:
        return f"(p.withdrawn_at IS NULL AND starts_with(p.{self.dataset.region_field}, %s))"  # a withdrawn row has left

    def _between(self) -> str:
        return (
            f"FROM {self.dataset.table} p WHERE (p.changed_xid, p.id) > (%s::xid8, %s) AND (p.changed_xid, p.id) <= (%s::xid8, %s)"
            f" AND ({self._inside} OR {self.also})"
        )

    def _parameters(self, after: Position, upto: Position) -> list[Any]:
        return [str(after.xid), after.id, str(upto.xid), upto.id, self.region_code, *self.also_parameters]

    def end_of_batch(self, after: Position, below: int, size: int) -> Position | None:
        """Return where a batch of at most `size` rows ends, None when no row changed below `below` since `after`."""
        upto = Position(below - 1, LAST_ID)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT p.changed_xid::text, p.id {self._between()} ORDER BY p.changed_xid, p.id LIMIT %s",
                [*self._parameters(after, upto), size + 1],
            )
            places = cursor.fetchall()
        if not places:
            return None
        if len(places) <= size:
            return upto
        xid, row_id = places[size - 1]
        return Position(int(xid), row_id)

    def read(self, fields: Sequence[str], after: Position, upto: Position) -> list[ChangedRow]:
        """Return the rows now standing after one position up to another, in the order of their keys."""
        columns = ", ".join(f"p.{name}" for name in fields)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT p.subject_key, {self._inside}, p.version, {columns} {self._between()} ORDER BY p.subject_key",
                [self.region_code, *self._parameters(after, upto)],
            )
            return [ChangedRow(bytes(row[0]), row[1], row[2], tuple(row[3:])) for row in cursor.fetchall()]

    def count(self, after: Position, below: int, most: int) -> int:
        """Return how many rows wait behind a position, counting no further than `most`."""
        with connection.cursor() as cursor:
            upto = Position(below - 1, LAST_ID)
            cursor.execute(f"SELECT count(*) FROM (SELECT 1 {self._between()} LIMIT %s) w", [*self._parameters(after, upto), most])
            waiting: int = cursor.fetchone()[0]
            return waiting


def horizon() -> int:
    """Return the transaction below which all have ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return int(cursor.fetchone()[0])
