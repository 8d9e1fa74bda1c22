"""The district's own database: what it was handed must be exactly what the platform holds of its people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.kills.bureau import OURS, PREFIX, digest_sql
from tests.kills.whole_stack import WholeStack

DISTRICT: dict[str, str] = {"name": "district", "user": "district"}
RECEIPTS = "backflow_receipt"


class District:
    """The receiver and the subscription that serves it."""

    def __init__(self, stack: WholeStack) -> None:
        self.stack = stack
        [row] = stack.rows(
            "SELECT s.id, s.uid, s.settings ->> 'table', r.code FROM exchange_backflowsubscription s "
            "JOIN core_region r ON r.id = s.region_id"
        )
        self.subscription_id, self.uid, self.table, self.division = row

    def set_batch_size(self, size: int) -> None:
        """Make the batches of this size; no batch may be open."""
        self.stack.change("UPDATE exchange_backflowsubscription SET batch_size = %s WHERE id = %s", [size, self.subscription_id])

    def ask(self) -> None:
        """Make the subscription due now, as it is every minute."""
        sql = "UPDATE exchange_backflowsubscription SET next_run_at = now() WHERE id = %s AND next_run_at > now()"
        self.stack.change_surely(sql, [self.subscription_id])

    def progress(self) -> int:
        """Return how many batches were ever acknowledged."""
        return int(self.stack.one("SELECT count(*) FROM exchange_backflowbatch WHERE state = 'ACKNOWLEDGED'"))

    def ours(self) -> tuple[Any, ...]:
        """Return number and digest of the district's people in the population table."""
        return self.stack.rows(digest_sql(f"version, {OURS}", "basedb_person", f"region_code LIKE '{self.division}%'"))[0]

    def theirs(self, where: str = "true") -> tuple[Any, ...]:
        """Return number and digest of the rows over there."""
        return self.stack.rows(digest_sql(f"version, {OURS}", self.table, where), **DISTRICT)[0]

    def is_up_to_date(self) -> bool:
        """Whether nothing is under way and both sides hold the same."""
        open_ones = "SELECT count(*) FROM exchange_backflowbatch WHERE subscription_id = %s AND state <> 'ACKNOWLEDGED'"
        return self.stack.one(open_ones, [self.subscription_id]) == 0 and self.ours() == self.theirs()

    def check(self, wanted: Callable[[str], tuple[Any, ...]]) -> None:
        """Rows, receipts and acknowledgements agree, without a gap; the bureau's people of the district are all there."""
        assert self.ours() == self.theirs()
        columns = digest_sql(OURS, self.table, f"citizen_id LIKE '{PREFIX}%'")
        assert self.stack.rows(columns, **DISTRICT)[0] == wanted(self.division)
        receipts = self.stack.rows(
            f"SELECT sequence, row_count, removed_count, encode(digest, 'hex') FROM {RECEIPTS} "
            "WHERE subscription = %s ORDER BY sequence",
            [str(self.uid)],
            **DISTRICT,
        )
        batches = self.stack.rows(
            "SELECT sequence, row_count, removed_count, encode(digest, 'hex') FROM exchange_backflowbatch "
            "WHERE subscription_id = %s AND state = 'ACKNOWLEDGED' ORDER BY sequence",
            [self.subscription_id],
        )
        assert batches == receipts
        assert [sequence for sequence, *_ in batches] == list(range(1, len(batches) + 1))
        acknowledged = "SELECT count(*) FROM core_auditentry WHERE action = 'backflow_batch.acknowledged'"
        assert self.stack.one(acknowledged) == len(batches)
        members = "SELECT count(*) - count(DISTINCT subject_key) FROM exchange_backflowmember WHERE subscription_id = %s"
        assert self.stack.one(members, [self.subscription_id]) == 0
