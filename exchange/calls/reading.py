"""Signed readings (签名读取): a system reads what it may call. Nothing about a person is read: no grant, no quota, no record.

Key, signature, standing and nonce are those of a call. A header that only names a client is nobody.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from redis.exceptions import RedisError

from exchange.calls import admission, authentication, quota
from exchange.calls.attempts import tally
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Incoming, Signed

logger = logging.getLogger(__name__)


def read_signed(call: Incoming, *, now: datetime, body_at_most: int = 0) -> Signed:
    """Return who asks, once for each signed request with its body, if it may have one; refuse as a call is refused."""
    try:
        signed = authentication.authenticate(call)
        authentication.check_standing(signed, now)
        body = call.read(body_at_most + 1)
        if body_at_most and len(body) > body_at_most:
            raise Refusal("call.body_too_large", {"body": f"more_than_{body_at_most}_bytes"})
        authentication.check_digest(signed, body)
        if not _is_fresh(signed, now):
            quota.rebuild()
            _is_fresh(signed, now)
    except Refusal as refusal:
        tally.count(refusal.code, call.key, call.client_ip)
        raise
    return signed


def _is_fresh(signed: Signed, now: datetime) -> bool:
    """Take the nonce, among those of calls; False when Redis has lost its memory, `call.replayed` when it was taken before."""
    left = signed.signed_ms + settings.CALL_WINDOW_SECONDS * 1000 - int(now.timestamp() * 1000) + 1000
    nonce = admission.key_of("nonce", f"{signed.caller.credential_id}:{signed.nonce}")
    try:
        client = admission.client()
        try:
            epoch = client.get(admission.key_of("epoch"))
            if epoch is None:
                return False
            if signed.signed_ms < int(epoch):
                raise Refusal("auth.before_restart")
            if not client.set(nonce, "", nx=True, px=max(left, 1)):
                raise Refusal("call.replayed")
        finally:
            client.close()
    except RedisError as error:
        logger.error("Redis away or refusing: %s", type(error).__name__)
        raise Refusal("platform.unavailable") from None
    return True
