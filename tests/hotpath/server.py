"""A real server for calls: started as `make demo` does, four workers, on the test database, with a Redis that may be taken away."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings

from ops.kin import end_group
from ops.launch import allow_files
from ops.memory import installed_program
from ops.processes import commands
from tests.hotpath.scene import Scene, password_of

WORKERS = 4

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
    allow_files()
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings.demo",
        "DB_NAME": settings.DATABASES["default"]["NAME"],
        "DB_USER": "web",
        "DB_PASSWORD": password_of("web"),
        "CALLS_REDIS_URL": f"redis://127.0.0.1:{made.redis_port}/0",
        "GRANIAN_HOST": "127.0.0.1",
        "GRANIAN_PORT": str(made.port),
    }
    command = [sys.executable, *commands(settings.ENV.run_dir)["web"], "--workers", str(WORKERS)]
    server = subprocess.Popen(command, env=variables, cwd=settings.BASE_DIR, start_new_session=True)
    try:
        wait_for(made.port, server)
        yield made
    finally:
        end_group(server)
        made.stop_redis()
