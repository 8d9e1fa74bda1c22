"""`python -m demo.city_scale`: a city from its sources to the bases by a crew of its own, undisturbed or shot at.

`--kills 10` takes the same sources in twice, first undisturbed, then under kill -9, prints both digests and fails when they differ.
Runs in the environment of role migrator, on a database it drops and makes first. Its sources are its own, so that it may run on the
stores of a demo that has a city; they are gone at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from functools import partial
from pathlib import Path

from bench import frame


def main() -> int:
    """Return 1 when the digests differ."""
    options = _options()
    schema = f"trial_{options.database}"
    folder = Path(os.environ["DROP_DIR"]) / schema
    os.environ["DROP_DIR"] = str(folder)
    frame.DATABASE = options.database
    frame.prepare_database()
    from demo.city_scale import trial
    from demo.city_scale.making import TooSmall

    try:
        spare_disk = options.spare_disk and not options.kills  # the second time needs the sources, too
        whole = partial(trial.whole, share=options.share, seed=options.seed, schema=schema)
        quiet = whole(to_dossiers=not options.kills, spare_disk=spare_disk)
        if not options.kills:
            return 0
        frame.prepare_database()
        shot = whole(kills=options.kills, with_sources=False)
    except TooSmall as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        trial.clear(schema=schema)
        shutil.rmtree(folder, ignore_errors=True)
    differing = sorted(
        name for name in quiet.digests.keys() | shot.digests.keys() if quiet.digests.get(name) != shot.digests.get(name)
    )
    for name in sorted(quiet.digests.keys() | shot.digests.keys()):
        told = " | ".join(
            f"{found.rows:,} rows {found.digest}" if (found := run.digests.get(name)) else "-" for run in (quiet, shot)
        )
        sys.stdout.write(f"{name}: {told}\n")
    sys.stdout.write(f"They differ in: {', '.join(differing)}\n" if differing else "Both end the same.\n")
    return 1 if differing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.city_scale", description=__doc__)
    parser.add_argument("--share", type=float, default=float(os.environ.get("CITY_SHARE") or 1))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS") or 0))
    parser.add_argument("--database", default="city")
    parser.add_argument("--spare-disk", action="store_true", help="drop every source as soon as it has been read")
    options = parser.parse_args()
    if options.database == os.environ["DB_NAME"]:
        parser.error("--database is dropped first; it must not be the platform's own")
    return options


if __name__ == "__main__":
    Path(os.environ["RUN_DIR"], "log").mkdir(parents=True, exist_ok=True)
    sys.exit(main())
