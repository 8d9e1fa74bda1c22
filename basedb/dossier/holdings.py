"""What an entity holds and what its credit record says now (证照与信用): the newest of both and their counts, in one query."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from basedb.credit.records import KINDS
from basedb.credit.summary import counts_of, records_sql
from basedb.dossier.facts import MOST
from basedb.licenses import licenses_sql

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Holdings:
    """Lines as JSON has them, each with `department`. `credit_counts` is dataset -> display -> number."""

    licenses: list[Line] = field(default_factory=list)
    license_count: int = 0
    live_count: int = 0
    credit: list[Line] = field(default_factory=list)
    credit_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def holdings_of(keys: Collection[bytes], *, today: date, department_id: int | None = None, most: int = MOST) -> Holdings:
    """Return licenses and credit records under some keys; with `department_id` only what that department delivered."""
    own = "" if department_id is None else f"WHERE source_department_id = {department_id:d}"
    statement = f"""
    WITH licenses AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY is_live DESC, issued_on DESC, row_key) AS place
        FROM ({licenses_sql(today)}) l {own}),
    records AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY decided_on DESC, row_key) AS place
        FROM ({records_sql(today)}) r {own}),
    counted AS (SELECT dataset, display, count(*) AS number FROM records GROUP BY dataset, display)
    SELECT (SELECT coalesce(json_agg(n ORDER BY place), '[]') FROM (SELECT l.*, d.name AS department FROM licenses l
            JOIN core_department d ON d.id = l.source_department_id WHERE place <= %s) n),
        (SELECT count(*) FROM licenses), (SELECT count(*) FILTER (WHERE is_live) FROM licenses),
        (SELECT coalesce(json_agg(n ORDER BY place), '[]') FROM (SELECT r.*, d.name AS department FROM records r
            JOIN core_department d ON d.id = r.source_department_id WHERE place <= %s) n),
        (SELECT coalesce(json_agg(c), '[]') FROM counted c)"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [*[list(keys)] * (1 + len(KINDS)), most, most])
        licenses, license_count, live_count, credit, counted = cursor.fetchone()
    return Holdings(licenses, license_count, live_count, credit, counts_of(counted))
