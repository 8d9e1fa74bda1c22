"""Reading a source's row (数据源登记): from the database for the call path, from an ORM object for a test of the connection.

The call path asks once in a few seconds and grant, together with the grant (`exchange.calls.registry`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import models
from django.db.models import Q

from exchange.calls import connections
from exchange.models import SourceConnection, UpstreamAccount, UpstreamInterface
from exchange.sources.secrets import secret_of
from exchange.sources.terms import INTERFACE_PREFIX, TABLE_PREFIX, Account, Interface, Remote, Table

TABLE: Final = "SELECT to_jsonb(s) FROM exchange_sourceconnection s WHERE s.uid = <<uid>> AND s.is_active"
INTERFACE: Final = """
SELECT to_jsonb(i), to_jsonb(a), (SELECT to_jsonb(k) FROM exchange_upstreamsecret k
    WHERE k.account_id = a.id AND k.valid_from <= now() AND coalesce(k.valid_to > now(), true)
    ORDER BY k.valid_from DESC, k.id DESC LIMIT 1)
FROM exchange_upstreaminterface i LEFT JOIN exchange_upstreamaccount a ON a.id = i.account_id
WHERE i.uid = <<uid>> AND i.is_active"""
UID: Final = (("uid", "uuid"),)

Row = Mapping[str, Any]


def load(dataset: str) -> Remote | None:
    """Return the source a mounting names as the database has it now; None when it is gone or switched off."""
    if dataset.startswith(TABLE_PREFIX):
        row = connections.run(TABLE, UID, {"uid": dataset.removeprefix(TABLE_PREFIX)})
        return Remote(row[0]["key_kind"], _table(row[0])) if row else None
    row = connections.run(INTERFACE, UID, {"uid": dataset.removeprefix(INTERFACE_PREFIX)})
    return Remote(row[0]["key_kind"], _interface(*row[:3])) if row else None


def table_of(connection: SourceConnection) -> Remote:
    """Return a registered table as the call path sees it."""
    return Remote(connection.key_kind, _table(_columns(connection)))


def interface_of(interface: UpstreamInterface, now: datetime) -> Remote:
    """Return a registered interface as the call path sees it."""
    account = interface.account
    live = _live_secret(account, now) if account else None
    rows = [_columns(row) if row else None for row in (account, live)]
    return Remote(interface.key_kind, _interface(_columns(interface), *rows))


def account_of(account: UpstreamAccount, now: datetime) -> Account:
    """Return an account with its live secret."""
    live = _live_secret(account, now)
    return _account(_columns(account), _columns(live) if live else None)


def _live_secret(account: UpstreamAccount, now: datetime) -> models.Model | None:
    live = account.secrets.filter(Q(valid_to=None) | Q(valid_to__gt=now), valid_from__lte=now)
    return live.order_by("-valid_from", "-id").first()


def _columns(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _table(row: Row) -> Table:
    return Table(
        uid=str(row["uid"]),
        revision=row["revision"],
        kind=row["kind"],
        host=row["host"],
        port=row["port"],
        database=row["database"],
        username=row["username"],
        password=secret_of(row, "source_connection"),
        schema=row["schema"],
        name=row["table"],
        key_column=row["key_column"],
        region_column=row["region_column"],
        columns=tuple(column["name"] for column in row["columns"]),
        timeout_ms=row["timeout_ms"],
        at_once=row["at_once"],
    )


def _interface(row: Row, account: Row | None, secret: Row | None) -> Interface:
    return Interface(
        uid=str(row["uid"]),
        revision=row["revision"],
        method=row["method"],
        url=row["url"],
        sid=row["sid"],
        account=_account(account, secret) if account else None,
        pointers={column["name"]: column["pointer"] for column in row["columns"]},
        request_map=row["request_map"],
        answer_map=row["answer_map"],
        timeout_ms=row["timeout_ms"],
        at_once=row["at_once"],
    )


def _account(row: Row, secret: Row | None) -> Account:
    return Account(
        uid=str(row["uid"]),
        auth=row["auth"],
        header_name=row["header_name"],
        family=row["family"],
        rid=row["rid"],
        refresh_url=row["refresh_url"],
        refresh_sid=row["refresh_sid"],
        secret=secret_of(secret, "upstream_secret") if secret else "",
        session=secret_of(row, "upstream_account"),
        session_ends_at=_moment(row["session_ends_at"]),
        refreshed_at=_moment(row["refreshed_at"]),
    )


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
