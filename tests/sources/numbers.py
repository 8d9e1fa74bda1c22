"""Numbers that are used once in a run."""

from itertools import count

_numbers = count(1)


def next_number() -> int:
    """Return the next one."""
    return next(_numbers)
