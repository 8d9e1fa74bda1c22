"""A whole stack of the tests' own (stores, web, worker, beat under supervisor, the demo loaded), and how to shoot at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import redis

from ops import demo, kin, ports, setup
from ops.places import Places, run_dir
from ops.stack import Stack
from ops.supervision import children

PATIENCE = 30.0


def wait_until(what: str, is_true: Callable[[], Any], seconds: float = PATIENCE, pause: float = 0.1) -> float:
    """Wait for something; return the seconds it took, fail when it does not come."""
    started = time.monotonic()
    while not is_true():
        waited = time.monotonic() - started
        assert waited < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(pause)
    return time.monotonic() - started


class WholeStack:
    """A stack in a folder of its own; everything it asks the stores goes past the platform's code."""

    def __init__(self, name: str) -> None:
        self.places = Places(run=run_dir(), stack=run_dir() / name)
        self.stack = Stack(self.places)

    def up(self) -> None:
        """Bring everything up afresh: what an earlier run left behind goes first."""
        self.down()
        shutil.rmtree(self.places.stack, ignore_errors=True)
        setup.prepare(self.places)
        demo.bring_up(self.stack, "small")

    def down(self) -> None:
        """End every process; the folder with the logs stays until the next run."""
        self.stack.down()

    @property
    def web_address(self) -> tuple[str, int]:
        return "127.0.0.1", ports.load(self.places.stack)["web"]

    @property
    def demo(self) -> dict[str, Any]:
        """Return demo.json: the accounts and the systems with their keys."""
        known: dict[str, Any] = json.loads((self.places.stack / "demo.json").read_text())
        return known

    def is_well(self) -> bool:
        """Whether every process runs and the health page says that all parts answer."""
        states = self.states()
        return all(state["state"] == "RUNNING" for state in states.values()) and self.stack.health()[0] == 200

    def states(self) -> dict[str, dict[str, Any]]:
        """Return name -> state and pid of every process."""
        return self.stack.supervisor().states()

    def pid(self, name: str) -> int:
        return int(self.states()[name]["pid"])

    def children(self, name: str) -> list[int]:
        """Return the pids of a process's direct children."""
        return children(self.pid(name))

    def stop(self, name: str) -> None:
        """Stop one process for good."""
        self.stack.supervisor().stop([name])

    def start(self, name: str) -> None:
        """Start it again."""
        self.stack.supervisor().start([name])

    @contextmanager
    def database(self, name: str = "platform", user: str = "migrator") -> Iterator[Any]:
        """Yield a cursor in a transaction of a database of the cluster."""
        password = json.loads((self.places.secrets / "roles.json").read_text())[user]
        port = ports.load(self.places.stack)["postgres"]
        link = psycopg2.connect(host="127.0.0.1", port=port, dbname=name, user=user, password=password, connect_timeout=3)
        with closing(link), link, link.cursor() as cursor:
            yield cursor

    def rows(self, sql: str, parameters: Any = None, **where: str) -> list[tuple[Any, ...]]:
        """Return the rows of one question."""
        with self.database(**where) as cursor:
            cursor.execute(sql, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def one(self, sql: str, parameters: Any = None, **where: str) -> Any:
        """Return the only value of one question."""
        [(value,)] = self.rows(sql, parameters, **where)
        return value

    def change(self, sql: str, parameters: Any = None, **where: str) -> int:
        """Carry out one statement; return how many rows it touched."""
        with self.database(**where) as cursor:
            cursor.execute(sql, parameters)
            return int(cursor.rowcount)

    def change_surely(self, sql: str, parameters: Any = None, **where: str) -> int:
        """Carry out a statement that may be carried out twice, again and again until the database says it is done."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.change(sql, parameters, **where)
            except psycopg2.OperationalError:
                assert time.monotonic() < until, "PostgreSQL does not come back"
                time.sleep(0.2)

    def calls_redis(self) -> redis.Redis:
        """Return a client of the Redis that keeps nonces and quotas."""
        return redis.Redis.from_url(self.stack.environment("web")["CALLS_REDIS_URL"])


def kill(pid: int) -> None:
    """Kill one process, which may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    kin.wait_gone([pid], 5)
