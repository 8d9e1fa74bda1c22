#!/usr/bin/env python3
"""Call the exchange: sign, send, print. Standard library only, so that it can be taken along as a tiny client.

    python3 examples/call.py                       one call of each granted mode of the demo's systems, and one with many keys
    python3 examples/call.py --run-dir DIR         the same for a demo whose run directory is DIR

The demo writes keys, grants and a sample key to demo.json in its run directory ($RUN_DIR, .run by default).
`call(...)` is all a partner system needs; docs/calling.md says what stands in it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}
LINES_SHOWN = 5
# Calls go straight to the exchange, whatever proxy the environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def sign(secret: str, algorithm: str, text: str) -> str:
    """Return the Base64 HMAC of a text. HMAC-SM3 needs an OpenSSL that knows SM3 (1.1.1 or newer)."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), HASHES[algorithm]).digest()).decode()


def call(url: str, system: dict, grant: str, mode: str, body: dict) -> tuple[int, bytes]:
    """Make one signed call and return its status and answer; a signed answer is checked."""
    path = f"/openapi/v1/calls/{grant}/{mode}"
    data = json.dumps(body, ensure_ascii=False).encode()
    timestamp, nonce, digest = str(time.time_ns() // 1_000_000), secrets.token_urlsafe(16), hashlib.sha256(data).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Gov-Key": system["key"],
        "X-Gov-Timestamp": timestamp,
        "X-Gov-Nonce": nonce,
        "X-Gov-Digest": digest,
        "X-Gov-Signature": sign(system["secret"], system["algorithm"], f"POST\n{path}\n{timestamp}\n{nonce}\n{digest}"),
    }
    request = urllib.request.Request(url + path, data, headers, method="POST")  # noqa: S310
    try:
        answer = OPENER.open(request, timeout=60)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        content, signature = answer.read(), answer.headers.get("X-Gov-Answer-Signature")
    if signature:
        text = f"{nonce}\n{digest}\n{answer.status}\n{hashlib.sha256(content).hexdigest()}"
        if not hmac.compare_digest(signature, sign(system["secret"], system["algorithm"], text)):
            raise ValueError("the answer is not signed by the exchange")
    return answer.status, content


def body_for(grant: dict) -> dict:
    """Return a body for a grant: its sample key, and for a verification a value to compare with one item."""
    mode = grant["mode"].lower()
    if mode == "bulk":
        return {"format": "csv"}
    body = {"key": grant["sample_key"]}
    if mode == "verify":
        body["attributes"] = grant.get("sample_values") or {grant["fields"][0]: "1"}
    return body


def batch_body_for(grant: dict) -> dict:
    """Return a body with several keys, up to 1,000 of them; each is answered in its place, with a status of its own."""
    entries = [body_for(grant), body_for(grant) | {"key": dict.fromkeys(grant["sample_key"], "not a number")}]
    if grant["mode"] == "VERIFY":
        return {"checks": entries, "details": True, "score": True}
    return {"keys": [entry["key"] for entry in entries]}


def main() -> int:
    """Make one call of each mode; return 1 when one was refused or nothing is granted."""
    parser = argparse.ArgumentParser(description="Make one signed call of each mode.")
    parser.add_argument("--run-dir", type=Path, default=Path(os.environ.get("RUN_DIR") or ".run"))
    demo = json.loads((parser.parse_args().run_dir / "demo.json").read_text(encoding="utf-8"))
    first: dict[str, tuple[dict, dict]] = {}
    for system in demo["systems"]:
        for grant in system["grants"]:
            first.setdefault(grant["mode"].lower(), (system, grant))
    is_refused = not first
    calls = [(mode, *about, body_for(about[1])) for mode, about in sorted(first.items(), reverse=True)]
    calls += [(mode, *about, batch_body_for(about[1])) for mode, about in sorted(first.items()) if mode in ("query", "verify")]
    for mode, system, grant, body in calls:
        status, content = call(demo["url"], system, grant["grant"], mode, body)
        is_refused = is_refused or status != 200
        lines = content.decode().splitlines()
        many = " of several" if "keys" in body or "checks" in body else ""
        print(f"== {mode}{many}: {system['name']} -> {grant['service']} ({system['algorithm']}): {status}")
        print("\n".join(lines[:LINES_SHOWN]))
        if len(lines) > LINES_SHOWN:
            print(f"... {len(lines)} lines")
    return int(is_refused)


if __name__ == "__main__":
    sys.exit(main())
