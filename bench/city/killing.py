"""Shooting at a city run (故障演练): kill -9 at seeded moments over workers, their children, PostgreSQL's backends and postmaster.

The run goes on by itself: leases end, batches that were not committed are taken again. Nothing is repaired by hand. A cluster that
others use must not be shot at: there the victims are `WORKERS`.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2

from bench.city.crew import Crew

WORKERS = ("worker", "child", "child")
EVERYBODY = (*WORKERS, "backend", "backend", "postmaster")


class Gunman:
    """Kills `count` times, each when the work has come so far as the seed says, counted in shares of the rows expected."""

    def __init__(
        self,
        crew: Crew,
        *,
        count: int,
        seed: int,
        database: dict[str, Any],
        done: Callable[[], float],
        victims: tuple[str, ...],
        say: Callable[[str], None],
    ) -> None:
        self.crew, self.say, self.database, self.done_share = crew, say, database, done
        self.random = random.Random(seed)
        self.moments = sorted(self.random.uniform(0.02, 0.9) for _ in range(count))
        self.order = [victims[number % len(victims)] for number in range(count)]  # nobody is spared
        self.random.shuffle(self.order)
        self.killed: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hunt, daemon=True)

    def __enter__(self) -> Gunman:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _hunt(self) -> None:
        for moment, victim in zip(self.moments, self.order, strict=True):
            while self._share() < moment:
                if self._over.wait(0.1):
                    return
            self._shoot(victim)

    def _share(self) -> float:
        """How far the work has come; nothing is known while PostgreSQL begins anew."""
        try:
            return self.done_share()
        except psycopg2.Error:
            return 0.0

    @staticmethod
    @contextlib.contextmanager
    def asking(database: dict[str, Any]) -> Iterator[Any]:
        """Yield a cursor on a connection of its own: the thread shares none with the run."""
        with contextlib.closing(psycopg2.connect(**database)) as link, link.cursor() as cursor:
            yield cursor

    def _shoot(self, victim: str) -> None:
        """Kill one; wait for a target, since the last one may not be back yet."""
        while not self._over.is_set():
            pid = self._target(victim)
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed.append(victim)
                    self.say(f"killed {victim} ({len(self.killed)} of {len(self.moments)})")
                self._over.wait(self.random.uniform(0.5, 3.0))
                return
            self._over.wait(0.1)

    def _target(self, victim: str) -> int:
        worker, children = self.crew.pids()
        if victim == "worker":
            return worker if children else 0
        if victim == "child":
            return self.random.choice(children) if children else 0
        backend = self._backend()
        return _parent_of(backend) if backend and victim == "postmaster" else backend

    def _backend(self) -> int:
        """Return a backend in a transaction of a worker, told by its locks; its death makes PostgreSQL begin anew."""
        try:
            with self.asking(self.database) as cursor:
                cursor.execute(
                    "SELECT DISTINCT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'virtualxid'"
                    " AND datname = current_database() AND usename = 'worker' ORDER BY pid"
                )
                found = [pid for (pid,) in cursor.fetchall()]
        except psycopg2.Error:
            return 0
        return self.random.choice(found) if found else 0


def _parent_of(pid: int) -> int:
    """Return the postmaster of a backend, 0 when the backend is gone."""
    try:
        return int(Path(f"/proc/{pid}/status").read_text().split("PPid:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        return 0
