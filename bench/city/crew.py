"""The workers of a city run (工作进程): real Celery workers and the timetable's heartbeat, on any database, kept alive if shot.

The demo has its own under the supervisor. This crew serves the measurements, on a broker database of its own, so
that nobody else's tasks are taken.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import redis
from celery import Celery

from ops import kin
from ops.supervision import children

DISPATCHED = ("exchange.dispatch_aggregation", "basedb.dispatch_quality", "basedb.dispatch_thematic")
TICK_SECONDS = 2.0
QUEUES = "default,bulk"
FIRST_BROKER, BROKERS = 4, 12  # of the sixteen databases of a Redis the lower ones are others'


class Crew:
    """One Celery worker with children, started again when it dies, and the tick that hands out what is due."""

    def __init__(self, environment: Mapping[str, str], *, concurrency: int = 2, log: Path | None = None) -> None:
        number = FIRST_BROKER + zlib.crc32(environment["DB_NAME"].encode()) % BROKERS
        broker = environment["BROKER_URL"].rpartition("/")[0] + f"/{number}"
        self.environment = {**environment, "BROKER_URL": broker}
        self.concurrency = concurrency
        self.peak_kb = 0
        self._groups: list[int] = []
        self._sender = Celery(broker=broker)
        self._log = (log or Path(os.devnull)).open("ab")
        self._done = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def pids(self) -> tuple[int, list[int]]:
        """Return the worker's pid and its children's; 0 and none while it is down."""
        worker = self._worker
        if worker is None or worker.poll() is not None:
            return 0, []
        return worker.pid, children(worker.pid)

    def start(self) -> None:
        """Start the worker with an empty queue."""
        redis.Redis.from_url(self.environment["BROKER_URL"]).flushdb()
        self._thread.start()

    def stop(self) -> None:
        """End the worker and its children."""
        self._done.set()
        self._thread.join()
        if self._worker is not None:
            kin.end_group(self._worker, seconds=30)
        for group in self._groups:  # children of workers that were shot
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        self._log.close()

    def _keep(self) -> None:
        while not self._done.is_set():
            if self._worker is None or self._worker.poll() is not None:
                self._worker = self._begin()
            with contextlib.suppress(Exception):  # a broker that is away is asked again
                for name in DISPATCHED:
                    self._sender.send_task(name, queue="default", expires=10, retry=False)
            until = time.monotonic() + TICK_SECONDS
            while time.monotonic() < until and not self._done.is_set():
                self._note_memory()
                self._done.wait(0.2)

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "--app", "settings.celery:app", "worker", "--loglevel", "WARNING"]
        command += ["--concurrency", str(self.concurrency), "--queues", QUEUES, "--hostname", f"city{os.getpid()}@%h"]
        command += ["--without-gossip", "--without-mingle"]
        worker = subprocess.Popen(command, env=self.environment, stdout=self._log, stderr=self._log, start_new_session=True)
        self._groups.append(worker.pid)
        return worker

    def _note_memory(self) -> None:
        for pid in self.pids()[1]:
            with contextlib.suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{pid}/status").read_text()
                self.peak_kb = max(self.peak_kb, int(status.split("VmHWM:")[1].split()[0]))


@contextlib.contextmanager
def working(environment: Mapping[str, str], *, concurrency: int = 2, log: Path | None = None) -> Iterator[Crew]:
    """Keep a crew at work for a while."""
    crew = Crew(environment, concurrency=concurrency, log=log)
    crew.start()
    try:
        yield crew
    finally:
        crew.stop()
