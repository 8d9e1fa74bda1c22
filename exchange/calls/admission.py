"""Admission (准入): one Redis script decides freshness, nonce, per-second and daily quota; Redis away means refused.

Redis keeps the time: quota days are Shanghai days by its clock. Keys carry the database's name, so that two nodes on one
Redis never share a counter. What happens when Redis has lost its memory stands in `quota`.
"""

from __future__ import annotations

import hashlib
import logging
import select
import threading
from dataclasses import dataclass
from typing import Any, Final

import redis
from django.conf import settings
from redis.connection import Connection, parse_url
from redis.exceptions import RedisError

from exchange.calls.refusals import Refusal
from exchange.calls.terms import Signed, Terms

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 2.0
# KEYS: epoch, nonce, counter of the second, counter of the day. ARGV: signed ms, window ms, quota a second, quota a day.
# A quota refusal takes the nonce back: the same signed request may be tried again.
ADMIT: Final = """
local epoch = redis.call('GET', KEYS[1])
if not epoch then return {'platform.recovering', 0, 0} end
if tonumber(ARGV[1]) < tonumber(epoch) then return {'auth.before_restart', 0, 0} end
local time = redis.call('TIME')
local seconds = tonumber(time[1])
local left = tonumber(ARGV[1]) + tonumber(ARGV[2]) - seconds * 1000 - math.floor(tonumber(time[2]) / 1000) + 1000
if left <= 0 then return {'auth.clock_skew', 0, 0} end
if not redis.call('SET', KEYS[2], '', 'NX', 'PX', left) then return {'call.replayed', 0, 0} end
local in_second = KEYS[3] .. seconds
local now_used = redis.call('INCR', in_second)
if now_used == 1 then redis.call('EXPIRE', in_second, 2) end
if now_used > tonumber(ARGV[3]) then
    redis.call('DEL', KEYS[2])
    return {'quota.second_exceeded', 0, 1}
end
local shanghai = seconds + 28800
local until_midnight = 86400 - shanghai % 86400
local today = KEYS[4] .. math.floor(shanghai / 86400)
local used = redis.call('INCR', today)
if used == 1 then redis.call('EXPIRE', today, until_midnight + 3600) end
if used > tonumber(ARGV[4]) then
    redis.call('DECR', today)
    redis.call('DEL', KEYS[2])
    return {'quota.day_exceeded', 0, until_midnight}
end
return {'', tonumber(ARGV[4]) - used, until_midnight}
"""
ADMIT_SHA: Final = hashlib.sha1(ADMIT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a grant's quota: of the day, or of the second when that is what ran out."""

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


class OverQuota(Refusal):
    """A quota ran out; the allowance says which and until when."""

    def __init__(self, code: str, allowance: Allowance) -> None:
        super().__init__(code, {"quota": "exceeded"})
        self.allowance = allowance


class Line:
    """One persistent connection, without the pool, retries and hooks of the full client: a script is never sent twice."""

    def __init__(self) -> None:
        self.connection = Connection(
            **parse_url(settings.CALLS_REDIS_URL),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            protocol=2,
        )
        self.connection.connect()
        self._poll = select.poll()
        self._poll.register(self.connection._sock.fileno(), select.POLLIN)
        self.names = tuple(key_of(kind) for kind in ("epoch", "nonce", "second", "day"))
        self.command("SCRIPT", "LOAD", ADMIT)

    def is_stale(self) -> bool:
        """Whether the server closed the connection while it was idle."""
        return bool(self._poll.poll(0))

    def command(self, *words: Any) -> Any:
        """Send one command and return its answer."""
        self.connection.send_packed_command(self.connection.pack_command(*words), check_health=False)
        return self.connection.read_response()


_held = threading.local()


def _line() -> Line:
    line: Line | None = getattr(_held, "line", None)
    if line is None or line.is_stale():
        close()
        line = _held.line = Line()
    return line


def close() -> None:
    """Drop this thread's connection."""
    line: Line | None = getattr(_held, "line", None)
    _held.line = None
    if line is not None:
        line.connection.disconnect()


def client() -> redis.Redis:
    """Return the full client, for what happens seldom."""
    return redis.Redis.from_url(settings.CALLS_REDIS_URL, socket_timeout=TIMEOUT_SECONDS)


def key_of(kind: str, rest: str = "") -> str:
    """Return the name of a key of this node; `kind` is epoch, lock, nonce, second or day."""
    return f"calls:{settings.DATABASES['default']['NAME']}:{kind}:{rest}"


def admit(signed: Signed, terms: Terms) -> Allowance:
    """Count one admission, or refuse; one round trip."""
    try:
        line = _line()
        epoch, nonce, second, day = line.names
        code, remaining, reset = line.command(
            "EVALSHA",
            ADMIT_SHA,
            4,
            epoch,
            f"{nonce}{signed.caller.credential_id}:{signed.nonce}",
            f"{second}{terms.grant_id}:",
            f"{day}{terms.grant_id}:",
            signed.signed_ms,
            settings.CALL_WINDOW_SECONDS * 1000,
            terms.quota_per_second,
            terms.quota_per_day,
        )
    except (RedisError, OSError) as error:
        logger.error("Redis away or refusing: %s", type(error).__name__)
        close()
        raise Refusal("platform.unavailable") from None
    if not code:
        return Allowance(terms.quota_per_day, remaining, reset)
    refused = code.decode()
    if refused == "quota.second_exceeded":
        raise OverQuota(refused, Allowance(terms.quota_per_second, 0, reset))
    if refused == "quota.day_exceeded":
        raise OverQuota(refused, Allowance(terms.quota_per_day, 0, reset))
    raise Refusal(refused)
