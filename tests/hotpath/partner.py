"""A partner system as the tests play it: it signs and sends calls, in the process or over HTTP, and makes grants to call on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import secrets
import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from basedb.identifiers import generate_citizen_id
from basedb.models import Person
from catalog.models import Resource
from core.models import Department
from exchange.models import ConsumerSystem, Credential, Grant
from exchange.systems import associated_data, key_ring
from openapi.calls import application
from tests import factories

HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def code(self) -> str:
        return str(self.json.get("code", ""))


@dataclass(frozen=True)
class Partner:
    """A system with a key."""

    system: ConsumerSystem
    key: str
    secret: str
    algorithm: str = "HMAC-SHA256"

    def sign(self, text: str) -> str:
        return base64.b64encode(hmac.digest(self.secret.encode(), text.encode(), HASHES[self.algorithm])).decode()

    def headers(
        self, path: str, body: bytes, *, at: float | None = None, nonce: str | None = None, method: str = "POST"
    ) -> dict[str, str]:
        """Return the headers of a signed call."""
        timestamp = str(int((at or time.time()) * 1000))
        nonce = nonce or secrets.token_urlsafe(16)
        digest = hashlib.sha256(body).hexdigest()
        return {
            "X-Gov-Key": self.key,
            "X-Gov-Timestamp": timestamp,
            "X-Gov-Nonce": nonce,
            "X-Gov-Digest": digest,
            "X-Gov-Signature": self.sign(f"{method}\n{path}\n{timestamp}\n{nonce}\n{digest}"),
        }

    def call(self, grant: Grant, mode: str, body: Any, **signing: Any) -> Reply:
        """Make one signed call in the process."""
        path = path_of(grant, mode)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return send(path, self.headers(path, raw, **signing), raw)

    def query(self, grant: Grant, citizen_id: str, **signing: Any) -> Reply:
        return self.call(grant, "query", {"key": {"citizen_id": citizen_id}}, **signing)

    def with_wrong_secret(self) -> Partner:
        return replace(self, secret=self.secret + "x")


def path_of(grant: Grant, mode: str) -> str:
    return f"/openapi/v1/calls/{grant.uid}/{mode}"


def send(
    path: str, headers: dict[str, str], body: bytes, *, method: str = "POST", query: str = "", client_ip: str = "192.0.2.7"
) -> Reply:
    """Hand a request to the WSGI callable and read the whole answer."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": client_ip,
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    started: list[Any] = []
    chunks = application(environ, lambda status, headers: started.extend((status, headers)))
    try:
        content = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    return Reply(int(started[0][:3]), dict(started[1]), content)


def make_partner(department: Department, *, algorithm: str = "HMAC-SHA256", **values: Any) -> Partner:
    """Return a new system of a department with a key."""
    system = factories.make_system(department)
    key, secret = f"test-{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    sealed = key_ring().seal(secret.encode(), associated_data(key))
    now = datetime.now().astimezone()
    defaults: dict[str, Any] = {"valid_from": now - timedelta(days=1), "valid_to": now + timedelta(days=365)}
    Credential.objects.create(
        system=system,
        key=key,
        algorithm=algorithm,
        secret_key_id=sealed.key_id,
        secret_nonce=sealed.nonce,
        secret_ciphertext=sealed.ciphertext,
        **defaults | values,
    )
    return Partner(system, key, secret, algorithm)


def make_person(department: Department, sequence: int, **values: Any) -> Person:
    """Return a synthetic citizen whose id has a division that GB/T 2260 does not assign."""
    born = date(1980, 5, 17)
    citizen_id = generate_citizen_id("990101", born, sequence)
    defaults: dict[str, Any] = {
        "name": "张三丰",
        "sex": "1",
        "birth_on": born,
        "person_status": "0",
        "region_code": "320102",
        "address": "江苏省南京市玄武区测试路1号",
        "phone": "13800000000",
    }
    return Person.objects.create(
        citizen_id=citizen_id,
        subject_key=key_ring().subject_key(citizen_id),
        source_department=department,
        source_record_id=1,
        run_id=1,
        **defaults | values,
    )


def grant_to(partner: Partner, resource: Resource, city: factories.City, **values: Any) -> Grant:
    """Return a new grant of a resource to a partner."""
    return factories.make_grant(resource, partner.system, city.people["education_operator"], **values)
