"""Reading sealed records again (存证核对): each batch in its canonical form, compared with what was sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from exchange.evidence.records import CANONICAL_HERE, Cursor, Digests, Lines, read
from exchange.evidence.retired import records_tables
from exchange.evidence.verifier import Statement, check_records, record_name
from exchange.models import Chain, Seal


@contextmanager
def canonical_cursor() -> Iterator[Cursor]:
    """A cursor whose session writes values in their canonical form until its transaction ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CANONICAL_HERE)
        yield cursor


def compare(cursor: Cursor, seal: Seal, statement: Statement) -> None:
    """Compare the records that stand in a seal's range with those that were sealed; Tampered names the first bad one."""
    digests = Digests()
    _read(cursor, statement, digests)

    def name_of(position: int) -> str:
        return record_name(statement.columns, _lines(cursor, statement)[position])

    check_records(statement, bytes(seal.record_digests), digests.found, name_of)


def records_of(cursor: Cursor, seal: Seal, statement: Statement) -> list[bytes]:
    """Return the records of a seal, each as it was sealed; Tampered when one is not."""
    lines = _lines(cursor, statement)
    found = [hashlib.sha256(line).digest() for line in lines]
    check_records(statement, bytes(seal.record_digests), found, lambda n: record_name(statement.columns, lines[n]))
    return lines


def _lines(cursor: Cursor, statement: Statement) -> list[bytes]:
    lines = Lines()
    _read(cursor, statement, lines)
    return lines.found


def _read(cursor: Cursor, statement: Statement, into: Digests | Lines) -> None:
    chain, between = Chain(statement.chain), (statement.xid_from, statement.xid_to)
    retired = [table for table, _subjects in records_tables(*between)] if chain is Chain.CALLS else []
    read(cursor, chain, statement.columns, between, into=into, retired=retired)
