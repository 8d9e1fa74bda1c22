"""A change feed as systems call for it (变更订阅调用): where do I stand, what comes next.

Each page is opened in the records before it is read and closed with its rows before it leaves. Keys are codes of this grant
alone: the rows of two grants cannot be joined by them.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from basedb.dictionary import DATASETS
from basedb.lookup import Selection
from exchange.calls.operations import Served
from exchange.calls.refusals import Refusal
from exchange.calls.shape import context_of, read_parameters
from exchange.calls.terms import Incoming, Question, Signed, Terms
from exchange.feeds import reading
from exchange.feeds.timepoints import Timepoint, opened
from exchange.systems import key_ring

ROWS_AT_MOST: Final = 1_000
KEY_LENGTH: Final = 16


class ReadChanges:
    """One page of a feed."""

    is_order = True

    def __init__(self, call: Incoming) -> None:
        self._after: str | None = None
        self._limit = ROWS_AT_MOST
        self._from: Timepoint | None = None

    def read(self, body: bytes, selection: Selection) -> Question:
        """Read the timepoint, null at the beginning, and how many rows are wanted at most."""
        given = read_parameters(body, ("after",), ("limit", "context", "parameters"))
        after, limit = given["after"], given.get("limit", ROWS_AT_MOST)
        if after is not None and not isinstance(after, str):
            raise Refusal("call.invalid_parameter", {"after": "must_be_a_timepoint_or_null"})
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= ROWS_AT_MOST:
            raise Refusal("call.invalid_parameter", {"limit": f"must_be_1_to_{ROWS_AT_MOST}"})
        self._after, self._limit = after, limit
        return Question(selection, None, context=context_of(given))

    def prepare(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> None:
        """Open the timepoint; refuse one of other terms, of another database, and one that has rested too long."""
        if terms.remote is not None:  # only the base databases say which transaction changed a row
            raise Refusal("grant.unusable", {"source": "has_no_change_feed"})
        if terms.region_prefix and not DATASETS[question.selection.dataset].region_field:
            raise Refusal("grant.unusable", {"region": "not_of_the_rows"})  # who moves changes no row here
        epoch, digest = reading.epoch_now(), reading.digest_of(terms, question.selection)
        if self._after is None:
            self._from = Timepoint(epoch, digest, True, 0, 0, 0, int(now.timestamp()))
            return
        try:
            point = opened(self._after, terms.uid)
        except ValueError:
            raise Refusal("call.invalid_parameter", {"after": "not_a_timepoint_of_this_grant"}) from None
        if point.terms != digest:
            raise Refusal("feed.terms_changed", {"after": "of_other_terms"})
        if point.epoch != epoch:
            raise Refusal("feed.timepoint_too_old", {"after": "of_another_database"})
        if now.timestamp() - point.issued_at > timedelta(days=settings.FEED_KEPT_DAYS).total_seconds():
            raise Refusal("feed.timepoint_too_old", {"after": "rested_too_long"})
        self._from = point

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Answer a page and the timepoint behind it; the terms are those the opened record was written for."""
        if self._from is None or self._from.terms != reading.digest_of(terms, question.selection):
            raise Refusal("feed.terms_changed", {"after": "of_other_terms"})
        page = reading.read(terms, question.selection, self._from, self._limit, int(now.timestamp()))
        changes = [_change(terms.uid, *row) for row in page.rows]
        told = {
            "call_id": signed.call_id,
            "phase": "snapshot" if self._from.is_snapshot else "changes",
            "timepoint": page.after.sealed(terms.uid),
            "complete": page.is_complete,
            "changes": changes,
        }
        row_count = sum(change["op"] == "upsert" for change in changes)
        return Served(json.dumps(told, ensure_ascii=False).encode(), row_count=row_count)


def _change(grant_uid: str, row_key: str, is_inside: bool, data: dict[str, Any] | None) -> dict[str, Any]:
    key = key_ring().code("feed-key", f"{grant_uid}|{row_key}".encode())[:KEY_LENGTH].hex()
    return {"op": "upsert", "key": key, "data": data} if is_inside else {"op": "delete", "key": key}
