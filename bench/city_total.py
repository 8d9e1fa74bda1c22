"""`city.total`: a city from its sources to its bases by two real workers, all rules on; the rate of each base, bytes a row.

CITY_SHARE says how much of the city, a hundredth unless told; the goal of sixty minutes is about the whole of it (CITY_SHARE=1).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from bench import frame

SHARE = float(os.environ.get("CITY_SHARE") or 0.01)


def run() -> Iterable[dict[str, object]]:
    """Yield the seconds, and beside them rates, bytes and digests."""
    from demo.city_scale import digests, trial

    outcome = trial.whole(share=SHARE, schema="bench_city", say=frame.say)
    rows = sum(tally.read for tally in outcome.bases.values())
    line = frame.figure("city.total", outcome.seconds, "s")
    line["share"] = SHARE
    line["rows"] = rows
    line["rows_per_second"] = round(rows / outcome.seconds)
    line["rates"] = trial.rate_of(outcome)
    line["bytes_per_row"] = {table: round(size / count) for table, (count, size) in digests.sizes().items()}
    yield line
