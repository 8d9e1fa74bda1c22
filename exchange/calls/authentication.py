"""Who calls (鉴权): the signature over path, time, nonce and body digest, then the standing of key and system.

The signature is checked on the headers alone, before the body is read. Whether the nonce was used is decided by Redis.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import datetime
from typing import Final

from django.conf import settings

from core.crypto import KeyFileRefused
from core.ids import uuid7
from core.signing import PublicKey
from exchange.calls.answer_keys import answer_keys
from exchange.calls.binding import Binding
from exchange.calls.refusals import Refusal
from exchange.calls.registry import callers
from exchange.calls.signatures import is_signed_by, name_of
from exchange.calls.terms import Caller, Incoming, Signed
from exchange.calls.uses import uses

KEY: Final = re.compile("[A-Za-z0-9_-]{1,40}")
TIMESTAMP: Final = re.compile("[0-9]{13}")
NONCE: Final = re.compile("[A-Za-z0-9_-]{8,64}")
DIGEST: Final = re.compile("[0-9a-f]{64}")


def authenticate(call: Incoming) -> Signed:
    """Return the signed call, or refuse it as one of nobody we know."""
    malformed = [
        name
        for name, value, form in (
            ("X-Gov-Key", call.key, KEY),
            ("X-Gov-Timestamp", call.timestamp, TIMESTAMP),
            ("X-Gov-Nonce", call.nonce, NONCE),
            ("X-Gov-Digest", call.digest, DIGEST),
        )
        if not form.fullmatch(value)
    ]
    try:
        signature = base64.b64decode(call.signature, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if malformed or not signature:
        malformed += [] if signature else ["X-Gov-Signature"]
        raise Refusal("auth.missing_header", dict.fromkeys(malformed, "missing_or_malformed"))
    caller = callers.get(call.key)
    if caller is None:
        raise Refusal("auth.unknown_key")
    if call.algorithm not in ("", name_of(caller)):
        raise Refusal("auth.bad_signature", {"X-Gov-Algorithm": "not_of_this_key"})
    text = f"{call.method}\n{call.path}\n{call.timestamp}\n{call.nonce}\n{call.digest}"
    if not is_signed_by(caller, text, signature):
        raise Refusal("auth.bad_signature")
    check_answerable(caller)
    uses.note(caller.credential_id)
    return Signed(
        call_id=str(uuid7()),
        caller=caller,
        mode=call.mode,
        path=call.path,
        signed_ms=int(call.timestamp),
        nonce=call.nonce,
        digest=call.digest,
        client_ip=call.client_ip,
        byte_count=call.byte_count,
        began=call.began,
        binding=binding_of(call),
    )


def binding_of(call: Incoming) -> Binding:
    """Return what the answer to a call is bound to: its header lines as they were sent, each with its line feed."""
    lines = (
        f"{call.method} {call.path}\nX-Gov-Key: {call.key}\nX-Gov-Timestamp: {call.timestamp}\nX-Gov-Nonce: {call.nonce}\n"
        f"X-Gov-Digest: {call.digest}\nX-Gov-Signature: {call.signature}\n"
    )
    return Binding(lines, call.grant_uid)


def check_standing(signed: Signed, now: datetime) -> None:
    """Refuse what is signed too early or too late, and keys and systems that may not call now."""
    caller = signed.caller
    if abs(now.timestamp() * 1000 - signed.signed_ms) > settings.CALL_WINDOW_SECONDS * 1000:
        raise Refusal("auth.clock_skew", {"X-Gov-Timestamp": "outside_window"})
    if not caller.is_active:
        raise Refusal("auth.system_disabled")
    if caller.is_revoked:
        raise Refusal("auth.credential_revoked")
    if now < caller.valid_from:
        raise Refusal("auth.credential_not_yet_valid")
    if now >= caller.valid_to:
        raise Refusal("auth.credential_expired")


def check_digest(signed: Signed, body: bytes) -> None:
    """Refuse a body that is not the one that was signed."""
    if hashlib.sha256(body).hexdigest() != signed.digest:
        raise Refusal("auth.bad_digest")
    if signed.binding is not None:
        signed.binding.body = body


def check_answerable(caller: Caller) -> None:
    """Refuse, before anything is read or counted, a call whose answer could not be signed."""
    if isinstance(caller.algorithm, PublicKey):
        try:
            answer_keys.current(caller.algorithm.algorithm)
        except KeyFileRefused:
            raise Refusal("platform.unavailable") from None
