"""Signed calls as bytes on the wire (签名请求): what a partner's client sends, made as cheaply as a measurement wants it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping


def signed(key: str, secret: str, path: str, body: bytes, method: str = "POST") -> bytes:
    """Return one request, signed now with HMAC-SHA256; it is good for one answer."""
    digest, stamp, nonce = hashlib.sha256(body).hexdigest(), int(time.time() * 1000), secrets.token_urlsafe(12)
    text = f"{method}\n{path}\n{stamp}\n{nonce}\n{digest}".encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()
    told = {"Key": key, "Timestamp": str(stamp), "Nonce": nonce, "Digest": digest, "Signature": signature}
    return on_the_wire(method, path, body, told)


def on_the_wire(method: str, path: str, body: bytes, told: Mapping[str, str]) -> bytes:
    """Return a request with our headers, named without their prefix."""
    ours = "".join(f"X-Gov-{name}: {value}\r\n" for name, value in told.items())
    frame = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{frame}{ours}\r\n".encode() + body
