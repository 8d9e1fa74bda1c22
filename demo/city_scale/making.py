"""Making the city's sources (造数): tables in the departments' database and files on the exchange node, in parallel, by ranges.

What is made depends on seed and share alone. The truth the sources were drawn from (`person`, `entity`, `address`) is dropped when
all of them stand. Nothing here belongs to the platform: it plays the departments.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg2

from demo.city_scale import credit, entities, files, licenses, people, places, second
from demo.city_scale.counts import DUPLICATE_EVERY, Counts
from demo.city_scale.drawing import prepare, street_count

CHUNK = 100_000
WORKERS = 2
# Bytes a row takes at the source while it is made, measured with indexes and the write-ahead log kept meanwhile.
BYTES_PER_ROW = 650
# ... and all in all: at its source, in its base, in its record and crosswalk, and the log meanwhile.
BYTES_TAKEN_IN_PER_ROW = 3_600
TRUTH = ("person", "entity", "address", "pattern", "line", "district", "street", "surname", "ethnicity")
Say = Callable[[str], None]


class TooSmall(RuntimeError):
    """The disk cannot hold what is wanted."""


class Part(NamedTuple):
    """A statement over a range of numbers."""

    statement: str
    first: int
    last: int


def parts(statement: str, count: int, *, start: int = 0, size: int = CHUNK) -> Iterator[Part]:
    """Cut `count` numbers from `start` into parts of one statement."""
    for low in range(start, start + count, size):
        yield Part(statement, low, min(low + size, start + count) - 1)


@dataclass
class Making:
    """A city on its way: where it is made, how large, of which seed."""

    owner_url: str
    folder: Path
    counts: Counts
    seed: int = 1
    schema: str = "city"
    workers: int = WORKERS
    say: Say = lambda _text: None
    reader: str = ""
    _local: threading.local = field(default_factory=threading.local)

    def names(self) -> dict[str, Any]:
        """What the statements name beside the range."""
        counts = self.counts
        return {
            "schema": self.schema,
            "people": counts.people,
            "entities": counts.entities,
            "addresses": counts.addresses,
            "streets": street_count(),
            "districts": 11,
        }

    def connect(self) -> Any:
        """Open a connection to the departments' database."""
        connection = psycopg2.connect(self.owner_url, options="-c synchronous_commit=off -c work_mem=64MB")
        connection.autocommit = True
        return connection

    def run(self, *scripts: str) -> None:
        """Carry out scripts one after another."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for script in scripts:
                cursor.execute(script.format(**self.names()))

    def spread(self, what: str, work: Iterable[Part]) -> None:
        """Carry out parts on all workers, each with a connection of its own; the first error is raised."""
        started, work = time.monotonic(), list(work)
        links: list[Any] = []

        def link() -> None:
            self._local.link = self.connect()
            links.append(self._local.link)

        def carry(part: Part) -> None:
            with self._local.link.cursor() as cursor:
                cursor.execute(part.statement.format(first=part.first, last=part.last, **self.names()))

        try:
            with ThreadPoolExecutor(self.workers, initializer=link) as pool:
                for done in [pool.submit(carry, part) for part in work]:
                    done.result()
        finally:
            for open_link in links:
                open_link.close()
        rows, seconds = sum(part.last - part.first + 1 for part in work), time.monotonic() - started
        self.say(f"{what}: {rows:,} in {seconds:.1f} s ({rows / max(seconds, 0.001):,.0f} rows/s)")


def check_disk(folder: Path, counts: Counts, *, bytes_per_row: int = BYTES_PER_ROW) -> None:
    """Refuse before anything is made what will not fit on the disk."""
    needed, free = counts.rows * bytes_per_row, shutil.disk_usage(_existing(folder)).free
    if needed > free:
        gigabytes = f"{needed / 2**30:.0f} GB needed, {free / 2**30:.0f} GB free"
        raise TooSmall(f"The disk under {folder} is too small for {counts.rows:,} rows: {gigabytes}. Choose a smaller CITY_SHARE.")


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def make(making: Making) -> float:
    """Make every source of the city anew; return the seconds it took."""
    started = time.monotonic()
    with closing(making.connect()) as connection, connection.cursor() as cursor:
        prepare(cursor, making.schema, making.seed)
    making.run(people.TABLES, places.TABLES, entities.TABLES, second.TABLES, licenses.TABLES)
    making.run(*(credit.tables(kind) for kind in credit.kinds(making.counts)))
    make_places(making)
    make_people(making)
    make_entities(making)
    make_licenses(making)
    make_credit(making)
    files.write(making)
    making.run(*(f"DROP TABLE {{schema}}.{table}" for table in TRUTH))
    if making.reader:
        making.run(f"GRANT USAGE ON SCHEMA {{schema}} TO {making.reader}")
        making.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {{schema}} TO {making.reader}")
    return time.monotonic() - started


def stands(making: Making) -> bool:
    """Whether sources of a city of just this size were made to their end: the last step drops the truth they were drawn from."""
    counts = making.counts
    wanted = {
        "public_security_resident": counts.people + counts.people // DUPLICATE_EVERY,
        "tax_taxpayer": counts.second_sources()["taxpayers"],
        "natural_resources_parcel": counts.parcels,
        "credit_permit": counts.credit()["permit"],
    }
    with closing(making.connect()) as connection, connection.cursor() as cursor:

        def is_there(table: str) -> bool:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{making.schema}.{table}"])
            return bool(cursor.fetchone()[0])

        def count(table: str) -> int:
            cursor.execute(f"SELECT count(*) FROM {making.schema}.{table}")
            return int(cursor.fetchone()[0])

        return not is_there("person") and all(is_there(table) and count(table) == rows for table, rows in wanted.items())


def clear(making: Making) -> None:
    """Remove every source of the city, its tables and its files."""
    making.run("DROP SCHEMA IF EXISTS {schema} CASCADE")
    for folder in files.FOLDERS:
        shutil.rmtree(making.folder / folder, ignore_errors=True)


def make_places(making: Making) -> None:
    """Addresses and parcels."""
    counts = making.counts
    making.spread("places", parts(places.ADDRESS, counts.addresses))
    making.run("CREATE UNIQUE INDEX ON {schema}.address (n); ANALYZE {schema}.address")
    making.spread("addresses", parts(places.STANDARD, counts.addresses))
    making.spread("parcels", parts(places.PARCEL, counts.parcels))
    making.run(places.INDEXES)


def make_people(making: Making) -> None:
    """People as they are, as the police have them, and as others do."""
    count = making.counts.people
    making.spread("people as they are", parts(people.PERSON, count))
    making.run("CREATE UNIQUE INDEX ON {schema}.person (n); ANALYZE {schema}.person")
    making.spread("residents", parts(people.RESIDENT, count))
    second_ones = (people.DUPLICATES, second.MARRIAGE, second.DEATH, second.INSURED)
    making.spread("other departments' people", [part for statement in second_ones for part in parts(statement, count)])
    making.run(people.INDEXES)


def make_entities(making: Making) -> None:
    """Entities as they are, and the taxpayers among them."""
    count = making.counts.entities
    making.spread("entities as they are", parts(entities.ENTITY, count))
    making.run("CREATE UNIQUE INDEX ON {schema}.entity (n); ANALYZE {schema}.entity")
    making.spread("taxpayers", parts(second.TAXPAYER, count))
    making.run(second.INDEXES)


def make_licenses(making: Making) -> None:
    """Licenses of every type."""
    kinds = licenses.kinds(making.counts)
    making.spread("licenses", [part for kind in kinds for part in parts(licenses.statement(kind), kind.count, start=kind.first)])
    making.run(licenses.INDEXES)


def make_credit(making: Making) -> None:
    """Credit records of every kind."""
    for kind in credit.kinds(making.counts):
        making.spread(f"credit {kind.name}", parts(credit.statement(kind), kind.count, start=kind.first))
        making.run(f"ALTER TABLE {{schema}}.{kind.table} ADD PRIMARY KEY (row_id); ANALYZE {{schema}}.{kind.table}")


def digests(making: Making) -> dict[str, tuple[int, str]]:
    """Return number of rows and digest of each table, whatever the order of its rows."""
    found = {}
    with closing(making.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY 1", [making.schema]
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {making.schema}.{table} t"
            )
            rows, total = cursor.fetchone()
            found[table] = (rows, f"{int(total) % 2**128:032x}")
    return found


def from_environment(counts: Counts, folder: Path, *, schema: str = "city", seed: int = 1, say: Say = print) -> Making:
    """Return the making of a city in the departments' database the environment names."""
    reader = urlsplit(os.environ["DEMO_SOURCE_URL"]).username or ""
    return Making(os.environ["DEMO_SOURCE_OWNER_URL"], folder, counts, seed=seed, schema=schema, say=say, reader=reader)
