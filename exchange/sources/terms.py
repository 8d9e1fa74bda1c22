"""What the call path knows of a source (数据源): where it is, what a row is found by, and what it must be able to do.

Immutable. Secrets are opened here and never shown: none of these objects prints them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from basedb.identifiers import citizen_id_valid, normalize_citizen_id, normalize_uscc, upgrade_citizen_id, uscc_valid
from basedb.lookup import Selection

TABLE_PREFIX: Final = "table."
INTERFACE_PREFIX: Final = "interface."
KEY_NAMES: Final[Mapping[str, str]] = {"CITIZEN_ID": "citizen_id", "USCC": "uscc", "TEXT": "key"}
LONGEST_KEY: Final = 64


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view of a department and the account to read it with."""

    uid: str
    revision: int
    kind: str
    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    schema: str
    name: str
    key_column: str
    region_column: str
    columns: tuple[str, ...]
    timeout_ms: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to a platform above. `secret` is a header's value or an app key; the session is the national one."""

    uid: str
    auth: str
    header_name: str
    family: str
    rid: str
    refresh_url: str
    refresh_sid: str
    secret: str = field(repr=False)
    session: str = field(repr=False)
    session_ends_at: datetime | None
    refreshed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Interface:
    """An HTTP(S) interface and how its requests and answers are put together."""

    uid: str
    revision: int
    method: str
    url: str
    sid: str
    account: Account | None
    pointers: Mapping[str, str]
    request_map: Mapping[str, Mapping[str, Any]]
    answer_map: Mapping[str, Any]
    timeout_ms: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Remote:
    """A mounted source compiled for one grant."""

    key_kind: str
    place: Table | Interface

    @property
    def key_name(self) -> str:
        """The name callers give the key under."""
        return KEY_NAMES[self.key_kind]

    @property
    def side(self) -> str:
        """Whose fault it is when the source does not answer: the first part of the refusal's code."""
        return "provider" if isinstance(self.place, Table) else "upstream"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a source."""

    selection: Selection
    key: str = field(repr=False)
    call_id: str
    region_prefix: str = ""
    values: Sequence[str] = field(default=(), repr=False)
    lists: Sequence[Sequence[str]] = ()


class Source(Protocol):
    """What every kind of source can do. Both raise a Refusal that names the side at fault."""

    def read(self, asked: Asked) -> dict[str, str | None] | None:
        """Return the granted items, masked; None when there is no such row."""
        ...

    def verify(self, asked: Asked) -> tuple[bool, dict[str, str]]:
        """Return whether there is such a row, and item -> yes / no / not_available."""
        ...


def is_remote(dataset: str) -> bool:
    """Return whether a mounting names a source outside the base databases."""
    return dataset.startswith((TABLE_PREFIX, INTERFACE_PREFIX))


def read_key(key_kind: str, raw: str) -> str:
    """Return the standard writing of a key; ValueError when it cannot be one."""
    if key_kind == "CITIZEN_ID":
        key = upgrade_citizen_id(normalize_citizen_id(raw))
        valid = citizen_id_valid(key)
    elif key_kind == "USCC":
        key = normalize_uscc(raw)
        valid = uscc_valid(key)
    else:
        key = raw.strip()
        valid = 0 < len(key) <= LONGEST_KEY
    if not valid:
        raise ValueError("not a valid key")
    return key
