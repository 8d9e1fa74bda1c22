"""Reading a feed (变更读取): one statement takes a page, notes whom it tells of, and says where the horizon is.

Whoever was handed over once under this grant is a member for good: when the row leaves the granted rows later, a deletion follows,
also for a receiver that reads again from an older timepoint. Of others outside nothing is told.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import psycopg2
from django.conf import settings

from basedb.changes import LAST_ID
from basedb.dictionary import DATASETS
from basedb.feed import EPOCH, HORIZON, changes_sql, snapshot_sql
from basedb.lookup import Selection, inside_sql
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Terms
from exchange.feeds.timepoints import Timepoint

DIGEST_LENGTH: Final = 16
PARAMETERS: Final = (("grant_id", "bigint"), ("after_xid", "xid8"), ("after_id", "bigint"), ("rows_at_most", "integer"))
MEMBER: Final = "EXISTS (SELECT FROM exchange_feedmember m WHERE m.grant_id = <<grant_id>> AND m.row_key = found.{row_key})"
PAGE: Final = """
WITH picked AS MATERIALIZED ({rows}), kept AS (
    INSERT INTO exchange_feedmember (grant_id, row_key)
    SELECT <<grant_id>>, row_key FROM picked WHERE is_inside ON CONFLICT DO NOTHING)
SELECT {horizon}::text::bigint, count(*), (array_agg(xid ORDER BY {order}))[count(*)],
    (array_agg(row_id ORDER BY {order}))[count(*)], coalesce(json_agg(json_build_array(
        encode(row_key, 'hex'), is_inside, CASE WHEN is_inside THEN data END) ORDER BY {order}), '[]')
FROM picked"""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a feed - key, whether it is inside, data - and the place behind them."""

    rows: list[tuple[str, bool, dict[str, Any] | None]]
    after: Timepoint
    is_complete: bool


def epoch_now() -> bytes:
    """Return what tells this database, in this branch of its history, from any other."""
    row = connections.run(EPOCH, (("database", "name"),), {"database": settings.DATABASES["default"]["NAME"]})
    return hashlib.sha256(str(row and row[0]).encode()).digest()[:DIGEST_LENGTH]


def digest_of(terms: Terms, selection: Selection) -> bytes:
    """Return the digest of what may be told; a list of clients has no digest of its own, its changes make a new version."""
    told: list[Any] = [selection, terms.inside()]
    if selection.rows.is_members_only:
        told.append(terms.version)
    return hashlib.sha256(repr(told).encode()).digest()[:DIGEST_LENGTH]


def read(terms: Terms, selection: Selection, after: Timepoint, limit: int, now_s: int) -> Page:
    """Return the page behind a timepoint; a snapshot first, then what changed since it began."""
    inside = inside_sql(selection, **terms.inside())
    values = {"grant_id": terms.grant_id, "after_xid": str(after.xid), "after_id": after.row_id, "rows_at_most": limit}
    try:
        found = connections.run(_page_sql(selection, inside, after.is_snapshot), PARAMETERS, values)
    except psycopg2.IntegrityError:
        raise Refusal("platform.unavailable") from None
    if found is None:
        raise Refusal("platform.unavailable")
    below, count, last_xid, last_id, rows = found
    snapshot_xid = after.snapshot_xid or below
    if after.is_snapshot:
        is_more = count == limit
        place = (True, 0, last_id) if is_more else (False, snapshot_xid - 1, LAST_ID)
        is_complete = False
    else:
        if after.xid >= below:
            raise Refusal("feed.timepoint_too_old", {"after": "ahead_of_the_database"})
        is_complete = count < limit
        place = (False, below - 1, LAST_ID) if is_complete else (False, last_xid, last_id)
    behind = Timepoint(after.epoch, after.terms, place[0], snapshot_xid, place[1], place[2], now_s)
    return Page([(key, inside_, data) for key, inside_, data in rows], behind, is_complete)


@lru_cache(maxsize=256)
def _page_sql(selection: Selection, inside: str, is_snapshot: bool) -> str:
    if is_snapshot:
        rows = snapshot_sql(selection, inside=inside, after_id="<<after_id>>", limit="<<rows_at_most>>")
    else:
        member = MEMBER.format(row_key=DATASETS[selection.dataset].row_key)
        rows = changes_sql(
            selection, inside=inside, also=member, after_xid="<<after_xid>>", after_id="<<after_id>>", limit="<<rows_at_most>>"
        )
    return PAGE.format(rows=rows, horizon=HORIZON, order="row_id" if is_snapshot else "xid, row_id")
