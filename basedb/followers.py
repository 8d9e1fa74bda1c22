"""What follows when rows of a dataset changed (联动): parts of this room register, projection calls them in its transaction.

A follower gets the name of a temporary table of touched subject keys. It must come to the same end when called twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Touched:
    """The subjects whose rows may differ now: `table` has one column `subject_key`, with repeats and nulls."""

    table: str
    now: datetime


Follower = Callable[[Touched], None]
_followers: dict[str, list[Follower]] = defaultdict(list)


def register(dataset: str, follower: Follower) -> None:
    """Have `follower` called whenever rows of a dataset changed; called from `AppConfig.ready()`."""
    if follower not in _followers[dataset]:
        _followers[dataset].append(follower)


def follow(dataset: str, *, touched: str, now: datetime) -> None:
    """Call the followers of a dataset in the order they registered."""
    for follower in _followers.get(dataset, ()):
        follower(Touched(touched, now))


def has_followers(dataset: str) -> bool:
    """Whether anybody wants to know."""
    return bool(_followers.get(dataset))
