"""`city.total`: a city from its sources to its dossiers by two real workers, all rules on; seconds a step, the rate of each base.

CITY_SHARE says how much of the city, a hundredth unless told; the goal of sixty minutes is about the whole of it (CITY_SHARE=1).
Making the sources is not part of it: departments have them. KILLS=10 shoots at it meanwhile, with kill -9; the digests it prints
must be those of a run that nobody disturbed. `dossier.person` is then measured in the city that came in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from bench import dossier, frame

SHARE = float(os.environ.get("CITY_SHARE") or 0.01)
KILLS = int(os.environ.get("KILLS") or 0)
SCHEMA = "bench_city"
DOSSIERS = 1000


def run() -> Iterable[dict[str, object]]:
    """Yield the seconds, and beside them steps, rates, the rates of every million rows, rejects and bytes a row."""
    from demo.city_scale import digests, trial

    try:
        outcome = trial.whole(share=SHARE, kills=KILLS, schema=SCHEMA, to_dossiers=True, spare_disk=True, say=frame.say)
    finally:
        trial.clear(schema=SCHEMA)
    rows = sum(tally.read for tally in outcome.bases.values())
    line = frame.figure("city.total", outcome.seconds + sum(step.seconds for step in outcome.steps), "s")
    line |= {"share": SHARE, "kills": KILLS}
    line["rows"] = rows
    line["rows_per_second"] = round(rows / outcome.seconds)
    line["steps"] = {"intake": round(outcome.seconds, 1)} | {step.name: round(step.seconds, 1) for step in outcome.steps}
    line["found"] = {step.name: step.found for step in outcome.steps if step.found}
    line["rates"] = trial.rate_of(outcome)
    line["by_million"] = digests.by_million()
    line["rejected"] = {name: tally.rejected for name, tally in outcome.bases.items()}
    line["bytes_per_row"] = {table: round(size / count) for table, (count, size) in digests.sizes().items()}
    line["digests"] = {name: found.digest for name, found in outcome.digests.items()}
    yield line
    yield _dossier(people=outcome.digests["basedb_person"].rows)


def _dossier(*, people: int) -> dict[str, object]:
    """Return `dossier.person` as it is in this city."""
    from demo.city_scale.dossiers import keys_of, read_one, reviewer_of_the_centre
    from exchange.dossiers.rights import DossierKind

    reader = reviewer_of_the_centre()
    line = dossier.compared(keys_of(DossierKind.PERSON, DOSSIERS), lambda key: read_one(DossierKind.PERSON, key, reader))
    return line | {"people": people}
