"""Signed calls as bytes on the wire (签名请求): what a partner's client sends, made as cheaply as a measurement wants it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time


def signed(key: str, secret: str, path: str, body: bytes, method: str = "POST") -> bytes:
    """Return one request, signed now with HMAC-SHA256; it is good for one answer."""
    digest, stamp, nonce = hashlib.sha256(body).hexdigest(), int(time.time() * 1000), secrets.token_urlsafe(12)
    text = f"{method}\n{path}\n{stamp}\n{nonce}\n{digest}".encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Gov-Key: {key}\r\nX-Gov-Timestamp: {stamp}\r\nX-Gov-Nonce: {nonce}\r\nX-Gov-Digest: {digest}\r\n"
        f"X-Gov-Signature: {signature}\r\n\r\n"
    ).encode() + body
