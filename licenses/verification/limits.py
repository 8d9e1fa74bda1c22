"""How often somebody may verify (核验限流): counted by address and, for names, by license; one trip to Redis.

Addresses are counted under a digest that Redis forgets after the period. Redis away means refused, as for calls.
"""

from __future__ import annotations

import hashlib
import logging
import select
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar, Final

from django.conf import settings
from django.utils.translation import gettext as _
from redis.connection import Connection, parse_url
from redis.exceptions import RedisError

from core.errors import DomainError, Unavailable

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 2.0
NETWORK_BITS: Final = 64  # of an IPv6 address; the rest a household chooses itself
# KEYS: counters. ARGV: for each how many at most and the seconds it lives. Returns the first that is over, else the first.
COUNT: Final = """
local first = nil
for at = 1, #KEYS do
    local used = redis.call('INCR', KEYS[at])
    if used == 1 then redis.call('EXPIRE', KEYS[at], ARGV[2 * at]) end
    local most = tonumber(ARGV[2 * at - 1])
    if used > most then return {at, 0, redis.call('TTL', KEYS[at])} end
    first = first or {0, most - used, redis.call('TTL', KEYS[at])}
end
return first
"""
_SHA: Final = hashlib.sha1(COUNT.encode(), usedforsecurity=False).hexdigest()


class TooMany(DomainError):
    """Asked too often; `wait` says for how many seconds."""

    status: ClassVar[int] = 429

    def __init__(self, code: str, message: Any, allowance: Allowance) -> None:
        super().__init__(code, message)
        self.allowance = allowance
        self.wait = allowance.reset_seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit."""

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> list[tuple[str, str]]:
        """Return the rate limit headers of an answer."""
        return [
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset_seconds)),
        ]


@dataclass(frozen=True, slots=True)
class Limit:
    """A counter: what it is for, of whom, how many in how many seconds."""

    kind: str
    of: str
    most: int
    seconds: int

    @property
    def key(self) -> str:
        """The counter's name."""
        digest = hashlib.sha256(self.of.encode()).hexdigest()[:24]
        return f"verifications:{settings.DATABASES['default']['NAME']}:{self.kind}:{digest}"


def lookups_of(address: str) -> Limit:
    """Lookups of one address in a minute."""
    return Limit("lookup", network_of(address), settings.VERIFICATIONS_A_MINUTE, 60)


def files_of(address: str) -> Limit:
    """Files of one address in ten minutes."""
    return Limit("file", network_of(address), settings.VERIFIED_FILES_IN_TEN_MINUTES, 600)


def names_of(address: str, identifier: str) -> tuple[Limit, Limit]:
    """Names typed from one address in an hour, and for one license in a day: who could go on would learn by guessing."""
    return (
        Limit("name", network_of(address), settings.NAMES_COMPARED_AN_HOUR, 3600),
        Limit("name-of", identifier, settings.NAMES_COMPARED_A_LICENSE_A_DAY, 86_400),
    )


def network_of(address: str) -> str:
    """Return what an address is counted as: itself, or the network of an IPv6 one."""
    if ":" not in address:
        return address
    try:
        whole = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return whole.exploded[: NETWORK_BITS // 4 + NETWORK_BITS // 16 - 1] if isinstance(whole, IPv6Address) else address


def take(limits: Sequence[Limit]) -> Allowance:
    """Count one verification against limits; TooMany when one is used up, Unavailable when Redis is away."""
    words: list[Any] = [limit.key for limit in limits]
    for limit in limits:
        words += [limit.most, limit.seconds]
    try:
        over, remaining, reset = _counted(len(limits), words)
    except (RedisError, OSError) as error:
        logger.error("Redis away or refusing: %s", type(error).__name__)
        raise Unavailable("platform.unavailable", _("平台暂时不可用，请稍后再试。")) from None
    if over:
        spent = limits[over - 1]
        message = _("核验过于频繁，请在 %(seconds)s 秒后再试。") % {"seconds": reset}
        raise TooMany("verification.too_many", message, Allowance(spent.most, 0, max(reset, 1)))
    return Allowance(limits[0].most, remaining, max(reset, 1))


_held = threading.local()


def close() -> None:
    """Drop this thread's connection."""
    line: Any = getattr(_held, "line", None)
    _held.line = None
    if line is not None:
        line.disconnect()


def _line() -> Any:
    """Return this thread's connection: no pool and no retries, which cost more than the script. A new one knows the script."""
    line: Any = getattr(_held, "line", None)
    if line is None or _held.poll.poll(0):  # the server spoke while nobody asked: it is closing
        close()
        place: dict[str, Any] = parse_url(settings.CALLS_REDIS_URL)  # type: ignore[no-untyped-call]
        untyped: Any = Connection
        line = untyped(**place, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, protocol=2)
        line.connect()
        line.send_command("SCRIPT", "LOAD", COUNT)
        line.read_response()
        _held.line, _held.poll = line, select.poll()
        _held.poll.register(line._sock.fileno(), select.POLLIN)
    return line


def _counted(keys: int, words: Sequence[Any]) -> tuple[int, int, int]:
    texts = ["EVALSHA", _SHA, str(keys), *map(str, words)]
    sent = "".join([f"${len(text)}\r\n{text}\r\n" for text in texts])
    try:
        line = _line()
        line.send_packed_command([f"*{len(texts)}\r\n{sent}".encode()], check_health=False)
        over, remaining, reset = line.read_response()
    except (RedisError, OSError):
        close()
        raise
    return int(over), int(remaining), int(reset)
