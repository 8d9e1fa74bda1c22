"""Sealing (封存): what was appended since the last seal gets a digest, a place in the chain and the platform's signature.

Done beside the calls, never in them. It runs as the database role `sealer`, which alone may add a seal and can do nothing else
(docs/adr/0005). A seal covers a whole range of transactions, all of them ended: nothing can appear in it later unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import psycopg2
from django.conf import settings
from django.utils.translation import gettext as _
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from core.errors import Unavailable
from core.signing import Signing, SigningKey
from exchange.evidence.records import CANONICAL, LEDGERS, Digests, read
from exchange.evidence.verifier import NONE, Statement, digest_of
from exchange.models import Chain

BATCH: Final = 10_000
TIMEOUT_MS: Final = 40_000
LAST: Final = "SELECT number, xid_to::text, statement FROM exchange_seal WHERE chain = %s ORDER BY number DESC LIMIT 1"
INSERT: Final = """
INSERT INTO exchange_seal (chain, number, xid_from, xid_to, record_count, first_at, last_at, sealed_at, statement, signature,
    record_digests)
VALUES (%(chain)s, %(number)s, %(xid_from)s, %(xid_to)s, %(record_count)s, %(first_at)s, %(last_at)s, %(sealed_at)s,
    %(statement)s, %(signature)s, %(record_digests)s)"""


class Last(NamedTuple):
    """The end of a chain."""

    number: int
    xid_to: int
    digest: str


@contextmanager
def sealer() -> Iterator[Connection]:
    """A connection as the role `sealer`; Unavailable in a process that was not given its password."""
    if not settings.SEALER_PASSWORD:
        raise Unavailable("evidence.no_sealer", _("本进程未配置封存口令，不能封存。"))
    database = settings.DATABASES["default"]
    made = psycopg2.connect(
        host=database["HOST"],
        port=database["PORT"],
        dbname=database["NAME"],
        user="sealer",
        password=settings.SEALER_PASSWORD,
        options=f"{CANONICAL} -c statement_timeout={TIMEOUT_MS}",
        application_name="exchange-sealer",
        connect_timeout=5,
    )
    try:
        yield made
    finally:
        made.close()


def signing_key() -> SigningKey:
    """Return the platform's signing key; Unavailable in a process that was not given it."""
    if settings.SIGNING_KEY_FILE is None:
        raise Unavailable("evidence.no_signing_key", _("本进程未配置签名密钥，不能封存。"))
    return SigningKey.load(settings.SIGNING_KEY_FILE)


def seal_all() -> dict[Chain, int]:
    """Seal whatever is due in every chain and return how many records were; each batch is a transaction of its own."""
    key = signing_key()
    sealed = dict.fromkeys(Chain, 0)
    with sealer() as connection:
        for chain in Chain:
            while count := seal_next(connection, chain, key):
                sealed[chain] += count
    return sealed


def seal_next(connection: Connection, chain: Chain, key: Signing, *, batch: int = BATCH) -> int:
    """Seal the next batch of a chain; return its size, 0 when nothing is due or another worker is at it.

    Killed in the middle it leaves nothing behind. A single transaction with more records than a batch makes one large batch.
    """
    with connection, connection.cursor() as cursor:
        if not _is_ours(cursor, chain):
            return 0
        last = _last(cursor, chain)
        xid_to = end_of_batch(cursor, chain, last.xid_to, batch)
        if xid_to is None:
            return 0
        digests = Digests()
        read(cursor, chain, LEDGERS[chain].columns, (last.xid_to, xid_to), into=digests)
        _write(cursor, chain, key, last, xid_to=xid_to, found=digests.found)
        return len(digests.found)


def _is_ours(cursor: Cursor, chain: Chain) -> bool:
    """Take the chain's lock until the end of the transaction, unless somebody has it."""
    return bool(_one(cursor, "SELECT pg_try_advisory_xact_lock(hashtext('exchange_seal'), hashtext(%s))", chain.value)[0])


def _one(cursor: Any, sql: str, *values: Any) -> Any:
    cursor.execute(sql, values)
    return cursor.fetchone()


def _last(cursor: Cursor, chain: Chain) -> Last:
    row = _one(cursor, LAST, chain.value)
    return Last(row[0], int(row[1]), digest_of(row[2])) if row else Last(0, 0, NONE)


def end_of_batch(cursor: Any, chain: Chain, xid_from: int, batch: int) -> int | None:
    """Return the transaction before which the next batch ends, None when there is no record to seal.

    Every transaction below the snapshot's xmin has ended, so no record can appear below it afterwards.
    """
    horizon = int(_one(cursor, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text")[0])
    if horizon < xid_from:
        raise Unavailable("evidence.restored", _("数据库事务号小于已封存的事务号，数据库可能由逻辑备份恢复，须先调高事务号。"))
    # Qualified: a bare "xid" would mean the text that is selected, and sort 10 before 9.
    waiting = f"SELECT r.xid::text FROM {LEDGERS[chain].table} r WHERE r.xid >= %s::xid8 AND r.xid < %s::xid8 ORDER BY r.xid"
    first = _one(cursor, f"{waiting} LIMIT 1", str(xid_from), str(horizon))
    if first is None:
        return None
    beyond = _one(cursor, f"{waiting} OFFSET {batch} LIMIT 1", str(xid_from), str(horizon))
    if beyond is None:
        return horizon
    return max(int(beyond[0]), int(first[0]) + 1)


def _write(cursor: Cursor, chain: Chain, key: Signing, last: Last, *, xid_to: int, found: list[bytes]) -> None:
    ledger, digests = LEDGERS[chain], b"".join(found)
    as_text = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    times = (f"min({ledger.time})", f"max({ledger.time})", "clock_timestamp()")
    first_at, last_at, sealed_at = _one(
        cursor,
        f"SELECT {', '.join(as_text.format(time) for time in times)} FROM {ledger.table} WHERE xid >= %s::xid8 AND xid < %s::xid8",
        str(last.xid_to),
        str(xid_to),
    )
    statement = Statement(
        node=settings.NODE_CODE,
        chain=chain.value,
        number=last.number + 1,
        columns=ledger.columns,
        xid_from=last.xid_to,
        xid_to=xid_to,
        record_count=len(found),
        first_at=first_at,
        last_at=last_at,
        records_digest=hashlib.sha256(digests).hexdigest(),
        previous_digest=last.digest,
        sealed_at=sealed_at,
        key=key.public.id,
    )
    text = statement.text()
    values = {name: getattr(statement, name) for name in ("chain", "number", "record_count", "first_at", "last_at", "sealed_at")}
    values |= {"xid_from": str(last.xid_to), "xid_to": str(xid_to), "statement": text}
    cursor.execute(INSERT, values | {"signature": key.sign(text.encode()), "record_digests": digests})
