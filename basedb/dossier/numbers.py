"""Which numbers' facts belong to an entity (标识归属): its own, those merged into it, and others its records carry or carried.

A record linked by hand or corrected later may carry somebody else's number by a slip. A number that was not merged counts only
when no lead source's record of another entity carries or carried it: in doubt it is shown to neither.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from basedb.dictionary import Dataset
from basedb.fusion.linking import MERGE
from basedb.sql_text import quote


def numbers_sql(master: Dataset, entity_key: bytes, known_at: datetime | None) -> tuple[str, list[Any]]:
    """The numbers as `key`, by what was known at a moment (None: now); `is_certain` are the own one and the merged."""
    holds = "upper_inf({})" if known_at is None else "{} @> %s::timestamptz"
    at = [] if known_at is None else [known_at]
    sql = f"""
        SELECT %s::bytea AS key, true AS is_certain
        UNION ALL SELECT c.key, c.is_merged FROM (
            SELECT r.subject_key AS key, bool_or(x.rule_version = {quote(MERGE)} AND r.id = (
                SELECT v.id FROM basedb_sourcerecord v
                WHERE v.chain = x.chain AND v.subject_key IS NOT NULL AND {holds.format("v.known")}
                ORDER BY lower(v.valid) DESC NULLS LAST LIMIT 1)) AS is_merged
            FROM basedb_crosswalk x CROSS JOIN LATERAL (SELECT * FROM basedb_sourcerecord r WHERE r.chain = x.chain OFFSET 0) r
            WHERE x.entity_key = %s AND x.dataset = %s AND {holds.format("x.linked")} AND {holds.format("r.known")}
                AND r.subject_key <> x.entity_key GROUP BY r.subject_key OFFSET 0
        ) c WHERE c.is_merged OR NOT EXISTS (
            SELECT FROM basedb_sourcerecord o
            JOIN basedb_datasource s ON s.id = o.source_id AND s.dataset = %s AND s.is_lead
            JOIN basedb_crosswalk y ON y.chain = o.chain AND {holds.format("y.linked")} AND y.entity_key <> %s
            WHERE o.subject_key = c.key AND {holds.format("o.known")} OFFSET 0)"""
    return sql, [entity_key, *at, entity_key, master.code, *at, *at, master.code, *at, entity_key, *at]
