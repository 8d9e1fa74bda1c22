"""Whom sealed calls with many keys were about (批量调用的对象): the kept keys, compared with the digest the seal covers."""

from __future__ import annotations

from typing import Final

from exchange.evidence.records import LEDGERS, Cursor
from exchange.evidence.retired import records_tables
from exchange.evidence.verifier import Statement, Tampered
from exchange.models import Chain

COLUMN: Final = "subjects_digest"
BESIDE: Final = "exchange_callsubjects"
FIRST_OTHER: Final = f"""
SELECT r.call_id FROM {{records}} r LEFT JOIN {{subjects}} s USING (requested_at, consumer_id, call_id)
WHERE r.xid >= %s::text::xid8 AND r.xid < %s::text::xid8 AND r.{COLUMN} IS NOT NULL AND r.{COLUMN} <> sha256(coalesce((
    SELECT string_agg(uuid_send(key), ''::bytea ORDER BY place) FROM unnest(s.subject_keys) WITH ORDINALITY AS kept (key, place)
), ''::bytea))
ORDER BY r.xid, r.requested_at, r.consumer_id, r.call_id LIMIT 1"""


def check_subjects(cursor: Cursor, statement: Statement) -> None:
    """Compare the keys kept beside a seal's records with their digests; Tampered names the first call that differs."""
    if statement.chain != Chain.CALLS or COLUMN not in statement.columns:
        return
    between = (statement.xid_from, statement.xid_to)
    for records, subjects in ((LEDGERS[Chain.CALLS].table, BESIDE), *records_tables(*between)):
        cursor.execute(FIRST_OTHER.format(records=records, subjects=subjects), list(between))
        if row := cursor.fetchone():
            raise Tampered(f"subjects of call {row[0]}", "edited or deleted")
