"""Who is shot, and when: a seeded choice of victims and moments, and the wait until each of them is back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.kills.whole_stack import PATIENCE, WholeStack, kill, wait_until

# A process by its name; "/child" is one of its children: a web worker, a pool process, a backend (or a writer) of PostgreSQL.
ALWAYS = ("web", "web/child", "worker", "worker/child", "beat", "redis-broker", "redis-calls", "postgres", "postgres/child")
DISTURBS_THE_FLOWS = {"worker", "worker/child", "redis-broker", "postgres", "postgres/child"}
AGAIN = ("web/child", "worker", "worker/child", "redis-broker", "redis-calls", "postgres", "postgres/child")


@dataclass(frozen=True)
class Kill:
    """What was shot when (the clock's time), and how long it took until everything worked again."""

    victim: str
    at: float
    recovered_in: float

    def __str__(self) -> str:
        return f"{self.victim} at {time.strftime('%H:%M:%S', time.localtime(self.at))}, well again after {self.recovered_in:.1f} s"


class Killer:
    """Kills with -9; never the next one before the stack is well and answers calls again."""

    def __init__(self, stack: WholeStack, seed: int, answers_since: Callable[[float], int], *, patience: float = PATIENCE) -> None:
        self.stack = stack
        self.patience = patience
        self.random = random.Random(seed)
        self.answers_since = answers_since
        self.kills: list[Kill] = []

    def victims(self, count: int) -> list[str]:
        """Draw the order of the victims: each kind at least once."""
        drawn = [*ALWAYS, *self.random.choices(AGAIN, k=count - len(ALWAYS))]
        self.random.shuffle(drawn)
        return drawn

    def wait_a_while(self, shortest: float = 0.3, longest: float = 4.0) -> None:
        """Let the stack work for a moment of random length."""
        time.sleep(self.random.uniform(shortest, longest))

    def shoot(self, victim: str) -> Kill:
        """Kill one process and wait until it is back, everything is well and calls are answered."""
        name, _, child = victim.partition("/")
        siblings = self._children(name) if child else []
        pid = self.random.choice(siblings) if child else self.stack.pid(name)
        at = time.time()
        kill(pid)
        until = time.monotonic() + self.patience
        if not child:
            wait_until(f"{name} lives again", lambda: self._is_reborn(name, pid), self.patience)
        elif name != "postgres":
            wait_until(f"{name} has all its children again", lambda: self._have_grown(name, pid, len(siblings)), self.patience)
        wait_until(f"the stack is well after the death of {victim}", self.stack.is_well, until - time.monotonic())
        well_at = time.time()
        wait_until(f"calls are answered after the death of {victim}", lambda: self.answers_since(well_at), until - time.monotonic())
        self.kills.append(Kill(victim, at, time.time() - at))
        print(f"killed {self.kills[-1]}", flush=True)
        return self.kills[-1]

    def _children(self, name: str) -> list[int]:
        """Return the children; a server has them as soon as it has started."""
        wait_until(f"{name} has children", lambda: self.stack.children(name))
        return sorted(self.stack.children(name))

    def _have_grown(self, name: str, dead: int, count: int) -> bool:
        living = self.stack.children(name)
        return dead not in living and len(living) >= count

    def _is_reborn(self, name: str, old: int) -> bool:
        state = self.stack.states()[name]
        return state["state"] == "RUNNING" and state["pid"] != old
