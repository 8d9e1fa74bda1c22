"""Calls from many connections at once, on a real server with two workers and a Redis of its own that may be taken away."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings

from exchange.models import CallRecord, Grant
from ops.memory import installed_program
from ops.processes import commands
from tests.hotpath.partner import Partner, make_partner, path_of
from tests.hotpath.scene import Scene, db, password_of, scene

__all__ = ["db", "scene"]  # the fixtures of the hot path

Request = bytes
Outcome = tuple[int, str]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as trying:
            trying.settimeout(1)
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


@dataclass
class Exchange:
    """The server and its Redis."""

    port: int
    redis_port: int
    folder: Path
    redis: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_redis(self) -> None:
        options = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        # One binary under several names: which program it is follows from the name it is called by.
        process = subprocess.Popen(["redis-server", *options], executable=installed_program(), stdout=subprocess.DEVNULL)
        wait_for(self.redis_port, process)
        self.redis.append(process)

    def stop_redis(self) -> None:
        process = self.redis.pop()
        process.terminate()
        process.wait(10)

    def ask(self, requests: list[Request], *, connections: int) -> list[Outcome]:
        """Send all requests over that many connections at once; return status and code of each answer."""
        return asyncio.run(self._ask(requests, connections))

    async def _ask(self, requests: list[Request], connections: int) -> list[Outcome]:
        waiting = list(requests)
        outcomes: list[Outcome] = []

        async def talk() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            while waiting:
                writer.write(waiting.pop())
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                outcomes.append((int(head[9:12]), body.get("code", "")))
            writer.close()

        await asyncio.gather(*(talk() for _ in range(connections)))
        return outcomes


@pytest.fixture(scope="module")
def exchange(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A server as `make demo` starts it, on the test database in the role of the web process."""
    made = Exchange(free_port(), free_port(), tmp_path_factory.mktemp("redis"))
    made.start_redis()
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings.demo",
        "DB_NAME": settings.DATABASES["default"]["NAME"],
        "DB_USER": "web",
        "DB_PASSWORD": password_of("web"),
        "CALLS_REDIS_URL": f"redis://127.0.0.1:{made.redis_port}/0",
        "GRANIAN_HOST": "127.0.0.1",
        "GRANIAN_PORT": str(made.port),
    }
    command = [sys.executable, *commands(settings.ENV.run_dir)["web"]]
    server = subprocess.Popen(command, env=variables, cwd=settings.BASE_DIR)
    try:
        wait_for(made.port, server)
        yield made
    finally:
        server.terminate()
        server.wait(20)
        made.stop_redis()


@pytest.fixture
def partner(scene: Scene) -> Partner:
    return make_partner(scene.city.education)


Granting = Callable[..., Grant]


@pytest.fixture
def grant_with(scene: Scene, partner: Partner) -> Granting:
    from tests.hotpath.partner import grant_to

    return lambda **values: grant_to(partner, scene.resource, scene.city, **{"quota_per_second": 100_000} | values)


def signed_request(partner: Partner, grant: Grant, scene: Scene) -> Request:
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    path = path_of(grant, "query")
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body))} | partner.headers(path, body)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def requests_of(partner: Partner, grant: Grant, scene: Scene, count: int) -> list[Request]:
    return [signed_request(partner, grant, scene) for _ in range(count)]


def recorded(grant: Grant) -> Counter[str]:
    return Counter(CallRecord.objects.filter(grant_id=grant.id).values_list("outcome", flat=True))


def test_five_thousand_calls_against_a_quota_of_a_thousand_give_exactly_a_thousand_answers(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    exchange.ask(requests_of(partner, grant_with(), scene, 1), connections=1)  # the first call of an empty Redis sets it up
    grant = grant_with(quota_per_day=1_000)
    outcomes = exchange.ask(requests_of(partner, grant, scene, 5_000), connections=200)
    assert Counter(outcomes) == {(200, ""): 1_000, (429, "quota.day_exceeded"): 4_000}
    assert recorded(grant) == {"call.answered": 1_000, "quota.day_exceeded": 4_000}


def test_the_same_signed_request_two_hundred_times_at_once_is_answered_once(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    grant = grant_with()
    outcomes = exchange.ask([signed_request(partner, grant, scene)] * 200, connections=200)
    assert Counter(outcomes) == {(200, ""): 1, (409, "call.replayed"): 199}
    assert recorded(grant) == {"call.answered": 1, "call.replayed": 199}


def test_revoked_grant_is_refused_by_every_worker_from_then_on(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    grant = grant_with()
    assert set(exchange.ask(requests_of(partner, grant, scene, 100), connections=50)) == {(200, "")}
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    assert set(exchange.ask(requests_of(partner, grant, scene, 200), connections=50)) == {(403, "grant.revoked")}
    assert recorded(grant) == {"call.answered": 100, "grant.revoked": 200}


def test_without_redis_every_call_is_refused_and_its_return_forgets_no_quota(
    exchange: Exchange, scene: Scene, partner: Partner, grant_with: Granting
) -> None:
    grant = grant_with(quota_per_day=30)
    assert set(exchange.ask(requests_of(partner, grant, scene, 20), connections=10)) == {(200, "")}
    exchange.stop_redis()
    outcomes = exchange.ask(requests_of(partner, grant, scene, 50), connections=10)
    assert set(outcomes) == {(503, "platform.unavailable")}
    assert recorded(grant) == {"call.answered": 20, "platform.unavailable": 50}
    exchange.start_redis()
    exchange.ask(requests_of(partner, grant, scene, 1), connections=1)  # meets the loss and rebuilds
    time.sleep(0.01)
    outcomes = exchange.ask(requests_of(partner, grant, scene, 40), connections=20)
    assert Counter(outcomes) == {(200, ""): 10, (429, "quota.day_exceeded"): 30}
