"""A partner as it orders copies in parts and follows changes: signed requests of any method, in the process."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import Any

from django.db import connection

from exchange.models import Grant
from tests.hotpath.partner import Partner, Reply, path_of, send


def ask(partner: Partner, method: str, path: str, body: Any = None, **more: str) -> Reply:
    """Send one signed request; the first line that is signed names the method."""
    raw = b"" if body is None else json.dumps(body).encode()
    stamp, nonce, digest = str(int(time.time() * 1000)), secrets.token_urlsafe(16), hashlib.sha256(raw).hexdigest()
    headers = {
        "X-Gov-Key": partner.key,
        "X-Gov-Timestamp": stamp,
        "X-Gov-Nonce": nonce,
        "X-Gov-Digest": digest,
        "X-Gov-Signature": partner.sign(f"{method}\n{path}\n{stamp}\n{nonce}\n{digest}"),
    }
    return send(path, headers | {name.replace("_", "-"): value for name, value in more.items()}, raw, method=method)


def order(partner: Partner, grant: Grant, **body: Any) -> Reply:
    """Order a copy in parts."""
    return ask(partner, "POST", path_of(grant, "jobs"), body)


def show(partner: Partner, grant: Grant, job: str) -> Reply:
    return ask(partner, "GET", path_of(grant, f"jobs/{job}"))


def part(partner: Partner, grant: Grant, job: str, number: int, **headers: str) -> Reply:
    return ask(partner, "GET", path_of(grant, f"jobs/{job}/parts/{number}"), **headers)


def changes(partner: Partner, grant: Grant, after: str | None, **more: Any) -> Reply:
    """Ask for the page behind a timepoint."""
    return ask(partner, "POST", path_of(grant, "subscribe"), {"after": after} | more)


def wait_for_horizon() -> None:
    """Wait until what is committed lies below the horizon: transactions of other databases hold it, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")  # newer than every change so far, whatever its table
        newest = cursor.fetchone()[0]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s", [newest])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("another transaction holds the horizon")


class Mirror:
    """A copy a partner keeps by following a feed."""

    def __init__(self, partner: Partner, grant: Grant) -> None:
        self.partner, self.grant = partner, grant
        self.after: str | None = None
        self.rows: dict[str, dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []

    def follow(self, *, limit: int = 1000) -> None:
        """Take pages until nothing waits, once what was committed so far can be read."""
        wait_for_horizon()
        while not self.step(limit=limit):
            pass

    def step(self, *, limit: int = 1000) -> bool:
        """Take one page; return whether nothing more waits."""
        page = changes(self.partner, self.grant, self.after, limit=limit)
        assert page.status == 200, page.body
        for change in page.json["changes"]:
            self.told.append(change)
            if change["op"] == "upsert":
                self.rows[change["key"]] = change["data"]
            else:
                self.rows.pop(change["key"], None)
        self.after = page.json["timepoint"]
        return bool(page.json["complete"])
