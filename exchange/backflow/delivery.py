"""Delivery into the receiver's database (投递): the rows of a batch and its receipt in one transaction over there.

The receipt (回执) is inserted first, so that two workers with the same batch cannot both write; where it already stands the
batch is there and nothing is written again. A receipt names the batch by a random uid: the receiver and we may each be restored
from a backup, and numbers alone would take another batch for the one that stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg2
from django.utils.translation import gettext as _
from psycopg2 import errors, sql
from psycopg2.extras import execute_values

from basedb.changes import ChangedRow
from basedb.dictionary import DATASETS, DataType
from core.errors import Conflict, Unavailable
from exchange.models import BackflowSubscription
from exchange.sealed_passwords import password_of

RECEIPTS = "backflow_receipt"
_RECEIPT = "sequence, batch, digest, row_count, removed_count, received_at"
_TYPES = {DataType.TEXT: "text", DataType.DATE: "date", DataType.NUMBER: "numeric"}
_MAKE_RECEIPTS = f"""
    CREATE TABLE IF NOT EXISTS {RECEIPTS} (subscription uuid, sequence bigint, digest bytea NOT NULL, row_count integer NOT NULL,
        removed_count integer NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), batch uuid,
        PRIMARY KEY (subscription, sequence))"""
_RECEIPTS_ARE_OLD = """SELECT NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = 'batch' AND NOT attisdropped)"""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one batch carries: rows to put and keys to take away."""

    sequence: int
    batch: UUID
    put: Sequence[ChangedRow]
    removed: Sequence[bytes]
    starts_over: bool

    @property
    def digest(self) -> bytes:
        """SHA-256 over the contents in the order of the keys."""
        total = hashlib.sha256()
        for row in self.put:
            total.update(repr((row.subject_key.hex(), row.version, [str(value) for value in row.values])).encode())
        for key in self.removed:
            total.update(repr((key.hex(), None)).encode())
        return total.digest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receiver's database says it holds of a batch."""

    sequence: int
    batch: str
    digest: bytes
    row_count: int
    removed_count: int
    received_at: str


@contextmanager
def target(subscription: BackflowSubscription) -> Iterator[Any]:
    """Open the receiver's database; what goes wrong there is Unavailable, in words that quote no parameters."""
    place = subscription.settings
    try:
        connection = psycopg2.connect(
            host=place.get("host"),
            port=place.get("port"),
            dbname=place.get("database"),
            user=place.get("user"),
            password=password_of(subscription),
            connect_timeout=5,
            application_name="backflow",
            options="-c statement_timeout=60000 -c lock_timeout=20000",
        )
    except psycopg2.OperationalError as error:
        said = _("目标库拒绝登录：用户名或口令不正确。") if "authentication failed" in str(error) else _("目标库连接不上。")
        raise Unavailable("target.away", said) from None
    try:
        yield connection
    except errors.InsufficientPrivilege:
        raise Unavailable("target.forbidden", _("目标库账号没有写入权限。")) from None
    except (errors.UndefinedColumn, errors.DatatypeMismatch):
        raise Unavailable("target.table_differs", _("目标表的结构与回流信息项不一致。")) from None
    except psycopg2.Error as error:
        raise Unavailable("target.failed", _("目标库写入失败(错误码 %(code)s)。") % {"code": error.pgcode or "-"}) from None
    finally:
        connection.close()


def prepare_target(subscription: BackflowSubscription) -> int:
    """Make the receiver's table and the receipts where they are not there yet; return the number of its last receipt."""
    dataset = DATASETS[subscription.dataset]
    columns: list[sql.Composable] = [sql.SQL("subject_key text PRIMARY KEY, version integer NOT NULL")]
    columns += [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_TYPES[dataset.field(name).data_type]))
        for name in subscription.fields
    ]
    make = sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(_table(subscription), sql.SQL(", ").join(columns))
    with target(subscription) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL OR to_regclass(%s) IS NULL", [RECEIPTS, subscription.settings["table"]])
        if cursor.fetchone()[0]:
            cursor.execute(_MAKE_RECEIPTS)
            cursor.execute(make)
        cursor.execute(_RECEIPTS_ARE_OLD, [RECEIPTS])
        if cursor.fetchone()[0]:
            cursor.execute(f"ALTER TABLE {RECEIPTS} ADD COLUMN IF NOT EXISTS batch uuid")
        return _last(cursor, subscription)


def deliver(subscription: BackflowSubscription, parcel: Parcel) -> Receipt:
    """Write a parcel and its receipt in one transaction, once; return the receipt that stands over there.

    Raises Conflict when the receiver's receipts do not fit our batches: one side was set back and everything must start over.
    """
    with target(subscription) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"backflow:{subscription.uid}"])  # one worker at a time
        standing = _receipt(cursor, subscription, parcel.sequence)
        if standing is not None and standing.batch == str(parcel.batch):
            return standing
        _refuse_what_does_not_follow(_last(cursor, subscription), parcel)
        cursor.execute(
            f"INSERT INTO {RECEIPTS} (subscription, sequence, batch, digest, row_count, removed_count)"
            f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_RECEIPT}",
            [
                str(subscription.uid),
                parcel.sequence,
                str(parcel.batch),
                parcel.digest,
                len(parcel.put),
                len(parcel.removed),
            ],
        )
        receipt = _as_receipt(cursor.fetchone())
        _write(cursor, subscription, parcel)
    return receipt


def _last(cursor: Any, subscription: BackflowSubscription) -> int:
    cursor.execute(f"SELECT coalesce(max(sequence), 0) FROM {RECEIPTS} WHERE subscription = %s", [str(subscription.uid)])
    last: int = cursor.fetchone()[0]
    return last


def _refuse_what_does_not_follow(last: int, parcel: Parcel) -> None:
    """A batch follows the last receipt; one that starts over may leave numbers out."""
    sequence = parcel.sequence
    if last >= sequence:
        said = _("目标库已有第 %(last)s 批的回执，平台正要投递第 %(next)s 批：平台数据库可能恢复过备份，请由审核员重新全量回流。")
        raise Conflict("target.ahead", said % {"last": last, "next": sequence})
    if last < sequence - 1 and not parcel.starts_over:
        said = _("目标库的回执只到第 %(last)s 批，平台已签收到第 %(known)s 批：目标库可能恢复过备份，请重新全量回流。")
        raise Conflict("target.set_back", said % {"last": last, "known": sequence - 1})


def _write(cursor: Any, subscription: BackflowSubscription, parcel: Parcel) -> None:
    names = [sql.Identifier(name) for name in ("subject_key", "version", *subscription.fields)]
    changes = sql.SQL(", ").join(sql.SQL("{} = excluded.{}").format(name, name) for name in names[1:])
    table = _table(subscription)
    if parcel.starts_over:
        cursor.execute(sql.SQL("DELETE FROM {}").format(table))
    put = sql.SQL("INSERT INTO {} ({}) VALUES %s ON CONFLICT (subject_key) DO UPDATE SET {}")
    rows = [(row.subject_key.hex(), row.version, *row.values) for row in parcel.put]
    execute_values(cursor, put.format(table, sql.SQL(", ").join(names), changes), rows, page_size=1_000)
    remove = sql.SQL("DELETE FROM {} WHERE subject_key = ANY(%s)").format(table)
    cursor.execute(remove, [[key.hex() for key in parcel.removed]])


def _receipt(cursor: Any, subscription: BackflowSubscription, sequence: int) -> Receipt | None:
    cursor.execute(
        f"SELECT {_RECEIPT} FROM {RECEIPTS} WHERE subscription = %s AND sequence = %s",
        [str(subscription.uid), sequence],
    )
    found = cursor.fetchone()
    return None if found is None else _as_receipt(found)


def _as_receipt(found: Sequence[Any]) -> Receipt:
    number, batch, digest, rows, removed, received_at = found
    return Receipt(number, str(batch), bytes(digest), rows, removed, received_at.isoformat())


def _table(subscription: BackflowSubscription) -> sql.Identifier:
    return sql.Identifier(str(subscription.settings["table"]))
