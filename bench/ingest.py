"""`ingest.population`: a whole run of 200,000 rows out of a department's database, against the COPY that fills the same tables.

The run validates, keeps rejects, writes provenance and merges; one row in fifty is broken. The yardstick `copy` fills person,
source record, rejected row and batch with the very rows the run left there, equally indexed, out of bytes prepared beforehand.
Peak memory is taken in processes of their own, as role worker, at 50,000 and 200,000 rows.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import frame

ROWS = 200_000
FEWER = 50_000
BROKEN_EVERY = 50
SOURCE = "bench_population"
FILLED = ("basedb_sourcerecord", "basedb_person", "exchange_rejectedrow", "exchange_aggregationbatch")
COLUMNS = (
    "citizen_id", "name", "former_name", "sex", "ethnicity", "birth_on", "person_status", "region_code", "address",
    "household_head", "household_relation", "marital_status", "phone",
)  # fmt: skip


def run() -> Iterable[dict[str, object]]:
    """Yield the figure and the two peaks of memory."""
    frame.say(f"Filling the source with {ROWS:,} rows ...")
    _fill_source()
    plan = _plan()
    for rows in (FEWER, ROWS):
        _empty(plan)
        peak = _peak_memory(rows)
        yield frame.figure(f"ingest.memory.{rows}", peak, "MB")
    prepared = _prepared()
    medians = frame.in_turn({"run": lambda: _time_run(plan), "copy": lambda: _time_copy(plan, prepared)})
    yield frame.figure("ingest.population", medians["run"], "rows/s", copy=medians["run"] / medians["copy"])
    _drop_source()


def _source_rows() -> Iterator[list[str]]:
    from basedb.identifiers import generate_citizen_id

    for n in range(ROWS):
        born = date(1945, 1, 1) + timedelta(days=n % 28_000)
        name = "" if n % BROKEN_EVERY == 0 else f"张{n:06d}"
        sequence = n // 28_000 * 2 + n % 2
        yield [
            str(n + 1),
            f"2025-01-01 00:00:00.{n:06d}",
            generate_citizen_id("990101", born, sequence),
            name,
            "",
            "1" if sequence % 2 else "2",
            f"{n % 56 + 1:02d}",
            f"{born:%Y-%m-%d}",
            "0",
            f"3201{n % 18 + 2:02d}",
            f"江苏省南京市玄武区珠江路{n % 900 + 1}号{n % 30 + 1}栋{n % 2600 + 101}室",
            f"张{n - n % 4:06d}",
            "01",
            "20",
            f"139{n:08d}",
        ]


def _source() -> Any:
    import psycopg2

    return psycopg2.connect(os.environ["DEMO_SOURCE_OWNER_URL"])


def _fill_source() -> None:
    names = ["id", "changed", *COLUMNS]
    columns = ", ".join(
        f"{name} {'bigint PRIMARY KEY' if name == 'id' else 'timestamp' if name == 'changed' else 'text'}" for name in names
    )
    text = io.StringIO("".join("\t".join(row) + "\n" for row in _source_rows()))
    with _source() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {SOURCE} CASCADE; CREATE TABLE {SOURCE} ({columns})")
        cursor.copy_expert(f"COPY {SOURCE} FROM STDIN", text)
        cursor.execute(f"CREATE INDEX ON {SOURCE} (changed, id); ANALYZE {SOURCE}")


def _drop_source() -> None:
    with _source() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {SOURCE} CASCADE")


def _plan() -> Any:
    from django.utils import timezone

    from core.audit import PLATFORM
    from core.models import Department, Region
    from exchange.aggregation.plans import create_plan

    region = Region.objects.create(code="3201", name="南京市", level="CITY")
    url = urlsplit(os.environ["DEMO_SOURCE_URL"])
    return create_plan(
        title="人口基础信息归集",
        department=Department.objects.create(code="113201000000000000", name="市公安局", short_name="公安局", region=region),
        dataset="population.person",
        connector="POSTGRESQL",
        settings={"host": url.hostname, "port": url.port, "database": url.path[1:], "user": url.username, "table": SOURCE},
        columns={name: name for name in COLUMNS},
        key_column="id",
        cursor_column="changed",
        password=url.password or "",
        actor=PLATFORM,
        now=timezone.now(),
    )


def _empty(plan: Any) -> None:
    """Empty the tables the run fills, and let the plan begin at the beginning."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(FILLED)}")
    type(plan).objects.filter(pk=plan.pk).update(checkpoint={})


def carry_out(plan_uid: str) -> Any:
    """Queue a run of the plan and carry it to its end, as the worker does."""
    from django.utils import timezone

    from exchange.aggregation import runs
    from exchange.models import AggregationPlan, AggregationRun

    plan = AggregationPlan.objects.get(uid=plan_uid)
    row = AggregationRun.objects.create(plan=plan, queued_at=timezone.now())
    runs.work(run_uid=row.uid, clock=timezone.now)
    row.refresh_from_db()
    if row.state != "SUCCEEDED":
        raise RuntimeError(f"the run ended {row.state}: {row.message}")
    return row


def _time_run(plan: Any) -> float:
    _empty(plan)
    started = time.perf_counter()
    row = carry_out(plan.uid)
    seconds = time.perf_counter() - started
    if (row.read_count, row.rejected_count) != (ROWS, ROWS // BROKEN_EVERY):
        raise RuntimeError("the run did not take what it should")
    return ROWS / seconds


def _prepared() -> dict[str, bytes]:
    """Return what the last run left in each table, as COPY wants it."""
    from django.db import connection

    prepared = {}
    with connection.cursor() as cursor:
        for table in FILLED:
            buffer = io.BytesIO()
            cursor.copy_expert(f"COPY {table} TO STDOUT", buffer)
            prepared[table] = buffer.getvalue()
    return prepared


def _time_copy(plan: Any, prepared: dict[str, bytes]) -> float:
    from django.db import connection, transaction

    _empty(plan)
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, content in prepared.items():
            cursor.copy_expert(f"COPY {table} FROM STDIN", io.BytesIO(content), 256 * 1024)
    return ROWS / (time.perf_counter() - started)


def _peak_memory(rows: int) -> float:
    """Run in a process of its own, over the first `rows` rows, and return its peak in MB."""
    from exchange.models import AggregationPlan

    view = f"{SOURCE}_fewer"
    with _source() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {SOURCE} WHERE id <= {rows}")
        cursor.execute(f"GRANT SELECT ON {view} TO {urlsplit(os.environ['DEMO_SOURCE_URL']).username}")
    plan = AggregationPlan.objects.get()
    AggregationPlan.objects.update(settings=plan.settings | {"table": view})
    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest", str(plan.uid)], env=frame.environment("worker"), check=True, stdout=subprocess.PIPE
    )
    AggregationPlan.objects.update(settings=plan.settings)
    return float(json.loads(done.stdout)["peak"])


if __name__ == "__main__":
    import django

    django.setup()
    carry_out(sys.argv[1])
    # ru_maxrss would say what the parent held when it forked; VmHWM is this program's own peak.
    status = Path("/proc/self/status").read_text()
    print(json.dumps({"peak": int(status.split("VmHWM:")[1].split()[0]) / 1024}))
