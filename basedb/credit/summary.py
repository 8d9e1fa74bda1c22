"""The credit of subjects for their dossiers (信用概览): records of every kind with their display, and counts by both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from basedb.credit.records import KINDS, display_sql


def records_sql(today: date) -> str:
    """The records of subjects of every kind with their display; the parameters are an array of their keys, once a kind."""
    return " UNION ALL ".join(
        f"SELECT '{dataset}' AS dataset, encode(r.row_key, 'hex') AS row_key, r.document_number, r.authority, r.item_code, "
        f"r.decided_on, r.publish_until, r.source_record_id, r.source_department_id, r.changed_at, "
        f"{display_sql(dataset, 'r', today)} AS display FROM {model._meta.db_table} r WHERE r.subject_key = ANY (%s)"
        for dataset, model in KINDS.items()
    )


def counts_of(counted: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return counted lines by kind and display."""
    counts: dict[str, dict[str, int]] = {}
    for line in counted:
        counts.setdefault(line["dataset"], {})[line["display"]] = line["number"]
    return counts
