"""The states of all licenses as one bit string (状态编码): read set-based, sixteen entries a group, in one statement and snapshot.

What a state is here: worst first, then superseded, then suspended and the like, then the end of validity, which no table stores.
"""

from __future__ import annotations

import io
import struct
from collections import Counter
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.sql_text import quote
from core.errors import Unavailable
from licenses.models import LicenseState, ListName
from licenses.status.checker import (
    CANCELLED,
    CODES,
    LAPSED,
    LARGEST,
    MOVED_AWAY,
    OTHER,
    RESCINDED,
    REVOKED,
    SUPERSEDED,
    SUSPENDED,
    VALID,
    padded,
)

OF_STATE: Final = {
    LicenseState.VALID: VALID,
    LicenseState.SUSPENDED: SUSPENDED,
    LicenseState.RESCINDED: RESCINDED,
    LicenseState.CANCELLED: CANCELLED,
    LicenseState.LAPSED: LAPSED,
    LicenseState.MOVED_AWAY: MOVED_AWAY,
    LicenseState.REVOKED: REVOKED,
    LicenseState.OTHER: OTHER,
}
# States that say more of a version than that there is a later one.
FINAL: Final = (LicenseState.RESCINDED, LicenseState.CANCELLED, LicenseState.REVOKED)
TABLES: Final = {ListName.ISSUED: ("licenses_license", "position"), ListName.AGGREGATED: ("basedb_license", "id")}
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_GROUP: Final = struct.Struct(">hiqi8s")  # two columns: a group's number, its sixteen entries
_GROUP_BYTES: Final = 8


def code_of(*, state: str, is_current: bool, valid_to: date | None, today: date, valid_from: date | None = None) -> int:
    """Return the code of a license issued here on a day: what `_issued_sql` says of its row."""
    if state not in FINAL and not is_current:
        return SUPERSEDED
    if state == LicenseState.VALID and valid_to is not None and valid_to < today:
        return LAPSED
    if state == LicenseState.VALID and valid_from is not None and valid_from > today:
        return OTHER
    return OF_STATE.get(LicenseState(state), OTHER)


def _of_state_sql(column: str) -> str:
    others = [state for state in OF_STATE if state not in (LicenseState.VALID, LicenseState.OTHER)]
    told = " ".join(f"WHEN {quote(state.value)} THEN {OF_STATE[state]}" for state in others)
    return f"CASE {column} {told} ELSE {OTHER} END"


def _live_sql(today: date) -> str:
    """A license whose state is valid: lapsed after its last day, not to be used (`OTHER`) before its first."""
    day = f"DATE {quote(today.isoformat())}"
    return f"CASE WHEN r.valid_to < {day} THEN {LAPSED} WHEN r.valid_from > {day} THEN {OTHER} ELSE {VALID} END"


def _issued_sql(today: date) -> str:
    final = ", ".join(quote(state.value) for state in FINAL)
    live = f"r.state = {quote(LicenseState.VALID.value)}"
    return (
        f"CASE WHEN {live} AND r.is_current THEN {_live_sql(today)} "
        f"WHEN NOT r.is_current AND r.state NOT IN ({final}) THEN {SUPERSEDED} ELSE {_of_state_sql('r.state')} END"
    )


def _aggregated_sql(today: date) -> str:
    live = f"r.license_state = {quote(LicenseState.VALID.value)}"
    return (
        f"CASE WHEN r.withdrawn_at IS NOT NULL THEN {OTHER} "
        f"WHEN {live} THEN {_live_sql(today)} "
        f"ELSE {_of_state_sql('r.license_state')} END"
    )


def bits_sql(name: ListName, today: date) -> str:
    """Groups of sixteen positions with their entries; a position's four bits come the higher the smaller it is."""
    table, place = TABLES[name]
    state = _issued_sql(today) if name == ListName.ISSUED else _aggregated_sql(today)
    shifted = f"({state})::bigint << (60 - 4 * (r.{place} & 15)::integer)"
    return f"SELECT r.{place} >> 4, int8send(bit_or({shifted})) FROM {table} r GROUP BY 1"


def read_bits(cursor: Any, name: ListName, today: date) -> bytes:
    """Return the bit string of a list on a day, as one snapshot sees the tables."""
    table, place = TABLES[name]
    cursor.execute(f"SELECT coalesce(max({place}), 0) FROM {table}")
    length = int(cursor.fetchone()[0]) + 1
    if length > LARGEST:
        raise Unavailable("status_list.too_long", _("状态清单的位置数超过上限，请联系系统管理员。"))
    copied = io.BytesIO()
    cursor.copy_expert(f"COPY ({bits_sql(name, today)}) TO STDOUT (FORMAT binary)", copied)
    groups = memoryview(copied.getvalue())[len(_SIGNATURE) : -2]
    return _laid_out(groups, length)


def _laid_out(groups: memoryview, length: int) -> bytes:
    bits = bytearray(padded(length) // 2)
    for _columns, _wide, number, _long, entries in _GROUP.iter_unpack(groups):
        start = number * _GROUP_BYTES
        if start >= len(bits):  # issued between the two questions
            bits.extend(bytes(padded(2 * (start + _GROUP_BYTES)) // 2 - len(bits)))
        bits[start : start + _GROUP_BYTES] = entries
    return bytes(bits)


def counts(bits: bytes) -> dict[str, int]:
    """Return how many entries have each state; places without a license are not counted."""
    found: Counter[int] = Counter()
    for pair in set(bits):
        number = bits.count(pair)
        found[pair >> 4] += number
        found[pair & 15] += number
    return {word: found[code] for code, word in CODES.items() if code and found[code]}
