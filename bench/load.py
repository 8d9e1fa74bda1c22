"""Servers under load (压测): granian as the demo runs it, and wrk sending prepared requests to it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import frame
from ops.kin import end_group
from ops.processes import commands

THREADS = 2
CONNECTIONS = 64
SCRIPT = Path(__file__).with_name("load.lua")
APPLICATION = "settings.wsgi:application"


@contextlib.contextmanager
def serving(target: str, role: str = "web", **variables: str) -> Iterator[int]:
    """Run a WSGI application with the demo's server settings and yield its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    command = [target if word == APPLICATION else word for word in commands(Path(os.environ["RUN_DIR"]))["web"]]
    server = subprocess.Popen(
        [sys.executable, *command],
        env=frame.environment(role) | {"GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": str(port)} | variables,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, server)
        yield int(port)
    finally:
        end_group(server)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as trying:
            trying.settimeout(1)
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not come up")


def rate(port: int, requests: Sequence[bytes], *, seconds: int, connections: int = CONNECTIONS) -> float:
    """Send requests for some seconds and return answers a second; any answer but a success is an error."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "requests"
        for number in range(THREADS):
            share = requests[number::THREADS]
            Path(f"{prepared}.{number}").write_bytes(b"".join(b"%08d" % len(request) + request for request in share))
        options = ["-t", str(THREADS), "-c", str(connections), "-d", str(seconds), "-s", str(SCRIPT)]
        told = subprocess.run(
            ["wrk", *options, f"http://127.0.0.1:{port}", str(prepared)], capture_output=True, text=True, check=True
        ).stdout
    answered, microseconds, refused, broken, _ = (int(word) for word in told.rsplit("@", 1)[1].split())
    if refused or broken:
        raise RuntimeError(f"{refused} refused and {broken} broken of {answered}")
    if answered > len(requests) and len(set(requests)) > 1:
        raise RuntimeError(f"{answered} answers to {len(requests)} requests: prepare more")
    return answered * 1e6 / microseconds
