"""The feed of granted rows (变更流): a base table in the order of its rows, then in the order its rows were changed.

As in `changes`, a position is (changed_xid, id), and only what lies below the horizon is read: every transaction under it has
ended, so nothing can appear behind a position already passed, however late it commits. The room above says where and for whom.
"""

from __future__ import annotations

from typing import Final

from basedb.dictionary import DATASETS
from basedb.lookup import ROW, Selection, data_sql

HORIZON: Final = "pg_snapshot_xmin(pg_current_snapshot())"
# Another cluster, another branch of its history or another database count transactions anew.
EPOCH: Final = (
    "SELECT (SELECT system_identifier::text FROM pg_control_system()) || ':' || (SELECT timeline_id::text FROM "
    "pg_control_checkpoint()) || ':' || (SELECT oid::text FROM pg_database WHERE datname = <<database>>)"
)


def snapshot_sql(selection: Selection, *, inside: str, after_id: str, limit: str) -> str:
    """Rows as they stand now, in the order of their ids: row_id, xid, row_key, is_inside, data."""
    return (
        f"SELECT {_columns(selection, 'true')} FROM {DATASETS[selection.dataset].table} {ROW} "
        f"WHERE {ROW}.id > {after_id} AND ({inside}) ORDER BY {ROW}.id LIMIT {limit}"
    )


def changes_sql(selection: Selection, *, inside: str, also: str, after_xid: str, after_id: str, limit: str) -> str:
    """Rows changed behind a position and below the horizon, in that order; those outside only when `also` wants them."""
    return (
        f"SELECT {_columns(selection, inside)} FROM {DATASETS[selection.dataset].table} {ROW} "
        f"WHERE ({ROW}.changed_xid, {ROW}.id) > ({after_xid}, {after_id}) AND {ROW}.changed_xid < {HORIZON} "
        f"AND (({inside}) OR {also}) ORDER BY {ROW}.changed_xid, {ROW}.id LIMIT {limit}"
    )


def _columns(selection: Selection, inside: str) -> str:
    return (
        f"{ROW}.id AS row_id, {ROW}.changed_xid::text::bigint AS xid, {ROW}.{DATASETS[selection.dataset].row_key} AS row_key, "
        f"coalesce({inside}, false) AS is_inside, "
        f"{data_sql(selection)} AS data"
    )
