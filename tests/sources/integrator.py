"""An integrator of the national convention as the tests play it: written against the convention alone, none of our code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from settings.wsgi import application


@dataclass
class Integrator:
    """Knows its rid and app key, nothing else of us."""

    rid: str
    app_key: str
    prefix: str = "gjgxjhpt_"
    secret: str = field(default="", repr=False)

    def sign(self, key: str, sid: str, rtime: str, more: str = "") -> str:
        text = f"{sid}{self.rid}{rtime}{more}".encode()
        return base64.b64encode(hmac.new(key.encode(), text, hashlib.sha256).digest()).decode()

    def headers(self, key: str, sid: str, *, rtime: str = "") -> dict[str, str]:
        rtime = rtime or str(int(time.time() * 1000))
        names = [f"{self.prefix}{part}" for part in ("rid", "sid", "rtime", "sign")]
        return dict(zip(names, (self.rid, sid, rtime, self.sign(key, sid, rtime)), strict=True))

    def refresh(self) -> dict[str, Any]:
        fields = self.headers(self.app_key, "s_sys_auth001")
        told = send("POST", "/sysapi/auth/refreshappsecret", {}, json.dumps(fields).encode())
        if told["code"] == "0":
            aes = Cipher(algorithms.AES(self.app_key.encode()), modes.ECB())  # noqa: S305  # as the convention has it
            decryptor = aes.decryptor()
            padded = decryptor.update(base64.b64decode(told["data"]["secret"])) + decryptor.finalize()
            unpadder = padding.PKCS7(128).unpadder()
            self.secret = (unpadder.update(padded) + unpadder.finalize()).decode()
        return told

    def call(self, sid: str, parameters: dict[str, str], **signing: str) -> dict[str, Any]:
        return send("POST", "/httpproxy", self.headers(self.secret, sid, **signing), json.dumps(parameters).encode())


def send(method: str, path: str, headers: dict[str, str], body: bytes = b"", query: str = "", **more: Any) -> dict[str, Any]:
    """Hand a request to the whole application and return the JSON of its answer."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "REMOTE_ADDR": "192.0.2.9",
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        **more,
    }
    started: list[Any] = []
    content = b"".join(application(environ, lambda status, given: started.extend((status, given))))
    assert started[0].startswith("200"), started[0]
    told: dict[str, Any] = json.loads(content)
    return told
