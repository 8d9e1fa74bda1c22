"""The records of a chain (留痕记录), in the one form that is sealed and in the one order.

A record's canonical form is its line of PostgreSQL's `COPY ... TO STDOUT` in text format (tab-separated, `\\N` for null) with the
columns a seal names, times in UTC: exact, documented, the same in every version, and nothing has to be parsed to hash it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from exchange.models import Chain

SETTINGS: Final = {
    "timezone": "UTC",
    "datestyle": "ISO,YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
CANONICAL: Final = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())  # options of a connection
CANONICAL_HERE: Final = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in SETTINGS.items())  # for one transaction


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the records of a chain stand, which columns are sealed from now on, in which order they go, which one is their time."""

    table: str
    order: str
    columns: tuple[str, ...]
    time: str = "recorded_at"


LEDGERS: Final = {
    Chain.CALLS: Ledger(
        "exchange_callrecord",
        "xid, requested_at, consumer_id, call_id",
        (
            *("xid", "requested_at", "consumer_id", "call_id", "parent_call_id", "credential_id", "nonce", "grant_id"),
            *("grant_version", "resource_id", "provider_id", "department_id", "mode", "outcome", "fields", "subject_key"),
            *("row_count", "request_digest", "answer_digest", "client_ip", "recorded_at", "status"),
            *("duration_us", "request_bytes", "answer_bytes", "quota_left", "subject_count", "matter", "officer", "case_number"),
            "subjects_digest",
        ),
    ),
    Chain.AUDIT: Ledger(
        "core_auditentry",
        "xid, id",
        (
            *("xid", "id", "at", "recorded_at", "action", "actor_id", "actor_name", "actor_department_id", "actor_department"),
            *("object_kind", "object_uid", "object_title", "department_ids", "detail", "client_ip", "request_id"),
        ),
    ),
    Chain.USES: Ledger(
        "licenses_licenseuse",
        "xid, id",
        (
            *("xid", "id", "uid", "at", "identifier", "type_code", "issuer_code", "subject_key", "channel", "department_id"),
            *("department_name", "system_id", "actor_id", "matter", "purpose", "items", "call_id"),
        ),
        time="at",
    ),
}


class Cursor(Protocol):
    """What reading needs of a database cursor; Django's and psycopg2's own both have it."""

    def execute(self, sql: str, params: Any = ...) -> Any:
        """Run a statement."""

    def fetchone(self) -> Any:
        """Return a row."""

    def copy_expert(self, sql: str, file: Any) -> Any:
        """Run a COPY."""


class Digests:
    """A file for COPY to write to: keeps the SHA-256 of every record."""

    def __init__(self) -> None:
        self.found: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Take one record; the driver hands over whole lines."""
        self.found.append(hashlib.sha256(line).digest())


class Lines:
    """A file for COPY to write to: keeps the records."""

    def __init__(self) -> None:
        self.found: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Take one record."""
        self.found.append(line)


def read(
    cursor: Cursor,
    chain: Chain,
    columns: Sequence[str],
    between: tuple[int, int],
    *,
    into: Digests | Lines,
    retired: Sequence[str] = (),
) -> None:
    """Hand over the records of a half-open range of transactions, in order; the session must be canonical.

    `retired` are tables some of the records may have left for.
    """
    ledger = LEDGERS[chain]
    if not all(column.isidentifier() and column.isascii() for column in columns):
        raise ValueError("a seal names a column that cannot be one")
    inside = f"WHERE xid >= '{int(between[0])}' AND xid < '{int(between[1])}'"
    parts = [f"SELECT {', '.join(columns)} FROM {table} {inside}" for table in (ledger.table, *retired)]
    found = parts[0] if len(parts) == 1 else f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS every"
    cursor.copy_expert(f"COPY ({found} ORDER BY {ledger.order}) TO STDOUT", into)
