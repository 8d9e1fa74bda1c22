"""Records to be sealed, and hands that tamper with them as the owner of the tables, the guarding triggers switched off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from exchange.evidence import sealing
from exchange.evidence.checking import Trust, verify_chain
from exchange.models import CallRecord, Chain, Seal

INSERT = """
INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, nonce, grant_id, grant_version, resource_id,
    provider_id, department_id, mode, outcome, fields, subject_key, row_count, request_digest, answer_digest, client_ip)
VALUES (clock_timestamp(), 7, gen_random_uuid(), 9, gen_random_uuid()::text, 5, 1, 3, 2, 4, 'QUERY', 'call.answered',
    ARRAY['name', 'sex'], sha256('subject')::bytea, 1, sha256('question'), sha256('answer'), '127.0.0.1')
""".replace("sha256('subject')::bytea", "substr(sha256('subject'), 1, 16)")


@pytest.fixture
def sealable(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """A database with real transactions, the platform's keys, an archive folder of its own."""
    secrets = settings.ENV.run_dir / "secrets"
    settings.SIGNING_KEY_FILE, settings.SEAL_KEYS_FILE = secrets / "signing.pem", secrets / "seal_keys.pem"
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.ARCHIVE_DIR.mkdir()
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE exchange_callrecord, exchange_callsubjects")


def append(count: int) -> None:
    """Append call records, each in a transaction of its own, as calls do."""
    with connection.cursor() as cursor:
        for _ in range(count):
            cursor.execute(INSERT)


def seal(chain: Chain = Chain.CALLS, *, batch: int = 10, until: int | None = None) -> list[Seal]:
    """Seal in small batches until as many records are sealed as there are; other databases' transactions may delay it."""
    patience = time.monotonic() + 30
    wanted = CallRecord.objects.count() if until is None else until
    while until is None and not _all_may_be_sealed() and time.monotonic() < patience:
        time.sleep(0.05)
    with sealing.sealer() as sealer:
        while True:
            while sealing.seal_next(sealer, chain, sealing.signing_key(), batch=batch):
                pass
            seals = list(Seal.objects.filter(chain=chain).order_by("number"))
            if sum(made.record_count for made in seals) >= wanted or time.monotonic() > patience:
                return seals
            time.sleep(0.2)


def _all_may_be_sealed() -> bool:
    """Whether no transaction of anybody, another database's or autovacuum's, is older than our last record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT FROM exchange_callrecord WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))")
        return bool(cursor.fetchone()[0])


@contextmanager
def unguarded(table: str) -> Iterator[Any]:
    """A cursor of the owner with the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(table: str, sql: str, *values: Any) -> None:
    """Run one statement as the owner, unguarded; it must have hit something."""
    with unguarded(table) as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount >= 1


def first_bad(chain: Chain = Chain.CALLS) -> str:
    """Return what the verification calls the first bad entry, "" when all is well."""
    bad = verify_chain(chain, Trust.of_this_platform()).bad
    return str(bad) if bad else ""


def keys_file() -> Path:
    """The public keys of the test stack."""
    path: Path = settings.SEAL_KEYS_FILE
    return path
