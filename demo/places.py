"""Places of the demo city (空间地理): lots with their parcel, building, unit and address, zones, named places and grids.

Divisions and roads are real; every coordinate is made up: each district is a band beside the next, its outline jittered and loaded
as fictive. The same seed gives the same city. A few rows carry the faults offices really deliver.
"""

from __future__ import annotations

import io
import json
import math
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg2
from django.utils import timezone, translation

from basedb.dictionary import DATASETS
from basedb.geography import boundaries, figures
from basedb.identifiers import citizen_id_valid
from basedb.models import BoundaryLoad
from core.audit import PLATFORM
from core.divisions import divisions
from core.models import Department
from demo import city
from demo.addresses import CITY_NAME, DISTRICTS, Street, streets
from demo.people import PersonRow
from exchange.aggregation import plans
from exchange.models import AggregationPlan, ConnectorKind

SEED = 20260101
LOTS = 2_400
# South-west corner, width of a district's band, height, and the lattice its lots stand on, in degrees.
WEST, SOUTH, BAND, HEIGHT, CELL, SIDE = 118.4, 31.598, 0.14, 0.408, 0.002, 0.0018
LAND, HOUSING, CIVIL = "市规划和自然资源局", "市住房保障和房产局", "市民政局"
OWNERS = {
    "geo.division": CIVIL,
    "geo.address": city.POLICE,
    "geo.parcel": LAND,
    "geo.real_estate_unit": LAND,
    "geo.building": HOUSING,
    "geo.planning_zone": LAND,
    "geo.place": CIVIL,
    "geo.grid": CIVIL,
    "geo.ownership": LAND,
}
# 国函〔2013〕24号: two districts ended, two took them over.
CHANGES = (("320103", "320104", "白下区"), ("320107", "320106", "下关区"))
CHANGED_ON = "2013-02-20"

Row = dict[str, str | None]


@dataclass(frozen=True)
class Lot:
    """One lot: where it is and how it is called."""

    number: int
    street: Street
    road: str
    door: int
    west: float
    south: float


def lots(count: int = LOTS) -> list[Lot]:
    """Return the lots of the city, spread over its streets; no two share a cell."""
    rng = random.Random(SEED)
    known = streets()
    taken: set[tuple[int, int]] = set()
    found: list[Lot] = []
    while len(found) < count:
        street = known[len(found) % len(known)]
        band = DISTRICTS.index(street.district_code)
        column, row = band * 70 + rng.randrange(1, 69), rng.randrange(1, 200)
        if (column, row) in taken:
            continue
        taken.add((column, row))
        number = len(found) + 1
        road = street.roads[rng.randrange(len(street.roads))]
        found.append(Lot(number, street, road, number, WEST + column * CELL, SOUTH + row * CELL))
    return found


def rectangle(west: float, south: float, width: float, height: float | None = None) -> str:
    """Return a rectangle as WKT, counter-clockwise."""
    east, north = west + width, south + (height or width)
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return f"POLYGON(({','.join(f'{x:.6f} {y:.6f}' for x, y in ring)}))"


def area_of(south: float, width: float, height: float) -> float:
    """Return the area of a small rectangle of degrees in square metres."""
    middle = math.radians(south + height / 2)
    east = 111_412.84 * math.cos(middle) - 93.5 * math.cos(3 * middle)
    return width * east * height * (111_132.92 - 559.82 * math.cos(2 * middle))


def _lot_rows(one: Lot) -> Iterator[tuple[str, Row]]:
    street, region = one.street, one.street.code
    parcel = f"{street.district_code}{one.number % 900 + 1:03d}{one.number // 900 + 1:03d}GB{one.number:05d}"
    seat = f"{CITY_NAME}{street.district_name}{street.name}{one.road}{one.door}号"
    outline, middle = rectangle(one.west, one.south, SIDE), (one.west + SIDE / 2, one.south + SIDE / 2)
    point = f"POINT({middle[0]:.6f} {middle[1]:.6f})"
    area = area_of(one.south, SIDE, SIDE)
    if one.number % 300 == 7:
        outline = f"POLYGON(({one.west} {one.south},{one.west + SIDE} {one.south + SIDE},{one.west + SIDE} {one.south},"
        outline += f"{one.west} {one.south + SIDE},{one.west} {one.south}))"  # crosses itself
    if one.number % 300 == 11:
        point = f"POINT({middle[1]:.6f} {middle[0]:.6f})"  # latitude first
    yield (
        "geo.parcel",
        {
            "parcel_code": parcel, "region_code": region, "seat": seat, "land_right": "03", "right_nature": "102",
            "land_use": "0701" if one.number % 3 else "05", "area": f"{area * (1.4 if one.number % 300 == 13 else 1):.2f}",
            "registered_on": f"20{10 + one.number % 15}-0{one.number % 9 + 1}-15", "parcel_state": "1", "datum": "CGCS2000",
            "outline": outline,
        },
    )  # fmt: skip
    yield (
        "geo.address",
        {
            "address_code": f"{street.district_code}DZ{one.number:08d}", "region_code": region, "full_address": seat,
            "province": "江苏省", "city": "南京市", "county": street.district_name, "town": street.name, "road": one.road,
            "door": f"{one.door}号", "address_state": "1", "datum": "GCJ02" if one.number % 300 == 17 else "CGCS2000",
            "location": point,
        },
    )  # fmt: skip
    if one.number % 3:
        yield from _built_rows(one, parcel, seat, area)


def _built_rows(one: Lot, parcel: str, seat: str, area: float) -> Iterator[tuple[str, Row]]:
    street, region = one.street, one.street.code
    floors = one.number % 30 + 1
    building = f"{street.district_code}JZ{one.number:08d}"
    yield (
        "geo.building",
        {
            "building_code": building, "region_code": region, "name": f"{one.road}{one.door}号楼",
            "address_code": f"{street.district_code}DZ{one.number:08d}", "structure": "3", "floors_above": str(floors),
            "floors_below": "1", "height": f"{floors * 3.0:.1f}", "floor_area": f"{area * 0.3 * floors:.2f}",
            "completed_on": f"20{one.number % 15 + 10}-06-30", "datum": "CGCS2000",
            "outline": rectangle(one.west + SIDE / 4, one.south + SIDE / 4, SIDE / 2),
        },
    )  # fmt: skip
    yield (
        "geo.real_estate_unit",
        {
            "unit_code": f"{parcel}F00010001", "parcel_code": parcel, "region_code": region, "fixture_kind": "F", "seat": seat,
            "building_code": building, "floor_area": f"{80 + one.number % 60}.00", "unit_use": "0701",
            "registered_on": f"20{16 + one.number % 9}-09-01", "unit_state": "1",
        },
    )  # fmt: skip


def _ownership(one: Lot, units: Sequence[Row], person: PersonRow) -> Row:
    unit = units[one.number % len(units)]
    return {
        "holder_id": person.citizen_id, "holder_kind": "1", "holder_name": person.name,
        "certificate_number": f"苏(2020)宁不动产权第{one.number:07d}号", "unit_code": unit["unit_code"],
        "region_code": unit["region_code"], "estate_right": "04", "share_kind": "0", "registered_on": "2020-10-01",
        "right_state": "1",
    }  # fmt: skip


def _district_rows(place: int, code: str, name: str) -> Iterator[tuple[str, Row]]:
    west = WEST + place * BAND
    for number, (kind, title) in enumerate((("01", "永久基本农田"), ("02", "生态保护红线"), ("03", "城镇开发边界"))):
        south = SOUTH + 0.02 + number * 0.13
        yield (
            "geo.planning_zone",
            {
                "zone_code": f"{code}GK{number + 1:02d}", "region_code": code, "zone_kind": kind, "name": f"{name}{title}（示意）",
                "area": f"{area_of(south, 0.1, 0.1):.2f}", "approval": "演示数据", "valid_from": "2023-01-01",
                "datum": "CGCS2000", "outline": rectangle(west + 0.02, south, 0.1),
            },
        )  # fmt: skip
    for number in range(12):
        column, row = number % 3, number // 3
        cell = (west + 0.004 + column * 0.044, SOUTH + 0.004 + row * 0.1)
        yield (
            "geo.grid",
            {
                "grid_code": f"{code}WG{number + 1:04d}", "region_code": code, "name": f"{name}第{number + 1}网格",
                "grid_kind": "1", "households": str(300 + number * 17), "valid_from": "2022-01-01", "datum": "CGCS2000",
                "outline": rectangle(*cell, 0.044, 0.1),
            },
        )  # fmt: skip
        yield (
            "geo.place",
            {
                "place_code": f"{code}DM{number + 1:04d}", "region_code": code, "name": f"{name}第{number + 1}公园",
                "place_kind": "27", "named_on": "2015-05-01", "datum": "WGS84" if number == 5 else "CGCS2000",
                "location": f"POINT({cell[0] + 0.02:.6f} {cell[1] + 0.05:.6f})",
            },
        )  # fmt: skip
    taken = next((old for old, new, _name in CHANGES if new == code), None)
    yield (
        "geo.division",
        {
            "division_code": code, "division_level": "COUNTY", "valid_from": CHANGED_ON if taken else "1955-01-01",
            "predecessors": f"{taken}、{code}" if taken else None, "basis": "国函〔2013〕24号" if taken else None,
        },
    )  # fmt: skip
    if taken:
        ended = {"division_level": "COUNTY", "valid_from": "1955-01-01", "valid_to": CHANGED_ON, "successors": code}
        yield "geo.division", {"division_code": taken, "basis": "国函〔2013〕24号", **ended}
        yield "geo.division", {"division_code": code, "basis": None, **ended}


def make_rows(people: Sequence[PersonRow], count: int = LOTS) -> dict[str, list[Row]]:
    """Return all rows by dataset."""
    found: dict[str, list[Row]] = {code: [] for code in OWNERS}
    city_lots = lots(count)
    for one in city_lots:
        for dataset, row in _lot_rows(one):
            found[dataset].append(row)
    names = {row.code: row.name for code in DISTRICTS for row in divisions(code) if row.code == code}
    for place, code in enumerate(DISTRICTS):
        for dataset, row in _district_rows(place, code, names[code]):
            found[dataset].append(row)
    owners = zip(city_lots[::3], (one for one in people if citizen_id_valid(one.citizen_id or "")), strict=False)
    found["geo.ownership"] = [_ownership(one, found["geo.real_estate_unit"], person) for one, person in owners]
    return found


def outlines() -> bytes:
    """Return the made-up outlines of the city and its districts as GeoJSON; neighbors share their jittered border."""

    def border(place: int) -> list[list[float]]:
        rng = random.Random(f"{SEED}.{place}")
        middle = [[WEST + place * BAND + rng.uniform(-0.0008, 0.0008), SOUTH + HEIGHT * step / 8] for step in range(1, 8)]
        return [[WEST + place * BAND, SOUTH], *middle, [WEST + place * BAND, SOUTH + HEIGHT]]

    def feature(code: str, first: int, last: int) -> dict[str, object]:
        ring = [*border(last), *reversed(border(first))]
        corner = [[round(x, 6), round(y, 6)] for x, y in [*ring, ring[0]]]
        return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [corner]}}

    features = [feature(code, place, place + 1) for place, code in enumerate(DISTRICTS)]
    features.append(feature("320100", 0, len(DISTRICTS)))
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def table_of(dataset: str) -> str:
    """Return the name of the office's table."""
    return "place_" + dataset.partition(".")[2]


def fill_tables(people: Sequence[PersonRow]) -> int:
    """Create and fill the offices' tables that are missing; return how many rows they got."""
    reader = urlsplit(os.environ["DEMO_SOURCE_URL"]).username or ""
    written = 0
    with closing(psycopg2.connect(os.environ["DEMO_SOURCE_OWNER_URL"])) as source, source, source.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [table_of("geo.grid")])
        if cursor.fetchone() != (None,):
            return 0
        for dataset, rows in make_rows(people).items():
            table, names = table_of(dataset), sorted({name for row in rows for name in row})
            columns = ", ".join(f"{name} text" for name in names)
            cursor.execute(f"CREATE TABLE {table} (row_id bigint PRIMARY KEY, {columns}, updated_at timestamptz NOT NULL)")
            cursor.copy_expert(f"COPY {table} (row_id, {', '.join(names)}, updated_at) FROM STDIN", _lines(rows, names))
            cursor.execute(f"GRANT SELECT ON {table} TO {reader}")
            written += len(rows)
    return written


def _lines(rows: Sequence[Row], names: Sequence[str]) -> io.StringIO:
    start = datetime.now(tz=UTC) - timedelta(days=1)
    lines = (
        "\t".join([str(number), *(row.get(name) or "\\N" for name in names), (start + timedelta(seconds=number)).isoformat()])
        for number, row in enumerate(rows, start=1)
    )
    return io.StringIO("\n".join(lines) + "\n")


def make_plans(departments: dict[str, Department], people: Sequence[PersonRow]) -> int:
    """Lay the plans down, parcels before what stands on them; return how many are new."""
    source, made, rows = urlsplit(os.environ["DEMO_SOURCE_URL"]), 0, make_rows(people)
    for dataset, owner in OWNERS.items():
        if AggregationPlan.objects.filter(dataset=dataset).exists():
            continue
        with translation.override(None):
            title = f"{DATASETS[dataset].title}归集"
        names = sorted({name for row in rows[dataset] for name in row})
        plans.create_plan(
            title=title,
            department=departments[owner],
            dataset=dataset,
            connector=ConnectorKind.POSTGRESQL,
            settings={
                "host": source.hostname, "port": source.port, "database": source.path.lstrip("/"), "user": source.username,
                "table": table_of(dataset),
            },
            columns={name: name for name in names},
            key_column="row_id",
            cursor_column="updated_at",
            every_minutes=30,
            password=source.password or "",
            actor=PLATFORM,
            now=timezone.now(),
        )  # fmt: skip
        made += 1
    return made


def load_outlines() -> int:
    """Load the made-up outlines once; return how many there are."""
    if not BoundaryLoad.objects.exists():
        boundaries.load(
            content=outlines(),
            file_name="fictive.geojson",
            source="演示用虚构界线，不代表真实行政区划",
            approval_number="虚构",
            is_fictive=True,
            is_operator=True,
            actor=PLATFORM,
            now=timezone.now(),
        )
    return BoundaryLoad.objects.count()


def count() -> int:
    """Count the divisions once everything is in."""
    return figures.recount(now=timezone.now())
