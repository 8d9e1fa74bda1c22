"""A partner system that knows nothing but the key and what the grant page says: it signs and sends calls over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}


@dataclass(frozen=True)
class Caller:
    """A key, its secret, and where to call."""

    site: str
    key: str
    secret: str
    algorithm: str = "HMAC-SM3"

    def call(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Make one signed call; return the status and what was answered."""
        raw = json.dumps(body).encode()
        stamp, nonce, digest = str(int(time.time() * 1000)), secrets.token_hex(16), hashlib.sha256(raw).hexdigest()
        text = "\n".join(("POST", path, stamp, nonce, digest))
        signature = base64.b64encode(hmac.digest(self.secret.encode(), text.encode(), HASHES[self.algorithm])).decode()
        headers = {
            "Content-Type": "application/json",
            "X-Gov-Key": self.key,
            "X-Gov-Timestamp": stamp,
            "X-Gov-Nonce": nonce,
            "X-Gov-Digest": digest,
            "X-Gov-Signature": signature,
        }
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(urllib.request.Request(self.site + path, raw, headers), timeout=10) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())
