"""Sources for the tests of aggregation: a department's own table, a folder with files, rows that are good or broken."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.utils import timezone
from psycopg2.extras import execute_values

from basedb.identifiers import generate_citizen_id
from core.audit import PLATFORM, Actor
from core.models import Department
from exchange.aggregation import plans, runs
from exchange.aggregation.plans import create_plan
from exchange.models import AggregationPlan, AggregationRun

COLUMNS = {
    "citizen_id": "GMSFHM",
    "name": "XM",
    "sex": "XB",
    "birth_on": "CSRQ",
    "person_status": "RYZT",
    "region_code": "HJQH",
    "address": "HJDZ",
}


def person(serial: int, **values: str) -> dict[str, str]:
    """Return one good row under the source's column names."""
    born = date(1950, 1, 1) + timedelta(days=serial % 20000)
    row = {
        "GMSFHM": generate_citizen_id("990101", born, serial // 20000 * 2 + serial % 2),
        "XM": f"张{serial}",
        "XB": "1" if serial % 2 else "2",
        "CSRQ": f"{born:%Y%m%d}",
        "RYZT": "0",
        "HJQH": "320102" if serial % 3 else "320104",
        "HJDZ": f"玄武区某路{serial}号",
    }
    return row | values


def csv_text(rows: Iterable[dict[str, str]], columns: Iterable[str] = tuple(COLUMNS.values())) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def drop(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def csv_plan(department: Department, now: datetime, **values: Any) -> AggregationPlan:
    given: dict[str, Any] = {
        "title": "人口文件归集",
        "dataset": "population.person",
        "connector": "CSV_DROP",
        "settings": {"folder": "police"},
        "columns": COLUMNS,
        "key_column": "GMSFHM",
        "batch_size": 100,
        "reject_limit_percent": 50,
    }
    return create_plan(department=department, actor=PLATFORM, now=now, **given | values)


def table_plan(department: Department, now: datetime, table: str, **values: Any) -> AggregationPlan:
    url = urlsplit(os.environ["DEMO_SOURCE_URL"])
    given: dict[str, Any] = {
        "title": "人口库归集",
        "dataset": "population.person",
        "connector": "POSTGRESQL",
        "settings": {"host": url.hostname, "port": url.port, "database": url.path[1:], "user": url.username, "table": table},
        "password": url.password,
        "columns": COLUMNS,
        "key_column": "ID",
        "cursor_column": "GXSJ",
        "batch_size": 100,
        "reject_limit_percent": 50,
    }
    return create_plan(department=department, actor=PLATFORM, now=now, **given | values)


class SourceTable:
    """A table of the department's own database, made for one test."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.connection = psycopg2.connect(os.environ["DEMO_SOURCE_OWNER_URL"])
        self.connection.autocommit = True
        columns = ", ".join(f'"{column}" text' for column in COLUMNS.values())
        self.execute(f'DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ("ID" bigint PRIMARY KEY, "GXSJ" timestamptz, {columns})')

    def execute(self, statement: str, values: Any = None) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)

    def put(self, rows: Iterable[dict[str, str]], *, at: datetime, first_id: int = 1) -> None:
        names = ", ".join(f'"{column}"' for column in COLUMNS.values())
        changes = ", ".join(f'"{column}" = excluded."{column}"' for column in ["GXSJ", *COLUMNS.values()])
        values = (
            [number, at + timedelta(microseconds=number), *(row[column] for column in COLUMNS.values())]
            for number, row in enumerate(rows, start=first_id)
        )
        statement = f'INSERT INTO {self.name} ("ID", "GXSJ", {names}) VALUES %s ON CONFLICT ("ID") DO UPDATE SET {changes}'
        with self.connection.cursor() as cursor:
            execute_values(cursor, statement, values)

    def close(self) -> None:
        self.execute(f"DROP TABLE IF EXISTS {self.name}")
        self.connection.close()


def counts(run: AggregationRun) -> tuple[int, int, int, int]:
    """Read, accepted, changed, rejected."""
    run.refresh_from_db()
    return run.read_count, run.accepted_count, run.changed_count, run.rejected_count


def run_now(plan: AggregationPlan, actor: Actor) -> AggregationRun:
    """Queue a run by hand and carry it to its end."""
    run = plans.queue_run(plan_uid=plan.uid, actor=actor, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    return run
