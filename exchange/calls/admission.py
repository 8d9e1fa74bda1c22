"""Admission (准入): one Redis script decides freshness, nonce, per-second and daily quota; Redis away means refused.

Redis keeps the time: quota days are Shanghai days by its clock. Keys carry the database's name, so that two nodes on one
Redis never share a counter. What happens when Redis has lost its memory stands in `quota`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import redis
from django.conf import settings
from redis.exceptions import RedisError

from core.redis_script import TIMEOUT_SECONDS, Lines, Run
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question, Signed, Terms

logger = logging.getLogger(__name__)

SUBJECT_HEX: Final = 16  # of a subject's key, 64 bits are enough to count by; three of them name the hash it is counted in
# KEYS: epoch, nonce, counter of the second, counter of the day, and for a verification the counters of its subjects.
# ARGV: signed ms, window ms, quota a second, quota a day, and where there is more than one subject or a verification: how many
# subjects, questions a subject a day, the subjects. A quota refusal takes the nonce back: the request may be sent again.
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
local day = math.floor(shanghai / 86400)
local today = KEYS[4] .. day
local count = tonumber(ARGV[5] or 1)
local used = redis.call('INCRBY', today, count)
if used == count then redis.call('EXPIRE', today, until_midnight + 3600) end
if used > tonumber(ARGV[4]) then
    redis.call('DECRBY', today, count)
    redis.call('DEL', KEYS[2])
    return {'quota.day_exceeded', tonumber(ARGV[4]) - used + count, until_midnight}
end
if KEYS[5] then
    local asked_at_most, subjects, over = tonumber(ARGV[6]), ARGV[7], {}
    for at = 1, #subjects, 16 do
        local counters = KEYS[5] .. day .. ':' .. string.sub(subjects, at, at + 2)
        local asked = redis.call('HINCRBY', counters, string.sub(subjects, at + 3, at + 15), 1)
        if asked == 1 then redis.call('EXPIRE', counters, until_midnight + 3600) end
        if asked > asked_at_most then over[#over + 1] = (at - 1) / 16 end
    end
    if #over > 0 then
        for at = 1, #subjects, 16 do
            local counters = KEYS[5] .. day .. ':' .. string.sub(subjects, at, at + 2)
            redis.call('HINCRBY', counters, string.sub(subjects, at + 3, at + 15), -1)
        end
        redis.call('DECRBY', today, count)
        redis.call('DEL', KEYS[2])
        return {'quota.subject_exceeded ' .. table.concat(over, ' ', 1, math.min(#over, 20)), 0, until_midnight}
    end
end
return {'', tonumber(ARGV[4]) - used, until_midnight}
"""
ANSWER_LINES: Final = 5


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

    def __init__(self, code: str, allowance: Allowance, details: Mapping[str, str] | None = None) -> None:
        super().__init__(code, details or {"quota": "exceeded"})
        self.allowance = allowance


_lines: Final = Lines(ADMIT, ANSWER_LINES)
_line, close = _lines.mine, _lines.close  # this thread's connection, and dropping it


def client() -> redis.Redis:
    """Return the full client, for what happens seldom."""
    return redis.Redis.from_url(settings.CALLS_REDIS_URL, socket_timeout=TIMEOUT_SECONDS)


def key_of(kind: str, rest: str = "") -> str:
    """Return the name of a key of this node; `kind` is epoch, lock, nonce, second, day or subject."""
    return f"calls:{settings.DATABASES['default']['NAME']}:{kind}:{rest}"


def subject_counter(system_id: int, day: int, subject: str) -> tuple[str, str]:
    """Return the hash and the field in which questions about a subject (the hex of its key) are counted."""
    return key_of("subject", f"{system_id}:{day}:{subject[:3]}"), subject[3:SUBJECT_HEX]


def admit(signed: Signed, terms: Terms, question: Question) -> Allowance:
    """Count one admission, or refuse; one round trip."""
    (outcome,) = admit_all([(signed, terms, question)])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def admit_all(calls: Sequence[tuple[Signed, Terms, Question]]) -> list[Allowance | Refusal]:
    """Count the admissions of several calls in one round trip, each as if it came alone."""
    try:
        names = [key_of(kind) for kind in ("epoch", "nonce", "second", "day", "subject")]
        answers = [_read(lines) for lines in _line().ask([_run(names, *call) for call in calls])]
    except (RedisError, OSError) as error:
        logger.error("Redis away or refusing: %s", type(error).__name__)
        close()
        return [Refusal("platform.unavailable") for _ in calls]
    return [
        _refusal(refused, remaining, reset, terms, question) if refused else Allowance(terms.quota_per_day, remaining, reset)
        for (refused, remaining, reset), (_, terms, question) in zip(answers, calls, strict=True)
    ]


def _read(lines: Sequence[str]) -> tuple[str, int, int]:
    """Return the code and the two numbers of an answer."""
    _, _, code, remaining, reset = lines
    return code, int(remaining[1:]), int(reset[1:])


def _run(names: Sequence[str], signed: Signed, terms: Terms, question: Question) -> Run:
    epoch, nonce, second, day, subject = names
    keys = [
        epoch,
        f"{nonce}{signed.caller.credential_id}:{signed.nonce}",
        f"{second}{terms.grant_id}:",
        f"{day}{terms.grant_id}:",
    ]
    numbers = [signed.signed_ms, settings.CALL_WINDOW_SECONDS * 1000, terms.quota_per_second, terms.quota_per_day]
    if signed.mode == "VERIFY":
        subjects = question.subjects()
        told = "".join([key[: SUBJECT_HEX // 2].hex() for key in subjects])
        at_most = settings.CALL_QUESTIONS_PER_SUBJECT_PER_DAY
        return [*keys, f"{subject}{signed.caller.system_id}:"], [*numbers, len(subjects), at_most, told]
    if question.batch is not None:
        return keys, [*numbers, len(question.subjects())]
    return keys, numbers


def _refusal(refused: str, remaining: int, reset: int, terms: Terms, question: Question) -> Refusal:
    code, *places = refused.split()
    if code == "quota.second_exceeded":
        return OverQuota(code, Allowance(terms.quota_per_second, 0, reset))
    if code == "quota.day_exceeded":
        return OverQuota(code, Allowance(terms.quota_per_day, max(remaining, 0), reset))
    if code == "quota.subject_exceeded":
        at_most = settings.CALL_QUESTIONS_PER_SUBJECT_PER_DAY
        details = {_named(question, int(place)): "asked_too_often_today" for place in places}
        return OverQuota(code, Allowance(at_most, 0, reset), details)
    return Refusal(code)


def _named(question: Question, number: int) -> str:
    """Return what a caller calls the subject that was counted as this number."""
    if question.batch is None:
        return "key"
    return f"checks[{[place for place, key in enumerate(question.batch.keys) if key][number]}]"
