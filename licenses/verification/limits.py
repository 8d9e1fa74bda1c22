"""How often somebody may verify (核验限流): counted by address and, for names, by license; one trip to Redis.

Addresses are counted under a digest that Redis forgets after the period. Redis away means refused, as for calls.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar, Final

from django.conf import settings
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from core.errors import DomainError, Unavailable
from core.redis_script import Lines, Run

logger = logging.getLogger(__name__)

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
ANSWER_LINES: Final = 4


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
    (outcome,) = take_all([limits])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def take_all(askers: Sequence[Sequence[Limit]]) -> list[Allowance | DomainError]:
    """Count the verifications of several askers in one round trip, each as if it came alone."""
    try:
        answers = _lines.mine().ask([_run(limits) for limits in askers])
    except (RedisError, OSError) as error:
        logger.error("Redis away or refusing: %s", type(error).__name__)
        close()
        return [Unavailable("platform.unavailable", _("平台暂时不可用，请稍后再试。")) for _asker in askers]
    return [_told(limits, lines) for limits, lines in zip(askers, answers, strict=True)]


_lines: Final = Lines(COUNT, ANSWER_LINES)
close = _lines.close


def _run(limits: Sequence[Limit]) -> Run:
    return [limit.key for limit in limits], [number for limit in limits for number in (limit.most, limit.seconds)]


def _told(limits: Sequence[Limit], lines: Sequence[str]) -> Allowance | TooMany:
    over, remaining, reset = [int(line[1:]) for line in lines[1:]]
    if not over:
        return Allowance(limits[0].most, remaining, max(reset, 1))
    message = _("核验过于频繁，请在 %(seconds)s 秒后再试。") % {"seconds": reset}
    return TooMany("verification.too_many", message, Allowance(limits[over - 1].most, 0, max(reset, 1)))
