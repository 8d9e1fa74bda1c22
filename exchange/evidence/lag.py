"""Sealing lag (封存滞后): how long the oldest record has waited for its seal. Nought when everything is sealed."""

from __future__ import annotations

from typing import Any, Final

from exchange.evidence.records import LEDGERS
from exchange.models import Chain


def lag_sql(chain: Chain) -> str:
    """Return an SQL expression: the seconds the first unsealed record of a chain has waited; two steps into an index."""
    sealed = f"(SELECT xid_to FROM exchange_seal WHERE chain = '{chain.value}' ORDER BY number DESC LIMIT 1)"
    ledger = LEDGERS[chain]
    first = f"(SELECT {ledger.time} FROM {ledger.table} WHERE xid >= coalesce({sealed}, '0'::xid8) ORDER BY xid LIMIT 1)"
    return f"greatest(0, coalesce(extract(epoch FROM clock_timestamp() - {first}), 0))::float8"


LAGS: Final = "SELECT " + ", ".join(lag_sql(chain) for chain in Chain)


def lags(cursor: Any) -> dict[str, float]:
    """Return the lag of each chain in seconds."""
    cursor.execute(LAGS)
    return dict(zip((chain.value.lower() for chain in Chain), cursor.fetchone(), strict=True))
