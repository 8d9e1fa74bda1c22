"""One script in Redis, run for several askers in one trip (脚本连接): connections kept open, one a thread and script.

The library connects and authenticates; then one script and its one form of answer are spoken on the bare socket: no pool, no
retries (a script is never sent twice), a third of the library's time. What a script counts is its owner's business.
"""

from __future__ import annotations

import hashlib
import select
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any, Final

import redis
from django.conf import settings
from redis.connection import Connection, parse_url

TIMEOUT_SECONDS: Final = 2.0

Run = tuple[Sequence[str], Sequence[str | int]]  # the keys and arguments of one run


class Line:
    """One persistent connection, to which the script is known. Each answer is a list of numbers and words without line breaks."""

    def __init__(self, script: str, answer_lines: int) -> None:
        place: dict[str, Any] = parse_url(settings.CALLS_REDIS_URL)  # type: ignore[no-untyped-call]
        untyped: Any = Connection
        self._connection = untyped(**place, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, protocol=2)
        self._connection.connect()
        self._connection.send_command("SCRIPT", "LOAD", script)
        self._connection.read_response()
        self._answer_lines = answer_lines
        self._name = f"$7\r\nEVALSHA\r\n$40\r\n{hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()}\r\n"
        self.socket: socket.socket = self._connection._sock
        self.socket.settimeout(None)  # the kernel keeps the time: one system call less for each of ours
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(TIMEOUT_SECONDS), 0))
        self._poll = select.poll()
        self._poll.register(self.socket.fileno(), select.POLLIN)

    def is_stale(self) -> bool:
        """Whether the server closed the connection while it was idle."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Drop the connection."""
        self._connection.disconnect()

    def ask(self, runs: Sequence[Run]) -> list[list[str]]:
        """Run the script once for each list of keys and arguments, all in one trip; return the lines of each answer."""
        sent = []
        for keys, arguments in runs:
            texts = [str(len(keys)), *keys, *[str(argument) for argument in arguments]]
            sent.append(f"*{2 + len(texts)}\r\n{self._name}" + "".join([f"${len(text)}\r\n{text}\r\n" for text in texts]))
        self.socket.sendall("".join(sent).encode())
        answer = b""
        while answer.count(b"\r\n") < self._answer_lines * len(runs):
            more = self.socket.recv(65_536)
            if not more:
                raise redis.ConnectionError("closed while answering")
            answer += more
            if answer.startswith(b"-") or b"\r\n-" in answer:
                raise redis.ResponseError("the script failed")
        lines = answer.decode().split("\r\n")
        return [lines[at : at + self._answer_lines] for at in range(0, len(lines) - 1, self._answer_lines)]


class Lines:
    """The lines of one script: one a thread, replaced when the server closed it. `answer_lines` are those of one answer."""

    def __init__(self, script: str, answer_lines: int) -> None:
        self._script, self._answer_lines = script, answer_lines
        self._held = threading.local()

    def mine(self) -> Line:
        """Return this thread's line."""
        line: Line | None = getattr(self._held, "line", None)
        if line is None or line.is_stale():
            self.close()
            line = self._held.line = Line(self._script, self._answer_lines)
        return line

    def close(self) -> None:
        """Drop this thread's line."""
        line: Line | None = getattr(self._held, "line", None)
        self._held.line = None
        if line is not None:
            line.close()
