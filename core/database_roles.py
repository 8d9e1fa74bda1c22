"""Privileges of the database roles: each room declares its tables, one pass lays them down after every migration.

The migrator owns everything; web, worker, sealer and reader get exactly what `<room>/privileges.py` says, nothing by default.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.db import connections

from core.privileges import Privileges

ROLES = ("web", "worker", "sealer", "reader")


def declared() -> Privileges:
    """Return the privileges of every room, merged; a table declared twice raises ValueError."""
    merged: dict[str, Any] = {}
    for room in ("core", "catalog", "basedb", "licenses", "exchange"):
        if apps.is_installed(room):
            for table, roles in import_module(f"{room}.privileges").PRIVILEGES.items():
                if table in merged:
                    raise ValueError(f"privileges of {table} declared twice")
                merged[table] = roles
    return merged


def statements() -> list[str]:
    """Return the SQL that takes everything away and grants what is declared."""
    roles = ", ".join(ROLES)
    sql = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {roles}",
        # batches are compared and fused in temporary tables of their transaction
        "DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO worker', current_database()); END $$",
    ]
    for table, grants in sorted(declared().items()):
        sql.append(f"REVOKE ALL ON {table} FROM PUBLIC, {roles}")
        sql += [f"GRANT {what} ON {table} TO {role}" for role, what in sorted(grants.items())]
    return sql


def apply(using: str = "default") -> None:
    """Lay the privileges down in one transaction. Tables that are not there yet are skipped (a partial migration)."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for statement in statements():
            table = statement.split(" ON ")[1].split(" ")[0]
            if table in ("SCHEMA", "DATABASE") or table in present:
                cursor.execute(statement)


def after_migrate(sender: AppConfig, using: str, **_: Any) -> None:
    """Run once at the end: the last installed app with models stands for the whole migration."""
    if sender.name == "exchange":
        apply(using)
