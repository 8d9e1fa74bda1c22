"""Durations of calls (耗时分布) in buckets: pure. Boundaries are fixed; changing them would falsify what was counted before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Upper bounds in microseconds, a bound belonging to the bucket above it; the last bucket has no upper bound.
BOUNDS: Final = (
    *(500, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000, 50_000, 70_000, 100_000),
    *(200_000, 500_000, 1_000_000, 2_000_000, 5_000_000),
)
BUCKET_COUNT: Final = len(BOUNDS) + 1


def quantile(buckets: Sequence[int], share: float, *, lowest: int, highest: int) -> int:
    """Return the duration below which this share of the calls lies, interpolated in its bucket; 0 without calls.

    Never outside the shortest and the longest call, so that a single call is told exactly.
    """
    wanted, passed = share * sum(buckets), 0
    edges = (0, *BOUNDS, max(highest, BOUNDS[-1]))
    for number, count in enumerate(buckets):
        if count and passed + count >= wanted:
            low, high = max(edges[number], lowest), min(edges[number + 1], highest)
            return round(low + (high - low) * (wanted - passed) / count)
        passed += count
    return 0
