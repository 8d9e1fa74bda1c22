"""One client process of a load run: talkers that call on the grants at a steady rate and keep a book of what reached them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, TextIO

from bench.links import Answer, Link
from bench.load_run import books
from bench.signing import signed

TALKERS = 24
PATIENCE_SECONDS = 20
MANY = 50
CUT = b'"!call.aborted'
WEIGHTS = {
    "busy": 30,
    "query": 22,
    "verify": 23,
    "query of many": 4,
    "verify of many": 4,
    "small quota": 4,
    "feed": 6,
    "bulk": 1,
    "job": 4,
    "sent again": 2,
}


class Client:
    """The grants this process calls on, and how far it is with feeds and jobs."""

    def __init__(self, scene: dict[str, Any], port: int, book: TextIO, seed: int, share: tuple[int, int]) -> None:
        self.port, self.book, self.random = port, book, random.Random(seed)
        self.people: list[str] = scene["people"]
        number, of = share
        self.grants: dict[str, list[dict[str, str]]] = {}
        for grant in scene["grants"]:
            self.grants.setdefault(grant["kind"], []).append(grant)
        for kind in ("bulk", "subscribe"):  # a feed or a job is followed by one process alone
            self.grants[kind] = self.grants[kind][number::of]
        self.timepoints: dict[str, str | None] = {}
        self.jobs: dict[str, str] = {}
        self.ready: set[str] = set()
        self.answered: deque[bytes] = deque(maxlen=500)

    async def work(self, a_second: float, until: float) -> None:
        """Let all talkers work until a moment of the clock."""
        await asyncio.gather(*(self._talk(TALKERS / a_second, until) for _ in range(TALKERS)))

    async def _talk(self, pause: float, until: float) -> None:
        link: Link | None = None
        due = time.time() + self.random.uniform(0, pause)
        while due < until:
            await asyncio.sleep(max(0.0, due - time.time()))
            due = max(due + pause, time.time())
            kind = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            started = time.time()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    link = link or await Link.open("127.0.0.1", self.port)
                    await self._call(link, kind)
            except (OSError, EOFError) as trouble:
                took = (time.time() - started) * 1000
                books.write(self.book, books.Entry(time.time(), took, kind, books.BROKEN, type(trouble).__name__, "", ""))
                if link is not None:
                    link.close()
                link = None
        if link is not None:
            link.close()

    async def _call(self, link: Link, kind: str) -> None:
        if kind == "feed":
            await self._follow(link)
        elif kind == "job":
            await self._copy(link)
        elif kind == "sent again":
            if self.answered:
                await self._ask(link, kind, self.random.choice(self.answered))
        else:
            grant, body = self._question(kind)
            request = _request(grant, grant["mode"].lower(), body)
            answer = await self._ask(link, "query" if kind == "busy" else kind, request)
            if answer.status == 200 and kind in ("busy", "query", "verify", "query of many"):
                self.answered.append(request)

    def _question(self, kind: str) -> tuple[dict[str, str], Any]:
        known = {"small quota": "small", "query of many": "query", "verify of many": "verify"}
        grant = self.random.choice(self.grants[known.get(kind, kind)])
        numbers = [self.random.randrange(len(self.people)) for _ in range(MANY if kind.endswith("of many") else 1)]
        keys = [{"citizen_id": self.people[number]} for number in numbers]
        checks = [{"key": key, "attributes": {"name": f"测试{number}"}} for key, number in zip(keys, numbers, strict=True)]
        if kind == "bulk":
            return grant, {"fields": ["name", "sex"]}
        if kind == "query of many":
            return grant, {"keys": keys}
        if kind == "verify of many":
            return grant, {"checks": checks}
        return grant, checks[0] if kind == "verify" else {"key": keys[0]}

    async def _follow(self, link: Link) -> None:
        grant = self.random.choice(self.grants["subscribe"])
        body = {"after": self.timepoints.get(grant["grant"]), "limit": 200}
        answer = await self._ask(link, "feed", _request(grant, "subscribe", body))
        if answer.status == 200:
            self.timepoints[grant["grant"]] = json.loads(answer.body)["timepoint"]

    async def _copy(self, link: Link) -> None:
        """Order a copy, look at it until it is ready, fetch its part, begin anew."""
        grant = self.random.choice(self.grants["bulk"])
        uid = grant["grant"]
        job = self.jobs.get(uid)
        if job is None:
            answer = await self._ask(link, "job ordered", _request(grant, "jobs", {"fields": ["name"]}))
            if answer.status == 202:
                self.jobs[uid] = json.loads(answer.body)["job"]
        elif uid not in self.ready:
            answer = await self._ask(link, "job shown", _request(grant, f"jobs/{job}", None, "GET"))
            if answer.status == 200 and json.loads(answer.body)["state"] == "READY":
                self.ready.add(uid)
        else:
            answer = await self._ask(link, "job part", _request(grant, f"jobs/{job}/parts/1", None, "GET"))
            if answer.status == 200:
                self.ready.discard(uid)
                self.jobs.pop(uid, None)

    async def _ask(self, link: Link, kind: str, request: bytes) -> Answer:
        """Make one call and write it down."""
        started = time.time()
        answer = await link.ask(request)
        now = time.time()
        code = ""
        if answer.status >= 300:
            with contextlib.suppress(ValueError):
                code = str(json.loads(answer.body)["code"])
        digest = hashlib.sha256(answer.body).hexdigest()
        is_cut = answer.body.endswith(CUT)
        call_id = answer.headers.get("x-gov-call-id", "")
        books.write(self.book, books.Entry(now, (now - started) * 1000, kind, answer.status, code, call_id, digest, is_cut))
        return answer


def _request(grant: dict[str, str], place: str, body: Any, method: str = "POST") -> bytes:
    raw = b"" if body is None else json.dumps(body).encode()
    return signed(grant["key"], grant["secret"], f"/openapi/v1/calls/{grant['grant']}/{place}", raw, method)


def main(arguments: list[str]) -> None:
    """Work until a moment of the clock."""
    scene, port, book, seed, number, of, a_second, until = arguments
    share = int(number), int(of)
    with Path(book).open("w", buffering=1) as lines:
        client = Client(json.loads(Path(scene).read_text()), int(port), lines, int(seed) + share[0], share)
        asyncio.run(client.work(float(a_second), float(until)))


if __name__ == "__main__":
    main(sys.argv[1:])
