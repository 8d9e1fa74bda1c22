"""Signatures of questions and answers (请求与应答签名): HMAC with the caller's secret, or SM2 and Ed25519 with a key of each side.

Who signs with a key of its own is answered under the platform's answer key of the same algorithm, so that anybody with the
public keys can check both. What the texts contain stands in docs/calling.md.
"""

from __future__ import annotations

import base64
import time
from typing import Final

from core.crypto import HmacAlgorithm, hmac_digest, hmac_matches
from core.signing import SM2, PublicKey
from exchange.calls.answer_keys import answer_keys
from exchange.calls.binding import Binding
from exchange.calls.terms import Caller, Signed

SM2_AT_MOST: Final = 72  # bytes: two numbers of 33 and what DER puts around them
ED25519_LENGTH: Final = 64


def name_of(caller: Caller) -> str:
    """Return the algorithm of a caller's key as `X-Gov-Algorithm` writes it."""
    return caller.algorithm.value if isinstance(caller.algorithm, HmacAlgorithm) else caller.algorithm.algorithm


def is_signed_by(caller: Caller, text: str, signature: bytes) -> bool:
    """Return whether the caller signed the text."""
    if isinstance(caller.algorithm, HmacAlgorithm):
        return hmac_matches(caller.algorithm, caller.secret, text.encode(), signature)
    return has_form(caller.algorithm, signature) and caller.algorithm.verifies(text.encode(), signature)


def has_form(public: PublicKey, signature: bytes) -> bool:
    """Return whether this may be a signature of the key at all, before anything is computed."""
    if public.algorithm != SM2:
        return len(signature) == ED25519_LENGTH
    return 8 <= len(signature) <= SM2_AT_MOST and signature[0] == 0x30 and signature[1] == len(signature) - 2


def answer_text(binding: Binding, *, status: int, digest: str, time_ms: str, call_id: str) -> str:
    """Return what the platform signs: the question, the answer, under which grant, when, and its record."""
    return f"{binding.request_hash()}\n{status}\n{digest}\n{binding.grant_uid}\n{time_ms}\n{call_id}"


def answer_headers(signed: Signed, status: int, digest: str) -> list[tuple[str, str]]:
    """Return the headers that prove an answer to this caller; `digest` is the hex SHA-256 of the answer."""
    caller, binding = signed.caller, signed.binding
    headers = [("X-Gov-Answer-Digest", digest)]
    if binding is not None:
        headers.append(("X-Gov-Request-Hash", binding.request_hash()))
    if isinstance(caller.algorithm, HmacAlgorithm):
        text = f"{signed.nonce}\n{signed.digest}\n{status}\n{digest}"
        code = hmac_digest(caller.algorithm, caller.secret, text.encode())
        return [*headers, ("X-Gov-Answer-Signature", base64.b64encode(code).decode())]
    if binding is None:
        return headers
    time_ms = str(time.time_ns() // 1_000_000)
    text = answer_text(binding, status=status, digest=digest, time_ms=time_ms, call_id=signed.call_id)
    key = answer_keys.current(caller.algorithm.algorithm)
    return [
        *headers,
        ("X-Gov-Answer-Time", time_ms),
        ("X-Gov-Answer-Key", key.public.id),
        ("X-Gov-Answer-Signature", base64.b64encode(key.sign(text.encode())).decode()),
    ]
