"""Corrected rows on their way in again (重放): a run of its own through the same ingest.

A row that still breaks a rule goes back to its owner with that rule; one the source has overtaken meanwhile is not allowed
to overwrite what is newer, nor to bring back what has ended. It holds from when its source said. Rows already replayed are passed
over, so that a killed replay resumes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from basedb.ingest import RejectSink
from basedb.intake.contract import GONE, SINCE
from basedb.staging import RawRow
from exchange.aggregation.connector import fields_of
from exchange.models import AggregationPlan, AggregationRun, DeleteMode, RejectedRow, RejectState

_MOST_ROWS = 5_000
# A row that comes again as it was (look-back window, a file taken again) is not written twice; every line of one file is.
_KEEP = """
    INSERT INTO exchange_rejectedrow (uid, run_id, plan_id, line_number, related_line, source_key, rule, field, raw, state, reason,
        created_at)
    SELECT gen_random_uuid(), %s, p.id, line_number, related_line, source_key, rule, field, raw, 'OPEN', '', now()
    FROM rejected r, exchange_aggregationplan p WHERE p.id = %s AND NOT EXISTS (
        SELECT FROM exchange_rejectedrow e
        WHERE e.plan_id = p.id AND e.source_key = r.source_key AND e.rule = r.rule AND e.raw = r.raw
            AND (r.line_number IS NULL OR e.run_id <> %s))"""
_GIVE_BACK = """
    UPDATE exchange_rejectedrow t SET state = 'OPEN', rule = r.rule, field = r.field
    FROM rejected r WHERE t.id = r.number AND t.state = 'CORRECTED' AND t.replay_run_id = %s AND t.plan_id = %s"""


def sink_of(run: AggregationRun) -> RejectSink:
    """Return where rejected rows of a run are kept: as new rows, or, in a replay, back where they came from."""
    if run.is_replay:
        return RejectSink(_GIVE_BACK, (run.pk, run.plan_id))
    return RejectSink(_KEEP, (run.pk, run.plan_id, run.pk))


class ReplayReading:
    """The corrected rows given to one run; see `connector.Reading`."""

    def __init__(self, plan: AggregationPlan, run: AggregationRun) -> None:
        self.plan, self.run = plan, run
        self.state: dict[str, Any] = dict(run.checkpoint)
        self.expected: int | None = None
        self.is_exhausted = False

    def _rows(self) -> Any:
        return RejectedRow.objects.filter(replay_run=self.run, state=RejectState.CORRECTED)

    def begin(self) -> None:
        """Count what lies ahead."""
        self.expected = self.run.read_count + self._rows().count()

    def batch(self, size: int) -> Iterator[RawRow]:
        """Hand out the next corrected rows, fetched before COPY takes the connection; `number` is the stored row's id.

        They are locked to the end of the batch: whoever corrects or dismisses one meanwhile comes before it or is told.
        """
        rows = self._rows().filter(id__gt=self.state.get("id", 0)).select_for_update(of=("self",), no_key=True)
        rows = list(rows.order_by("id")[: min(size, _MOST_ROWS)])
        self.is_exhausted = not rows
        return self._hand_out(rows)

    def _hand_out(self, rows: list[RejectedRow]) -> Iterator[RawRow]:
        fields = fields_of(self.plan)
        for row in rows:
            values = row.raw | (row.correction or {})
            self.state = {"id": row.pk}
            yield RawRow(
                row.pk,
                [values.get(field) for field in fields],
                row.line_number,
                self._key_of(row),
                as_of=row.created_at,
                valid_from=self._corrected(row, self.plan.valid_from_column) or row.raw.get(SINCE),
                gone=bool(row.raw.get(GONE)),
            )

    def _key_of(self, row: RejectedRow) -> str:
        """Return the key the source will know the row by once it is corrected there, too.

        Where all keys are compared it is the one the source lists now, else the record would be taken for one that is gone. Of a
        line that was no row at all it is known from the correction alone.
        """
        plan = self.plan
        if plan.delete_mode == DeleteMode.FULL_KEYS and row.source_key:
            return row.source_key
        if not plan.key_column:
            return ""  # made of the fields that name a row
        corrected = self._corrected(row, plan.key_column)
        return row.source_key if corrected is None else corrected

    def _corrected(self, row: RejectedRow, column: str) -> str | None:
        """Return what a correction says a column of the source holds, None where no field is mapped to it."""
        told = (row.correction or {}).items()
        return next((value for field, value in told if column and self.plan.columns.get(field) == column), None)

    def plan_checkpoint(self) -> dict[str, Any]:
        """A replay does not move the plan."""
        return dict(self.plan.checkpoint)

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """Nothing beyond the rows themselves."""
        return ""

    def close(self) -> None:
        """Nothing is open."""


def mark_replayed(run: AggregationRun, last_id: int) -> None:
    """Mark what the batch up to `last_id` took in; the rows given back are OPEN by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exchange_rejectedrow SET state = 'REPLAYED' WHERE replay_run_id = %s AND state = 'CORRECTED' AND id <= %s",
            [run.pk, last_id],
        )
