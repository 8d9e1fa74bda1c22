"""Secrets of sources (数据源密钥): sealed under the key file, bound to the kind and number of the row they stand on.

They are entered once and never displayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.crypto import Sealed
from core.models import SealedSecret
from exchange.systems import key_ring

KINDS = {"sourceconnection": "source_connection", "upstreamaccount": "upstream_account", "upstreamsecret": "upstream_secret"}


def put_secret(holder: SealedSecret, text: str) -> None:
    """Put a sealed secret on a row; saving it is the caller's."""
    kind = KINDS[holder._meta.model_name or ""]
    sealed = key_ring().seal(text.encode(), _place(kind, str(getattr(holder, "uid"))))  # noqa: B009  # every holder has one
    holder.secret_key_id, holder.secret_nonce, holder.secret_ciphertext = sealed


def secret_of(row: Mapping[str, Any], kind: str) -> str:
    """Return the secret of a row as columns, empty when it has none; SealBroken when it cannot be opened."""
    if row["secret_key_id"] is None:
        return ""
    sealed = Sealed(row["secret_key_id"], _bytes(row["secret_nonce"]), _bytes(row["secret_ciphertext"]))
    return key_ring().open(sealed, _place(kind, str(row["uid"]))).decode()


def _place(kind: str, uid: str) -> bytes:
    return f"{kind}:{uid}".encode()


def _bytes(value: Any) -> bytes:
    """PostgreSQL writes bytes into JSON as \\x and hex digits."""
    return bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)
