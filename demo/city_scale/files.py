"""The files departments drop on the exchange node (前置机文件): CSV in two encodings in turn, JSON lines, GeoJSON.

PostgreSQL writes them by COPY, in the order of numbers, CSV under the Chinese titles of the contract; a file appears under its
name when it is complete.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import translation

from basedb.dictionary import DATASETS
from demo.city_scale import credit, entities, licenses, places
from demo.city_scale.counts import Counts

if TYPE_CHECKING:
    from demo.city_scale.making import Making

ENTITY_FOLDER = "city_legal_entities"
LICENSE_FOLDER = "city_licenses"
CREDIT_FOLDER = "city_credit"
ADDRESS_FOLDER = "city_addresses"
FOLDERS = (ENTITY_FOLDER, LICENSE_FOLDER, CREDIT_FOLDER, ADDRESS_FOLDER)
ROWS_PER_FILE = 100_000
# A line as it is: what it is quoted with stands in no text.
AS_IT_IS = "FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02', ENCODING 'UTF8'"


@dataclass(frozen=True)
class Form:
    """A format: its suffix, how COPY writes it, in which encodings, what stands before and after the rows."""

    suffix: str
    copy: str
    encodings: tuple[str, ...] = ("UTF8",)
    head: str = ""
    foot: str = ""


CSV = Form("csv", "FORMAT csv, HEADER, ENCODING '{encoding}'", entities.ENCODINGS)
JSON_LINES = Form("jsonl", AS_IT_IS)
GEOJSON = Form("geojson", AS_IT_IS, head='{"type": "FeatureCollection", "features": [\n', foot="]}\n")


@dataclass(frozen=True)
class DropFile:
    """One file: where, in which format and encoding of PostgreSQL, and the query over a range that fills it."""

    folder: str
    name: str
    form: Form
    encoding: str
    query: str
    first: int
    last: int


def titles(dataset: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Return column -> Chinese title of the contract."""
    with translation.override(None):
        return {name: str(DATASETS[dataset].field(name).title) for name in columns}


def header(dataset: str, columns: tuple[str, ...]) -> str:
    """Return the select list that names the columns by their titles."""
    return ", ".join(f'f.{name} AS "{title}"' for name, title in titles(dataset, columns).items())


def planned(counts: Counts) -> Iterator[DropFile]:
    """Yield the files of a city of that size."""
    entity_query = entities.FILE.replace("{header}", header("legal_entity.enterprise", entities.COLUMNS))
    yield from _series(ENTITY_FOLDER, "legal_entities", entity_query, 0, counts.entities - 1)
    yield from _series(ADDRESS_FOLDER, "addresses", places.ADDRESS_FEATURE, 1, counts.addresses, form=GEOJSON)
    for kind in credit.kinds(counts):
        if kind.name in credit.IN_FILES:
            first, last = kind.first + 1, kind.first + kind.count
            yield from _series(CREDIT_FOLDER, kind.table, credit.json_lines(kind), first, last, form=JSON_LINES)
    if "license.license" not in DATASETS:
        return
    own = [kind for kind in licenses.kinds(counts) if kind.department == licenses.IN_FILES]
    query = licenses.FILE.replace("{header}", header("license.license", licenses.COLUMNS))
    yield from _series(LICENSE_FOLDER, "licenses", query, own[0].first + 1, own[-1].first + own[-1].count)


def _series(folder: str, name: str, query: str, first: int, last: int, *, form: Form = CSV) -> Iterator[DropFile]:
    """Cut a range into files of at most so many rows, never fewer than two, so that both encodings appear."""
    size = min(ROWS_PER_FILE, -(-(last - first + 1) // 2))
    for number, low in enumerate(range(first, last + 1, size)):
        encoding = form.encodings[number % len(form.encodings)]
        yield DropFile(folder, f"{name}_{number + 1:03d}.{form.suffix}", form, encoding, query, low, min(low + size - 1, last))


def write_series(making: Making, query: str, first: int, last: int, *, folder: str, name: str) -> None:
    """Write a range as files of one folder, both encodings among them."""
    for file in _series(folder, name, query, first, last):
        _write(making, file)


def write(making: Making) -> None:
    """Write every file of the city into its folder on the exchange node."""
    for file in planned(making.counts):
        _write(making, file)
    making.say("files: " + ", ".join(f"{path.parent.name}/{path.name}" for path in sorted(making.folder.glob("city_*/*"))))


def _write(making: Making, file: DropFile) -> None:
    path = making.folder / file.folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    query = file.query.format(first=file.first, last=file.last, **making.names())
    part = path.with_name(f".{path.name}.part")
    with closing(making.connect()) as connection, connection.cursor() as cursor, part.open("wb") as target:
        target.write(file.form.head.encode())
        cursor.copy_expert(f"COPY ({query}) TO STDOUT ({file.form.copy.format(encoding=file.encoding)})", target)
        target.write(file.form.foot.encode())
    os.replace(part, path)
