"""What every figure shares: an empty database of its own, medians of rounds taken in turn, the form of a line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

DATABASE = "bench"
PATIENCE_SECONDS = 60


def say(text: str) -> None:
    """Tell the person at the keyboard what is going on."""
    print(text, file=sys.stderr, flush=True)


def prepare_database() -> None:
    """Drop and create the database `bench` from the template, migrate it and set Django up on it."""
    import psycopg2

    os.environ["DB_NAME"] = DATABASE
    if "django" in sys.modules and "django.db" in sys.modules:
        from django.db import connections

        connections.close_all()
    connection = psycopg2.connect(
        host=os.environ.get("DB_HOST", "127.0.0.1"),
        port=os.environ["DB_PORT"],
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        dbname="postgres",
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        drop(cursor, DATABASE)
        cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template_platform")
    connection.close()

    import django
    from django.core.management import call_command

    django.setup()
    say("Migrating the database of the measurements ...")
    call_command("migrate", interactive=False, verbosity=0)


def drop(cursor: Any, database: str) -> None:
    """Drop a database if it is there; PostgreSQL's own vacuuming, which only a superuser may end, is waited for."""
    from psycopg2.errors import InsufficientPrivilege

    for _attempt in range(PATIENCE_SECONDS):
        try:
            cursor.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            return
        except InsufficientPrivilege:
            time.sleep(1)
    raise RuntimeError(f"the database {database} is still being vacuumed after {PATIENCE_SECONDS} s")


def environment(role: str) -> dict[str, str]:
    """Return the environment of a process that connects to the database `bench` as `role`."""
    roles = Path(os.environ["RUN_DIR"]) / "secrets" / "roles.json"
    return {**os.environ, "DB_NAME": DATABASE, "DB_USER": role, "DB_PASSWORD": json.loads(roles.read_text())[role]}


def in_turn(contenders: Mapping[str, Callable[[], float]], *, rounds: int = 3) -> dict[str, float]:
    """Run each contender once a round and return the median of each; the order turns from round to round."""
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            measured[name].append(contenders[name]())
        say(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:,.0f}" for name, values in measured.items()))
    return {name: median(values) for name, values in measured.items()}


def figure(name: str, value: float, unit: str, **ratios: float) -> dict[str, object]:
    """Return one line: three significant digits are as much as a measurement on a shared machine says."""
    return {
        "figure": name,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "ratios": {yardstick: float(f"{ratio:.3g}") for yardstick, ratio in ratios.items()},
    }
