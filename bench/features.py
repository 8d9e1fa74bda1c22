"""The figures `features.page` and `tiles.z14`: a hundred parcels by box and one vector tile, through every check of a call.

The yardstick `postgis` is the same SELECT, run by pgbench with prepared statements on a connection for each core, at which it is
fastest: no call, no record. The platform is asked as in every figure.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from django.db import connection

from bench import frame, load
from bench.call_query import forget_counters
from bench.signing import signed

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
CORES: Final = os.cpu_count() or 2
PARCELS, ADDRESSES = 50_000, 100_000
WEST, SOUTH, STEP, ROW = 113.00, 27.70, 0.0012, 250  # a parcel every hundred metres or so, 250 in a row
BOX = 0.0131  # holds a hundred parcels and a few
ITEMS = ["parcel_code", "region_code", "seat", "land_use", "area", "registered_on", "parcel_state", "outline"]
TILE_ROWS, TILE_COLUMNS = (6_867, 6_878), (13_335, 13_347)  # tiles of zoom 14 that parcels fill
MARK: Final = re.compile("<<([a-z0-9_]+)>>")
FILL_PARCELS = f"""
INSERT INTO basedb_parcel (subject_key, parcel_code, region_code, seat, land_use, area, registered_on, parcel_state, outline,
    source_department_id, source_record_id, run_id, version)
SELECT decode(md5('parcel' || n), 'hex'), '430202001001GB' || lpad((n / 10)::text, 4, '0') || mod(n, 10), '430202001',
    '示意路' || n || '号', '0701', 1000 + mod(n, 9000), date '2020-01-01' + mod(n, 1000), '1',
    ST_Multi(ST_Segmentize(ST_MakeEnvelope({WEST} + mod(n, {ROW}) * {STEP}, {SOUTH} + n / {ROW} * {STEP},
        {WEST} + mod(n, {ROW}) * {STEP} + 0.001, {SOUTH} + n / {ROW} * {STEP} + 0.001, 4490), 0.0004)), %s, 1, 1, 1
FROM generate_series(0, {PARCELS - 1}) AS n"""
FILL_ADDRESSES = f"""
INSERT INTO basedb_address (subject_key, address_code, region_code, full_address, address_state, location,
    source_department_id, source_record_id, run_id, version)
SELECT decode(md5('address' || n), 'hex'), 'B' || lpad(n::text, 9, '0'), '430202001', '示意市示意区示意路' || n || '号', '1',
    ST_SetSRID(ST_MakePoint({WEST} + mod(n, 500) * {STEP} / 2, {SOUTH} + n / 500 * {STEP}), 4490), %s, 1, 1, 1
FROM generate_series(0, {ADDRESSES - 1}) AS n"""


def run() -> Iterable[dict[str, object]]:
    """Yield two lines."""
    key, secret, uid, sql = make_layer()
    with load.serving(load.APPLICATION) as port, tempfile.TemporaryDirectory() as folder:
        for name, paths in (("features.page", pages), ("tiles.z14", tiles)):
            script = Path(folder) / f"{name}.sql"
            script.write_text(sql[name])
            ask = partial(requests, paths, key, secret, uid)
            with contextlib.suppress(RuntimeError):  # caches, prepared statements; an empty Redis may tell the first to wait
                load.rate(port, list(ask(2_000)), seconds=1)
            guess = load.rate(port, list(ask(10_000)), seconds=1)
            rates = frame.in_turn({"platform": partial(rate, port, ask, guess), "postgis": partial(pgbench, script)})
            yield frame.figure(name, rates["platform"], "1/s", postgis=rates["platform"] / rates["postgis"])


def rate(port: int, ask: Callable[[int], Iterator[bytes]], guess: float) -> float:
    """Return answers a second; every request is signed afresh and sent once."""
    return load.rate(port, list(ask(int(3 * guess * SECONDS))), seconds=SECONDS)


def requests(paths: Callable[[str], str], key: str, secret: str, uid: str, count: int) -> Iterator[bytes]:
    """Yield signed requests, each of another place."""
    for _ in range(count):
        yield signed(key, secret, paths(uid), b"", "GET")


def pages(uid: str) -> str:
    """Return the path of a page of a hundred parcels."""
    west = WEST + random.random() * (ROW * STEP - BOX)
    south = SOUTH + random.random() * (PARCELS / ROW * STEP - BOX)
    box = f"{west:.5f},{south:.5f},{west + BOX:.5f},{south + BOX:.5f}"
    return f"/openapi/v1/ogc/collections/{uid}/items?{urlencode({'bbox': box, 'limit': 100})}"


def tiles(uid: str) -> str:
    """Return the path of a tile."""
    row, column = random.randint(*TILE_ROWS), random.randint(*TILE_COLUMNS)
    return f"/openapi/v1/ogc/collections/{uid}/tiles/WebMercatorQuad/14/{row}/{column}"


def pgbench(script: Path) -> float:
    """Return transactions a second of a script."""
    database = connection.settings_dict
    clients = ["-c", str(CORES), "-j", str(CORES)]
    told = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", *clients, "-T", str(SECONDS), "-f", str(script), str(database["NAME"])],
        env=os.environ
        | {"PGHOST": str(database["HOST"]), "PGPORT": str(database["PORT"]), "PGUSER": str(database["USER"])}
        | {"PGPASSWORD": str(database["PASSWORD"]), "PGOPTIONS": "-c jit=off"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"tps = ([0-9.]+)", told)
    if found is None:
        raise RuntimeError(told)
    return float(found[1])


def make_layer() -> tuple[str, str, str, dict[str, str]]:
    """Fill the tables; return key, secret and grant of a layer, and the scripts of the yardstick."""
    from exchange.calls import registry
    from exchange.features import asking, statements
    from exchange.features.layers import layer_of
    from tests import factories
    from tests.features.scene import make_layer as published
    from tests.hotpath.partner import make_partner

    forget_counters()
    city = factories.make_city()
    with connection.cursor() as cursor:
        for fill in (FILL_PARCELS, FILL_ADDRESSES):
            cursor.execute(fill, [city.police.pk])
        cursor.execute("VACUUM ANALYZE basedb_parcel, basedb_address")
    layer = published(city.police, "geo.parcel", ITEMS)
    partner = make_partner(city.education)
    quota = {"quota_per_day": 1_000_000_000, "quota_per_second": 1_000_000}
    grant = factories.make_grant(
        layer, partner.system, city.people["education_operator"], mode="FEATURES", fields=ITEMS, masks={}, **quota
    )
    terms = registry.grants.get(str(grant.uid))
    shown = layer_of(terms.selection) if terms and terms.selection else None
    if shown is None:
        raise LookupError(grant.uid)
    page = statements.page_sql(shown, asking.Asked(bbox="given"))
    scripts = {"features.page": page_script(page), "tiles.z14": tile_script(statements.tile_sql(shown, 14))}
    return partner.key, partner.secret, str(grant.uid), scripts


def page_script(sql: str) -> str:
    """Return the platform's SELECT of a page with a box pgbench chooses."""
    west, south = f"{WEST} + :x / 100000.0", f"{SOUTH} + :y / 100000.0"
    box = f"(SELECT ST_MakeEnvelope({west}, {south}, {west} + {BOX}, {south} + {BOX}, 4490))"  # made once, not for every row
    known = {"limit": "100", "links": "''", "next": "''", "region_prefix": "''"}
    sql = sql.replace("<<bbox>>", box).replace("HH24:MI:SS", "HH24.MI.SS")  # a colon begins its variables
    told = MARK.sub(lambda mark: known[mark[1]], sql)
    most = int((ROW * STEP - BOX) * 100_000), int((PARCELS / ROW * STEP - BOX) * 100_000)
    return f"\\set x random(0, {most[0]})\n\\set y random(0, {most[1]})\n{_one_line(told)};\n"


def tile_script(sql: str) -> str:
    """Return the platform's SELECT of a tile with a place pgbench chooses."""
    known = {"z": "14", "x": ":x", "y": ":y", "layer": "'features'", "region_prefix": "''"}
    told = _one_line(MARK.sub(lambda mark: known[mark[1]], sql))
    return f"\\set x random({TILE_COLUMNS[0]}, {TILE_COLUMNS[1]})\n\\set y random({TILE_ROWS[0]}, {TILE_ROWS[1]})\n{told};\n"


def _one_line(sql: str) -> str:
    return " ".join(sql.split())
