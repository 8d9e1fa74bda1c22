"""A small client of the exchange in the standard library alone: take this one file along.

    exchange = Exchange("https://exchange.example", key="ak...", secret="...", algorithm="HMAC-SHA256")
    answer = exchange.query(grant, {"citizen_id": number}, fields=["name"])

Every call is signed, every signed answer is checked; a refusal is raised as `Refused` with its code. docs/calling.md says what
the platform promises. Credentials with a key pair (SM2, Ed25519) sign otherwise: see call_with_key.sh.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import IO, Any

HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}
CHUNK = 65_536
CUT_SHORT = b'"!call.aborted'
# Calls go straight to the exchange, whatever proxy the environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The exchange said no. Repeating helps for 429 and 503 only, after `retry_after` seconds and signed again."""

    def __init__(self, status: int, told: dict[str, Any], retry_after: int | None) -> None:
        super().__init__(f"{status} {told.get('code')}: {told.get('message')} {told.get('details')}")
        self.status, self.code, self.details = status, str(told.get("code", "")), told.get("details", {})
        self.request_id, self.retry_after = told.get("request_id"), retry_after


class NotSigned(Exception):
    """An answer that the exchange did not sign, or not for this question."""


class Exchange:
    """A system with one of its keys."""

    def __init__(self, url: str, *, key: str, secret: str, algorithm: str = "HMAC-SHA256", timeout: float = 60) -> None:
        self.url, self.key, self.timeout = url.rstrip("/"), key, timeout
        self._secret, self._hash = secret.encode(), HASHES[algorithm]

    def query(self, grant: str, key: dict[str, str], *, fields: list[str] | None = None, **said: Any) -> dict[str, Any]:
        """Return {"status": "found" or "not_found", "data", ...}. `said` is `context` and `parameters`, where the grant asks."""
        return self._call(grant, "query", {"key": key} | ({"fields": fields} if fields else {}) | said)

    def query_many(
        self, grant: str, keys: list[dict[str, str]], *, fields: list[str] | None = None, **said: Any
    ) -> list[dict[str, Any]]:
        """Return the results in the order of up to 1,000 keys, each with a status of its own."""
        body = {"keys": keys} | ({"fields": fields} if fields else {}) | said
        return list(self._call(grant, "query", body)["results"])

    def verify(self, grant: str, key: dict[str, str], attributes: dict[str, str], **said: Any) -> dict[str, Any]:
        """Return {item: "yes", "no" or "not_available"}; with `details=True` what stands behind each word."""
        return dict(self._call(grant, "verify", {"key": key, "attributes": attributes} | said)["result"])

    def verify_many(self, grant: str, checks: list[dict[str, Any]], **said: Any) -> list[dict[str, Any]]:
        """Return the results in the order of up to 1,000 checks `{"key": ..., "attributes": ...}`."""
        return list(self._call(grant, "verify", {"checks": checks} | said)["results"])

    def bulk(self, grant: str, into: IO[bytes], *, fields: list[str] | None = None, **said: Any) -> int:
        """Write all granted rows into a file as CSV and return their bytes; ConnectionError when it was cut short."""
        body = {"format": "csv"} | ({"fields": fields} if fields else {}) | said
        count, end = 0, b""
        with self._send("POST", f"/openapi/v1/calls/{grant}/bulk", _json(body))[0] as answer:
            while chunk := answer.read(CHUNK):
                into.write(chunk)
                count, end = count + len(chunk), (end + chunk)[-256:]
        if end.rstrip().rpartition(b"\n")[2].startswith(CUT_SHORT):
            raise ConnectionError("the copy was cut short by the exchange")
        return count

    def open_job(self, grant: str, *, form: str = "csv", fields: list[str] | None = None, **said: Any) -> dict[str, Any]:
        """Order a copy in parts; the same order twice is one job."""
        return self._call(grant, "jobs", {"format": form} | ({"fields": fields} if fields else {}) | said)

    def job(self, grant: str, job: str) -> dict[str, Any]:
        """Return state and manifest of a job."""
        return self.read(f"/openapi/v1/calls/{grant}/jobs/{job}")

    def jobs(self, grant: str, *, form: str = "csv", wait: float = 2, **said: Any) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Order a copy, wait for it, and return each part of the manifest with its content, checked by its digest."""
        told = self.open_job(grant, form=form, **said)
        while told["state"] in ("QUEUED", "RUNNING"):
            time.sleep(wait)
            told = self.job(grant, told["job"])
        if told["state"] != "READY":
            raise ConnectionError(f"the job ended {told['state']}: {told['reason']}")
        for part in told["parts"]:
            path = f"/openapi/v1/calls/{grant}/jobs/{told['job']}/parts/{part['number']}"
            with self._send("GET", path, b"")[0] as answer:
                content = answer.read()
            if hashlib.sha256(content).hexdigest() != part["sha256"]:
                raise ConnectionError(f"part {part['number']} is not what the manifest says")
            yield part, content

    def cancel_job(self, grant: str, job: str) -> dict[str, Any]:
        """Cancel a job; its files are removed."""
        return self._asked("DELETE", f"/openapi/v1/calls/{grant}/jobs/{job}", b"")

    def subscribe(self, grant: str, after: str | None = None, *, limit: int = 1000, **said: Any) -> Iterator[dict[str, Any]]:
        """Return page after page until there is nothing new. Keep the `timepoint` of a page together with what it changed."""
        while True:
            page = self._call(grant, "subscribe", {"after": after, "limit": limit} | said)
            yield page
            if page["complete"]:
                return
            after = page["timepoint"]

    def allowed(self, instance: str, provider: str) -> list[dict[str, Any]]:
        """Return what may be called of a provider at this moment."""
        return list(self.read(f"/r1/{instance}/GOV/{provider}/share/allowedMethods")["member"])

    def describe(self, grant: str) -> dict[str, Any]:
        """Return the OpenAPI description of a grant."""
        return self.read(f"/openapi/v1/grants/{grant}/openapi")

    def read(self, path: str) -> dict[str, Any]:
        """Return what a signed GET answers; a query string is part of the path."""
        return self._asked("GET", path, b"")

    def verify_answer(self, *, nonce: str, question: bytes, status: int, content: bytes, signature: str) -> None:
        """Raise NotSigned unless the exchange gave exactly this answer to exactly this question."""
        text = f"{nonce}\n{_digest(question)}\n{status}\n{_digest(content)}"
        if not hmac.compare_digest(signature, self.sign(text)):
            raise NotSigned("the answer is not signed by the exchange for this question")

    def sign(self, text: str) -> str:
        """Return the Base64 HMAC of a text. HMAC-SM3 needs an OpenSSL that knows SM3 (1.1.1 or newer)."""
        return base64.b64encode(hmac.new(self._secret, text.encode(), self._hash).digest()).decode()

    def _call(self, grant: str, place: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._asked("POST", f"/openapi/v1/calls/{grant}/{place}", _json(body), is_signed=True)

    def _asked(self, method: str, path: str, body: bytes, *, is_signed: bool = False) -> dict[str, Any]:
        answer, nonce = self._send(method, path, body)
        with answer:
            content, signature = answer.read(), answer.headers.get("X-Gov-Answer-Signature", "")
        if signature or is_signed:
            self.verify_answer(nonce=nonce, question=body, status=answer.status, content=content, signature=signature)
        told: dict[str, Any] = json.loads(content)
        return told

    def _send(self, method: str, path: str, body: bytes) -> tuple[Any, str]:
        """Send one signed request and return the open answer and its nonce."""
        timestamp, nonce, digest = str(time.time_ns() // 1_000_000), secrets.token_urlsafe(16), _digest(body)
        headers = {
            "Content-Type": "application/json",
            "X-Gov-Key": self.key,
            "X-Gov-Timestamp": timestamp,
            "X-Gov-Nonce": nonce,
            "X-Gov-Digest": digest,
            "X-Gov-Signature": self.sign(f"{method}\n{path}\n{timestamp}\n{nonce}\n{digest}"),
        }
        request = urllib.request.Request(self.url + path, body or None, headers, method=method)  # noqa: S310
        try:
            return OPENER.open(request, timeout=self.timeout), nonce
        except urllib.error.HTTPError as refusal:
            with refusal:
                content, told = refusal.read(), refusal.headers
            if signature := told.get("X-Gov-Answer-Signature"):
                self.verify_answer(nonce=nonce, question=body, status=refusal.code, content=content, signature=signature)
            wait = told.get("Retry-After", "")
            raise Refused(refusal.code, _read(content), int(wait) if wait.isdecimal() else None) from None


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        told = {}
    return told if isinstance(told, dict) else {}
