"""The credit of one subject in one query (信用概览), for the dossier: counts by kind and display, and the latest records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from basedb.credit.records import KINDS, display_sql

LATEST = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """`counts` is dataset -> display -> number; `latest` are records as mappings, the newest decision first."""

    counts: Mapping[str, Mapping[str, int]]
    latest: list[dict[str, Any]]


def records_sql(today: date) -> str:
    """The records of subjects of every kind with their display; the parameters are an array of their keys, once a kind."""
    return " UNION ALL ".join(
        f"SELECT '{dataset}' AS dataset, encode(r.row_key, 'hex') AS row_key, r.document_number, r.authority, r.item_code, "
        f"r.decided_on, r.publish_until, r.source_record_id, r.source_department_id, r.changed_at, "
        f"{display_sql(dataset, 'r', today)} AS display FROM {model._meta.db_table} r WHERE r.subject_key = ANY (%s)"
        for dataset, model in KINDS.items()
    )


def summary_of(*, subject_key: bytes, today: date, latest: int = LATEST) -> Summary:
    """Return what the credit base knows of a subject. Who may see what of it is decided by the caller, by `display`."""
    statement = f"""
    WITH records AS MATERIALIZED ({records_sql(today)}),
    counted AS (SELECT dataset, display, count(*) AS number FROM records GROUP BY dataset, display),
    newest AS (SELECT * FROM records ORDER BY decided_on DESC, row_key LIMIT %s)
    SELECT (SELECT coalesce(json_agg(c), '[]') FROM counted c), (SELECT coalesce(json_agg(n), '[]') FROM newest n)"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [*[[subject_key]] * len(KINDS), latest])
        counted, newest = cursor.fetchone()
    return Summary(counts_of(counted), newest)


def counts_of(counted: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return counted lines by kind and display."""
    counts: dict[str, dict[str, int]] = {}
    for line in counted:
        counts.setdefault(line["dataset"], {})[line["display"]] = line["number"]
    return counts
