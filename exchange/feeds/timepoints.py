"""Timepoints of a feed (时间点): where a receiver stands, sealed, so that it can be kept and sent back but neither read nor made.

Bound to the grant. It carries the epoch of the database and the terms it was given under: under others it is worth nothing.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Final

from core.crypto import SealBroken, Sealed
from exchange.systems import key_ring

LAYOUT: Final = struct.Struct(">16s16s?qqqq")
HEAD: Final = struct.Struct(">H12s")
LONGEST: Final = 400


@dataclass(frozen=True, slots=True)
class Timepoint:
    """A place in a feed. While `is_snapshot`, rows up to `row_id` are passed; changes go on behind (`xid`, `row_id`)."""

    epoch: bytes
    terms: bytes
    is_snapshot: bool
    snapshot_xid: int
    xid: int
    row_id: int
    issued_at: int

    def sealed(self, grant_uid: str) -> str:
        """Return it as the receiver keeps it."""
        content = LAYOUT.pack(self.epoch, self.terms, self.is_snapshot, self.snapshot_xid, self.xid, self.row_id, self.issued_at)
        sealed = key_ring().seal(content, _place(grant_uid))
        return base64.urlsafe_b64encode(HEAD.pack(sealed.key_id, sealed.nonce) + sealed.ciphertext).decode().rstrip("=")


def opened(text: str, grant_uid: str) -> Timepoint:
    """Return what was sealed for this grant; ValueError for anything else."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key_id, nonce = HEAD.unpack_from(raw)
        content = key_ring().open(Sealed(key_id, nonce, raw[HEAD.size :]), _place(grant_uid))
        return Timepoint(*LAYOUT.unpack(content))
    except (binascii.Error, struct.error, SealBroken):
        raise ValueError("not a timepoint of this grant") from None


def _place(grant_uid: str) -> bytes:
    return b"feed:" + grant_uid.encode()
