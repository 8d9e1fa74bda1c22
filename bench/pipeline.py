"""What the figures of the pipeline share: sources like a city's, plans, real workers, and the COPY that fills the same tables.

The yardstick `copy` puts the very rows a run left back into the very tables, equally indexed, out of files prepared beforehand. The
sizes are chosen with BENCH_ROWS (the larger one, the smaller is a tenth) and BENCH_ROUNDS.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import frame

ROWS = int(os.environ.get("BENCH_ROWS") or 200_000)
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 3)
SMALLER = 10
SCHEMA = "bench_city"
COMMON = ("basedb_sourcerecord", "basedb_crosswalk", "basedb_fusionconflict", "exchange_rejectedrow", "exchange_aggregationbatch")
FORGOTTEN = ("exchange_dropfile",)


@dataclass(frozen=True)
class Source:
    """A delivery of the city with the tables (or folders) that hold the larger and the smaller number of its rows."""

    delivery: Any
    rows: int
    smaller: int
    smaller_place: str

    @property
    def table(self) -> str:
        """The base table its rows end in."""
        from basedb.dictionary import DATASETS

        return DATASETS[self.delivery.dataset].table


def making(**counts: int) -> Any:
    """Return the making of the few people, entities and addresses a measurement needs, in a schema of its own."""
    from demo.city_scale.counts import BLOCK, Counts
    from demo.city_scale.making import check_disk, from_environment

    wanted = {"people": 24_000, "entities": 8_000, "licenses": 0, "credit_records": 0, "addresses": 4_000, "parcels": BLOCK}
    folder = Path(os.environ["DROP_DIR"])
    made = from_environment(Counts(**(wanted | counts)), folder, schema=SCHEMA, say=frame.say)
    check_disk(folder, made.counts, bytes_per_row=4_000)
    return made


def begin(made: Any) -> None:
    """Make the schema with its word lists, addresses, people and entities."""
    from demo.city_scale import entities, people, places, second
    from demo.city_scale import making as city
    from demo.city_scale.drawing import prepare

    with closing(made.connect()) as connection, connection.cursor() as cursor:
        prepare(cursor, made.schema, made.seed)
    made.run(people.TABLES, places.TABLES, entities.TABLES, second.TABLES)
    city.make_places(made)
    city.make_people(made)
    city.make_entities(made)


def finish(made: Any, table: str, smaller: int) -> str:
    """Let the reader in, and return a view of the first rows of a table."""
    view = f"{table}_fewer"
    made.run(
        f"CREATE VIEW {{schema}}.{view} AS SELECT * FROM {{schema}}.{table} WHERE row_id <= {smaller}",
        f"GRANT USAGE ON SCHEMA {{schema}} TO {made.reader}; GRANT SELECT ON ALL TABLES IN SCHEMA {{schema}} TO {made.reader}",
    )
    return view


def departments() -> dict[str, Any]:
    """Return the departments that deliver, made if need be."""
    from basedb.identifiers import generate_uscc
    from core.models import Department, Region
    from demo.city_scale.plans import DEPARTMENTS

    region, _made = Region.objects.get_or_create(code="3201", defaults={"name": "南京市", "level": "CITY"})
    for number, name in enumerate(sorted(set(DEPARTMENTS.values())), start=1):
        code = generate_uscc(number, region="320100", kind="11")
        Department.objects.get_or_create(name=name, region=region, defaults={"code": code, "short_name": name[1:]})
    return {department.name: department for department in Department.objects.all()}


class Course:
    """One delivery's way from its source into the base, as often as wanted."""

    def __init__(self, source: Source, crew: Any) -> None:
        from demo.city_scale.plans import lay_down

        self.source, self.crew = source, crew
        self.plan = lay_down(source.delivery, departments(), schema=SCHEMA)
        self.tables = [source.table, *COMMON]
        self.folder = Path(os.environ["RUN_DIR"]) / "bench-copies"

    @property
    def _key(self) -> str:
        return "folder" if self.source.delivery.folder else "table"

    def point_at(self, place: str) -> None:
        """Let the plan read another table or folder."""
        place = place if self._key == "folder" else f"{SCHEMA}.{place}"
        self.plan.settings = self.plan.settings | {self._key: place}
        self.plan.save(update_fields=["settings"])

    def empty(self) -> None:
        """Empty the tables a run fills, and let the plan begin at the beginning."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join([*self.tables, *FORGOTTEN])} CASCADE")
        self.restart()

    def restart(self) -> None:
        """Let the plan begin at the beginning, over what it brought before."""
        type(self.plan).objects.filter(pk=self.plan.pk).update(checkpoint={})

    def run(self) -> tuple[int, float]:
        """Run the plan by the workers, a folder file by file; return rows read and seconds under way."""
        from demo.city_scale.run import take_in

        before = self._last_run()
        take_in({self.source.delivery: self.plan}, say=lambda _text: None, with_digests=False)
        runs = self.plan.runs.filter(pk__gt=before).order_by("pk")
        seconds = sum((run.finished_at - run.started_at).total_seconds() for run in runs)
        return sum(run.read_count for run in runs), seconds

    def _last_run(self) -> int:
        last = self.plan.runs.order_by("-pk").values_list("pk", flat=True).first()
        return int(last or 0)

    def rate(self) -> float:
        """Empty, run and return rows a second."""
        self.empty()
        rows, seconds = self.run()
        return rows / seconds

    def prepare_copy(self) -> None:
        """Write what the last run left in each table to files, as COPY wants it."""
        from django.db import connection

        self.folder.mkdir(parents=True, exist_ok=True)
        with connection.cursor() as cursor:
            for table in self.tables:
                with (self.folder / table).open("wb") as file:
                    cursor.copy_expert(f"COPY {table} TO STDOUT", file)

    def copy_rate(self) -> float:
        """Empty the tables and fill them from the files; return rows of the source a second."""
        from django.db import connection, transaction

        self.empty()
        started = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            for table in self.tables:
                with (self.folder / table).open("rb") as file:
                    cursor.copy_expert(f"COPY {table} FROM STDIN", file, 256 * 1024)
        return self.source.rows / (time.perf_counter() - started)

    def clear(self) -> None:
        """Remove the files."""
        for path in self.folder.glob("*"):
            path.unlink()


@contextmanager
def crew() -> Iterator[Any]:
    """Keep two workers on the database of the measurements."""
    from bench.city.crew import working

    with working(frame.environment("worker"), log=Path(os.environ["RUN_DIR"]) / "log" / "bench-crew.log") as held:
        yield held


def measure(name: str, source: Source) -> Iterable[dict[str, object]]:
    """Yield the figure of one base: ratio to `copy`, rates and peaks at two sizes."""
    with crew() as held:
        course = Course(source, held)
        course.point_at(source.smaller_place)
        rates, peaks = {}, {}
        rates[source.smaller] = course.rate()
        peaks[source.smaller] = held.peak_kb / 1024
        course.point_at(source.delivery.folder or source.delivery.table)
        rates[source.rows] = course.rate()
        peaks[source.rows] = held.peak_kb / 1024
        course.prepare_copy()
        medians = frame.in_turn({"run": course.rate, "copy": course.copy_rate}, rounds=ROUNDS)
        course.clear()
    line = frame.figure(name, medians["run"], "rows/s", copy=medians["run"] / medians["copy"])
    line["rates"] = {str(rows): round(rate) for rows, rate in rates.items()}
    line["at_ten_times"] = float(f"{rates[source.rows] / rates[source.smaller]:.3g}")
    line["peak_mb"] = {str(rows): round(peak, 1) for rows, peak in peaks.items()}
    yield line


def delivery_of(dataset: str, counts: Any, *, table: str = "") -> Any:
    """Return the leading delivery of a dataset, that of a table when several lead."""
    from demo.city_scale.plans import deliveries

    for delivery in deliveries(counts):
        if delivery.dataset == dataset and delivery.is_lead and (not table or delivery.table == table):
            return delivery
    raise LookupError(dataset)


def source_of(name: str) -> Source:
    """Make the source of a figure and return it."""
    return _MAKERS[name](ROWS, ROWS // SMALLER)


def _population(rows: int, smaller: int) -> Source:
    made = making(people=rows)
    begin(made)
    delivery = delivery_of("population.person", made.counts)
    return Source(delivery, rows + rows // 200, smaller, finish(made, delivery.table, smaller))


def _legal_entity(rows: int, smaller: int) -> Source:
    from demo.city_scale import entities, files

    made = making(entities=rows)
    begin(made)
    delivery = delivery_of("legal_entity.enterprise", made.counts)
    query = entities.FILE.replace("{header}", files.header(delivery.dataset, entities.COLUMNS))
    for folder, count in ((delivery.folder, rows), (f"{delivery.folder}_fewer", smaller)):
        files.write_series(made, query, 0, count - 1, folder=folder, name="legal_entities")
    return Source(delivery, rows, smaller, f"{delivery.folder}_fewer")


def _credit(rows: int, smaller: int) -> Source:
    from demo.city_scale import credit
    from demo.city_scale.making import parts

    made = making()
    begin(made)
    kind = credit.CreditKind("permit", 0, rows)
    made.run(credit.tables(kind))
    made.spread("credit", parts(credit.statement(kind), rows))
    _index(made, kind.table)
    return Source(delivery_of("credit.permit", made.counts), rows, smaller, finish(made, kind.table, smaller))


def _license(rows: int, smaller: int) -> Source:
    from dataclasses import replace

    from demo.city_scale import licenses
    from demo.city_scale.counts import counts_of
    from demo.city_scale.making import parts

    made = making()
    begin(made)
    made.run(licenses.TABLES)
    kind = replace(next(licenses.kinds(counts_of(1))), count=rows)
    made.spread("licenses", parts(licenses.statement(kind), rows))
    _index(made, kind.table)
    delivery = delivery_of("license.license", made.counts, table=kind.table)
    return Source(delivery, rows, smaller, finish(made, kind.table, smaller))


def _index(made: Any, table: str) -> None:
    made.run(
        f"ALTER TABLE {{schema}}.{table} ADD PRIMARY KEY (row_id); CREATE INDEX ON {{schema}}.{table} (updated_at, row_id);"
        f"ANALYZE {{schema}}.{table}"
    )


_MAKERS: Mapping[str, Any] = {
    "pipeline.population": _population,
    "pipeline.legal_entity": _legal_entity,
    "pipeline.credit": _credit,
    "pipeline.license": _license,
}
