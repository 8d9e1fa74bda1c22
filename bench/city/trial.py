"""A whole city run apart from the demo (全流程试验): sources, plans, workers, digests, and the gunman when one is wanted."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from django.db import connection

from bench import frame
from bench.city.afterwards import carry_on
from bench.city.crew import Crew, working
from bench.city.killing import EVERYBODY, Gunman
from demo import city
from demo.city_scale import digests
from demo.city_scale import making as sources
from demo.city_scale.counts import Counts, counts_of
from demo.city_scale.making import BYTES_TAKEN_IN_PER_ROW, Making, check_disk, from_environment, make
from demo.city_scale.plans import Delivery, deliveries, lay_down
from demo.city_scale.run import Outcome, Say, Spent, take_in
from exchange.models import AggregationPlan, AggregationRun

SPARED_PER_ROW = 600  # of these when a source is dropped as soon as it has been read


def whole(
    *,
    share: float,
    seed: int = 1,
    kills: int = 0,
    with_sources: bool = True,
    schema: str,
    victims: tuple[str, ...] = EVERYBODY,
    to_dossiers: bool = False,
    spare_disk: bool = False,
    environment: dict[str, str] | None = None,
    say: Say = print,
) -> Outcome:
    """Make the sources unless they stand, lay the plans, take everything in, go on to the dossiers if wanted."""
    counts = counts_of(share)
    making = from_environment(counts, Path(os.environ["DROP_DIR"]), schema=schema, seed=seed, say=say)
    if with_sources:
        check_disk(making.folder, counts, bytes_per_row=BYTES_TAKEN_IN_PER_ROW - (SPARED_PER_ROW if spare_disk else 0))
        say(f"sources made in {make(making):.0f} s")
    plans = lay_down_all(counts, schema=schema)
    spent = _dropping(making, plans) if spare_disk else None
    log = Path(os.environ["RUN_DIR"]) / "log" / "city-crew.log"
    started = time.monotonic()
    with working(environment or frame.environment("worker"), log=log) as crew:
        outcome = (
            _under_fire(plans, counts, crew, kills=kills, seed=seed, victims=victims, spent=spent, say=say)
            if kills
            else take_in(plans, say=say, spent=spent)
        )
        if to_dossiers:
            outcome.steps = carry_on(say)
    _tell(outcome, counts, time.monotonic() - started, say)
    return outcome


def clear(*, schema: str) -> None:
    """Remove the sources of a trial."""
    sources.clear(from_environment(counts_of(1), Path(os.environ["DROP_DIR"]), schema=schema))


def lay_down_all(counts: Counts, *, schema: str) -> dict[Delivery, AggregationPlan]:
    """Load divisions and departments and lay down every plan of the city."""
    city.load_divisions()
    departments = city.load_departments()
    return {delivery: lay_down(delivery, departments, schema=schema) for delivery in deliveries(counts)}


def _dropping(making: Making, plans: dict[Delivery, AggregationPlan]) -> Spent:
    """Return what removes the source of a plan: nobody reads it again."""
    delivery_of = {plan.pk: delivery for delivery, plan in plans.items()}

    def drop(plan: AggregationPlan) -> None:
        delivery = delivery_of[plan.pk]
        if delivery.table:
            making.run(f"DROP TABLE IF EXISTS {{schema}}.{delivery.table}")
        else:
            shutil.rmtree(making.folder / delivery.folder, ignore_errors=True)

    return drop


def _under_fire(
    plans: dict[Delivery, AggregationPlan],
    counts: Counts,
    crew: Crew,
    *,
    kills: int,
    seed: int,
    victims: tuple[str, ...],
    spent: Spent | None,
    say: Say,
) -> Outcome:
    expected = counts.rows + sum(counts.second_sources().values())
    database = {name: connection.settings_dict[key] for name, key in _PLACES.items()}

    def done() -> float:
        with Gunman.asking(database) as cursor:
            cursor.execute(f"SELECT coalesce(sum(read_count), 0) FROM {AggregationRun._meta.db_table}")
            return float(cursor.fetchone()[0]) / expected

    with Gunman(crew, count=kills, seed=seed, database=database, done=done, victims=victims, say=say) as gunman:
        outcome = take_in(plans, say=say, spent=spent)
    say(f"killed: {', '.join(gunman.killed)}")
    if len(gunman.killed) < kills:
        say(f"only {len(gunman.killed)} of {kills} kills found their moment")
    return outcome


_PLACES = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}


def _tell(outcome: Outcome, counts: Counts, seconds: float, say: Say) -> None:
    rows = sum(tally.read for tally in outcome.bases.values())
    say(f"{rows:,} rows taken in within {seconds:.0f} s: {rows / max(seconds, 1):,.0f} rows/s")
    for table, (count, size) in digests.sizes().items():
        say(f"{table}: {count:,} rows, {size / count:,.0f} bytes each with indexes")
    if counts != counts_of(1):
        whole_city = counts_of(1).rows
        say(f"at this rate the whole city takes {whole_city / max(rows, 1) * seconds / 60:,.0f} minutes")


def differing(one: Outcome, other: Outcome) -> list[str]:
    """Return the tables two runs left differently."""
    return sorted(name for name in one.digests.keys() | other.digests.keys() if one.digests.get(name) != other.digests.get(name))


def rate_of(outcome: Outcome) -> dict[str, Any]:
    """Return rows a second of each base, for a line of figures."""
    return {name: round(tally.rate) for name, tally in outcome.bases.items()}
