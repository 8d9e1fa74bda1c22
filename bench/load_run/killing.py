"""What happens to the stack during a load run: kills at random moments, now and then a store that stays away for a while.

Never the next one before the stack is well and answers again. `tests.kills.killer` shoots and waits; here is the timetable,
and how long readiness takes to say which store is away.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kills.killer import ALWAYS, Kill, Killer
from tests.kills.whole_stack import WholeStack, wait_until

VICTIMS = (*ALWAYS, "copier")
STORES = {"postgres": "database", "redis-calls": "calls_redis", "redis-broker": "broker_redis"}  # -> what readiness calls it
STOP_EVERY = 8
AWAY_SECONDS = 6.0
SHORTEST, LONGEST = 5.0, 15.0
# What is promised of PostgreSQL and of readiness; a worker of Celery may take longer to start on a busy machine.
RECOVERED_WITHIN, NAMED_WITHIN = 30.0, 5.0


@dataclass(frozen=True)
class Absence:
    """A store that was stopped: when, how soon readiness named it, how soon after its start everything worked again."""

    store: str
    at: float
    named_in: float
    recovered_in: float
    took: float


class Timetable:
    """Kills and stops, in the order the seed says, until a moment of the clock."""

    def __init__(self, stack: WholeStack, killer: Killer, seed: int) -> None:
        self.stack, self.killer = stack, killer
        self.random = random.Random(seed)
        self.absences: list[Absence] = []

    @property
    def kills(self) -> list[Kill]:
        return self.killer.kills

    def keep_to(self, until: float) -> None:
        """Kill one after the other, each 5 to 15 seconds after the one before or when that is over."""
        stores = itertools.cycle(STORES)
        for number, victim in enumerate(self._victims(), start=1):
            due = time.time() + self.random.uniform(SHORTEST, LONGEST)
            if due > until:
                return
            if number % STOP_EVERY == 0:
                self._take_away(next(stores))
            else:
                self.killer.shoot(victim)
            time.sleep(max(0.0, due - time.time()))

    def troubled(self) -> list[tuple[float, float]]:
        """Return the spans during which something was away."""
        spans = [(kill.at, kill.at + kill.recovered_in) for kill in self.kills]
        return spans + [(absence.at, absence.at + absence.took) for absence in self.absences]

    def too_slow(self) -> list[str]:
        """Return what took longer than is promised: PostgreSQL's return, and readiness to name what is away."""
        late = [str(kill) for kill in self.kills if "postgres" in kill.victim and kill.recovered_in > RECOVERED_WITHIN]
        late += [f"{one}" for one in self.absences if one.recovered_in > RECOVERED_WITHIN or one.named_in > NAMED_WITHIN]
        return [f"too slow: {one}" for one in late]

    def _victims(self) -> Iterator[str]:
        while True:
            drawn = list(VICTIMS)
            self.random.shuffle(drawn)
            yield from drawn

    def _take_away(self, store: str) -> None:
        """Stop a store for a while; see readiness name it, and everything work again."""
        at = time.time()
        stopping = threading.Thread(target=self.stack.stop, args=[store])
        stopping.start()
        named_in = wait_until(f"readiness names {store}", lambda: self._is_named(store), pause=0.05)
        stopping.join()
        time.sleep(AWAY_SECONDS)
        started = time.time()
        self.stack.start(store)
        wait_until(f"the stack is well with {store} again", self.stack.is_well, self.killer.patience)
        well_at = time.time()
        wait_until("calls are answered again", lambda: self.killer.answers_since(well_at), self.killer.patience)
        now = time.time()
        self.absences.append(Absence(store, at, named_in, now - started, now - at))
        print(
            f"away {store}: named by readiness after {named_in:.2f} s, well again {now - started:.1f} s after its start", flush=True
        )

    def _is_named(self, store: str) -> bool:
        status, told = self.stack.stack.health()
        return status == 503 and json.loads(told)["parts"][STORES[store]] == "down"
