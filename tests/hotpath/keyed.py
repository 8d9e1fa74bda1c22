"""A partner with a private key of its own, what it exchanged with the platform, and `openssl` to check it from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.signing import SigningKey
from exchange.models import Credential
from tests import factories
from tests.hotpath.partner import Partner, Reply, path_of, send
from tests.hotpath.refused import now
from tests.hotpath.scene import Scene

BOTH = pytest.mark.parametrize("algorithm", ["SM2", "ED25519"])
NEW_KEY = {"SM2": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"], "ED25519": ["-algorithm", "ED25519"]}
SIGNER = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
VERIFY = {"SM2": SIGNER, "ED25519": ["-rawin"]}


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class KeyedPartner(Partner):
    """A system that keeps its private key."""

    private: SigningKey | None = None

    def sign(self, text: str) -> str:
        assert self.private is not None
        return base64.b64encode(self.private.sign(text.encode())).decode()


def make_keyed(scene: Scene, algorithm: str, **values: Any) -> KeyedPartner:
    """Return a new system whose only key is a public one."""
    system = factories.make_system(scene.city.education)
    private = SigningKey.from_pem(openssl("genpkey", *NEW_KEY[algorithm]))
    key = f"test-{private.public.id}"
    dates = {"valid_from": now() - timedelta(days=1), "valid_to": now() + timedelta(days=365)}
    Credential.objects.create(system=system, key=key, algorithm=algorithm, public_key=private.public.der, **dates | values)
    return KeyedPartner(system, key, "", algorithm, private)


@dataclass(frozen=True)
class Exchanged:
    """A question with its answer, as an outsider keeps them."""

    path: str
    sent: dict[str, str]
    body: bytes
    reply: Reply

    def request_hash(self, body: bytes | None = None) -> str:
        """X-Road's formula, written down once more from docs/calling.md."""
        names = ("X-Gov-Key", "X-Gov-Timestamp", "X-Gov-Nonce", "X-Gov-Digest", "X-Gov-Signature")
        lines = [f"POST {self.path}", *(f"{name}: {self.sent[name]}" for name in names)]
        headers = "".join(line + "\n" for line in lines).encode()
        both = hashlib.sha512(headers).digest() + hashlib.sha512(self.body if body is None else body).digest()
        return base64.b64encode(hashlib.sha512(both).digest()).decode()

    def parts(self, body: bytes | None = None) -> list[str]:
        """What the platform signed, part by part."""
        headers, digest = self.reply.headers, hashlib.sha256(self.reply.body).hexdigest()
        grant = self.path.split("/")[4]
        asked = self.request_hash(body)
        return [asked, str(self.reply.status), digest, grant, headers["X-Gov-Answer-Time"], headers["X-Gov-Call-Id"]]

    def signature(self) -> bytes:
        return base64.b64decode(self.reply.headers["X-Gov-Answer-Signature"], validate=True)


def ask(partner: Partner, grant: Any, citizen_id: str, **signing: Any) -> Exchanged:
    body = json.dumps({"key": {"citizen_id": citizen_id}}).encode()
    path = path_of(grant, "query")
    sent = partner.headers(path, body, **signing)
    return Exchanged(path, sent, body, send(path, sent, body))


def published_key(folder: Path, exchanged: Exchanged) -> Path:
    """Return the file of the public key an answer names, as the platform publishes it to anybody."""
    told = Client().get("/openapi/v1/keys").json()["keys"]
    [found] = [key for key in told if key["key_id"] == exchanged.reply.headers["X-Gov-Answer-Key"]]
    path = folder / "answer_key.pem"
    path.write_text(found["public_key"])
    return path


def openssl_verifies(key: Path, algorithm: str, name: str, text: bytes, signature: bytes) -> bool:
    folder = key.parent
    (folder / name).write_bytes(text)
    (folder / f"{name}.sig").write_bytes(signature)
    files = ["-in", str(folder / name), "-sigfile", str(folder / f"{name}.sig")]
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), *files, *VERIFY[algorithm]]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
