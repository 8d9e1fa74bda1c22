"""What the hot path knows about a call (调用三方): who calls, on which terms, asking what. Immutable, without Django."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from time import perf_counter
from typing import Final, TypedDict

from basedb.lookup import Selection
from core.crypto import HmacAlgorithm
from core.signing import PublicKey
from exchange.calls.binding import Binding
from exchange.sources.terms import Remote


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as the door hands it over. Header values are as sent, "" when missing; `read` reads from the body."""

    path: str
    grant_uid: str
    mode: str
    key: str
    timestamp: str
    nonce: str
    digest: str
    signature: str
    algorithm: str
    client_ip: str | None
    read: Callable[[int], bytes]
    byte_count: int | None = None  # of the body, as announced
    began: float = field(default_factory=perf_counter)
    method: str = "POST"
    operation: str = ""  # "" asks for the mode itself; else see `operations`
    place: tuple[str, ...] = ()  # what the path names behind the grant: a job, a part
    wanted_range: str = ""
    if_range: str = ""
    if_none_match: str = ""
    query: str = ""  # only of map services; it stands in `path`, too, and is signed with it
    translate: Callable[[bytes], bytes] | None = None  # of another convention, into a body of ours


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. A list is sent at once, any other iterable is streamed and closed."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Caller:
    """A consumer system behind one of its keys: a secret it shares with us, or its public key."""

    credential_id: int
    key: str
    secret: bytes = field(repr=False)
    algorithm: HmacAlgorithm | PublicKey
    is_revoked: bool
    valid_from: datetime
    valid_to: datetime
    system_id: int
    department_id: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a grant asks of every call: a listed address, control parameters with allowed values, one of its matters."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    parameters: Mapping[str, frozenset[str]]
    matters: frozenset[str]


class Inside(TypedDict):
    """The values of a row filter, as `basedb.lookup.inside_sql` and `copy_sql` take them."""

    region_prefix: str
    lists: tuple[tuple[str, ...], ...]
    members: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A grant compiled for the hot path; without a selection it cannot be served (withdrawn, not mounted, unknown mask)."""

    grant_id: int
    uid: str
    version: int
    system_id: int
    resource_id: int
    provider_id: int
    mode: str
    state: str
    valid_from: datetime
    valid_to: datetime
    quota_per_day: int
    quota_per_second: int
    region_prefix: str
    fields: tuple[str, ...]
    selection: Selection | None
    is_too_sensitive: bool = False  # the data may only be verified, and this grant does something else
    is_unsealed: bool = False  # the resource is sensitive, and records have waited too long for their seal
    lists: tuple[tuple[str, ...], ...] = ()  # the values of the row filter, one list for each listed field of the selection
    conditions: Conditions | None = None
    remote: Remote | None = None  # mounted on a source outside the base databases

    def inside(self) -> Inside:
        """Return the rows of this grant for statements without parameters (bulk, feeds); nobody may leave it out."""
        members = f"SELECT subject_key FROM exchange_grantsubject WHERE grant_id = {self.grant_id:d}"
        return {"region_prefix": self.region_prefix, "lists": self.lists, "members": members}


@dataclass(frozen=True, slots=True)
class Signed:
    """A request whose signature is genuine. `signed_ms` is the signed time in milliseconds since 1970."""

    call_id: str
    caller: Caller
    mode: str
    path: str
    signed_ms: int
    nonce: str
    digest: str
    client_ip: str | None
    byte_count: int | None = None
    began: float = field(default_factory=perf_counter)
    binding: Binding | None = None  # None: the call came by another convention, whose answers are bound in its own way

    def elapsed_us(self) -> int:
        """Return how long the call has taken until now, in microseconds."""
        return int((perf_counter() - self.began) * 1_000_000)


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller says about its business: matter (事项), the officer's staff number, the case. Recorded, never interpreted."""

    matter: str | None = None
    officer: str | None = None
    case_number: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


NO_CONTEXT: Final = Context()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a verification is to tell beside its words: where the values come from, and which share agrees."""

    is_detailed: bool = False
    is_scored: bool = False


WORDS: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Batch:
    """Many questions in one call, in order: the subjects' keys, b"" where `invalid` says what is wrong, "" elsewhere; and
    the values to compare, a column for each item of the selection, "" where not asked."""

    keys: tuple[bytes, ...]
    invalid: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A well-formed question: the narrowed selection, the subject, and the values to compare, one a column; or a batch."""

    selection: Selection
    subject_key: bytes | None
    values: tuple[str, ...] = ()
    context: Context = NO_CONTEXT
    key: str = field(default="", repr=False)  # as a source outside wants it; base data is found by the subject
    batch: Batch | None = None
    wanted: Wanted = WORDS
    row_limit: int | None = None  # of a subject with many rows

    def subjects(self) -> list[bytes]:
        """Return the keys of those the question is about."""
        if self.batch is not None:
            return [key for key in self.batch.keys if key]
        return [self.subject_key] if self.subject_key else []

    def subject_count(self) -> int | None:
        """Return how many subjects the question is about, which is what it counts for; None when about all there are."""
        if self.batch is None:
            return 1 if self.subject_key else None
        return len(self.subjects())
