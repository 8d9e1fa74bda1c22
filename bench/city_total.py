"""`city.total`: a city from its sources to its dossiers by two real workers, all rules on; seconds a step, the rate of each base.

CITY_SHARE says how much of the city, a hundredth unless told; the goal of sixty minutes is about the whole of it (CITY_SHARE=1).
Making the sources is not part of it: departments have them. `dossier.person` is then measured in the city that came in.
KILLS=10 takes the same city in once more, under kill -9 of workers, their children, PostgreSQL's backends and its postmaster, in an
order and at moments SEED draws, as `city.kills`: every digest must come out as before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from bench import dossier, frame

if TYPE_CHECKING:
    from demo.city_scale.run import Outcome

SHARE = float(os.environ.get("CITY_SHARE") or 0.01)
KILLS = int(os.environ.get("KILLS") or 0)
SEED = int(os.environ.get("SEED") or 1)
SCHEMA = "bench_city"
DOSSIERS = 1000


def run() -> Iterable[dict[str, object]]:
    """Yield the city, its dossiers and, when wanted, the run under kills; raise when that one ends otherwise."""
    from bench.city import trial

    whole = partial(trial.whole, share=SHARE, seed=SEED, schema=SCHEMA, spare_disk=True, say=frame.say)
    try:
        quiet = whole(to_dossiers=True)
        yield _total(quiet)
        yield _dossier(people=quiet.digests["basedb_person"].rows)
        if KILLS:
            frame.prepare_database()
            shot = whole(kills=KILLS)
            yield frame.figure("city.kills", shot.seconds, "s") | {"share": SHARE, "digests": _told(shot)}
            if shot.digests != quiet.digests:
                raise RuntimeError(f"they differ in: {', '.join(trial.differing(quiet, shot))}")
    finally:
        trial.clear(schema=SCHEMA)


def _total(outcome: Outcome) -> dict[str, object]:
    from bench.city import trial
    from demo.city_scale import digests

    rows = sum(tally.read for tally in outcome.bases.values())
    line = frame.figure("city.total", outcome.seconds + sum(step.seconds for step in outcome.steps), "s")
    line["share"] = SHARE
    line["rows"] = rows
    line["rows_per_second"] = round(rows / outcome.seconds)
    line["steps"] = {"intake": round(outcome.seconds, 1)} | {step.name: round(step.seconds, 1) for step in outcome.steps}
    line["found"] = {step.name: step.found for step in outcome.steps if step.found}
    line["rates"] = trial.rate_of(outcome)
    line["by_million"] = digests.by_million()
    line["rejected"] = {name: tally.rejected for name, tally in outcome.bases.items()}
    line["bytes_per_row"] = {table: round(size / count) for table, (count, size) in digests.sizes().items()}
    return line | {"digests": _told(outcome)}


def _told(outcome: Outcome) -> dict[str, str]:
    return {name: f"{found.rows} {found.digest}" for name, found in outcome.digests.items()}


def _dossier(*, people: int) -> dict[str, object]:
    """Return `dossier.person` as it is in this city."""
    from bench.city.afterwards import keys_of, read_one, reviewer_of_the_centre
    from exchange.dossiers.rights import DossierKind

    reader = reviewer_of_the_centre()
    line = dossier.compared(keys_of(DossierKind.PERSON, DOSSIERS), lambda key: read_one(DossierKind.PERSON, key, reader))
    return line | {"people": people}
