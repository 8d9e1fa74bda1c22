"""Database roles: every table is declared, each role has exactly what is declared, and ledgers refuse every change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from psycopg2.errors import InsufficientPrivilege

from core.database_roles import ROLES, declared

# PostGIS brings its own tables; they hold reference data and belong to the superuser.
EXTENSIONS = {"spatial_ref_sys", "geometry_columns", "geography_columns"}
LEDGERS = [
    "core_auditentry",
    "exchange_callrecord",
    "exchange_callsubjects",
    "exchange_accessrequeststep",
    "exchange_remark",
    "exchange_breakglass",
    "exchange_breakglassreview",
    "exchange_usagerecord",
    "exchange_usageinspection",
    "exchange_usagereminder",
    "exchange_grantendreminder",
    "exchange_aggregationbatch",
    "exchange_seal",
    "exchange_archive",
    "exchange_matterpart",
    "exchange_sealtimestamp",
    "licenses_licenseuse",
    "licenses_presentingtry",
    "basedb_creditevent",
    "basedb_lifeevent",
    "basedb_credittakedown",
    "basedb_qualityresult",
]
ALL = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@contextmanager
def connected(role: str) -> Iterator[psycopg2.extensions.cursor]:
    """A cursor of a real connection as this role."""
    passwords = json.loads(settings.ROLES_FILE.read_text())
    place = connection.settings_dict
    real = psycopg2.connect(
        host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user=role, password=passwords[role], connect_timeout=5
    )
    try:
        with real.cursor() as cursor:
            yield cursor
    finally:
        real.close()


def tables() -> dict[str, bool]:
    """Return schema-qualified name -> whether it is a partition, for every table there is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname, c.relispartition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
            "AND n.nspname NOT LIKE 'pg_t%%'"
        )
        return {(name if schema == "public" else f"{schema}.{name}"): partition for schema, name, partition in cursor}


def granted(table: str, role: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT p FROM unnest(%s) p WHERE has_table_privilege(%s, %s, p)", [list(ALL), role, table])
        return {row[0] for row in cursor}


def test_every_table_is_declared(db: None) -> None:
    here = {name for name, partition in tables().items() if not partition} - EXTENSIONS
    assert sorted(here - set(declared())) == []
    assert sorted(set(declared()) - here) == []


@pytest.mark.parametrize("role", ROLES)
def test_role_has_what_is_declared_and_nothing_else(db: None, role: str) -> None:
    wrong = {}
    for table, roles in declared().items():
        whole = {word.strip() for word in re.sub(r"\w+\s*\([^)]*\)", "", roles.get(role, "")).split(",") if word.strip()}
        if granted(table, role) != whole:
            wrong[table] = (sorted(granted(table, role)), sorted(whole))
    assert wrong == {}


@pytest.mark.parametrize("role", ROLES)
def test_partitions_are_reached_through_their_parent_only(db: None, role: str) -> None:
    assert {name for name, partition in tables().items() if partition and granted(name, role)} == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", LEDGERS)
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
def test_ledger_refuses_every_change(db: None, role: str, table: str, change: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 2", [table])
        column = cursor.fetchone()[0]
    with connected(role) as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(change.format(table, column, column))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM exchange_backflowmember",
        "UPDATE basedb_person SET name = name",
        "DELETE FROM exchange_grant",
        "UPDATE core_roleassignment SET role = role",
        "UPDATE basedb_fusiondecision SET entity_key = entity_key",
        "INSERT INTO basedb_fusionconflict (dataset) VALUES ('x')",
        "INSERT INTO basedb_crosswalk (chain) VALUES (1)",
        "UPDATE basedb_qualitytask SET department_id = department_id",
        "UPDATE basedb_qualityrule SET parameters = parameters",
        "UPDATE basedb_credittakedown SET records = 0",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE core_auditentry DISABLE TRIGGER ALL",
        "COPY core_department TO '/tmp/out.csv'",
        "COPY core_department TO PROGRAM 'cat'",
        "SET ROLE migrator",
    ],
)
def test_web_is_kept_from(db: None, statement: str) -> None:
    with connected("web") as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("worker", "UPDATE exchange_credential SET state = state"),
        ("worker", "INSERT INTO exchange_credential (key) VALUES ('k')"),
        ("worker", "UPDATE exchange_consumersystem SET name = name"),
        ("worker", "UPDATE exchange_grant SET state = state"),
        ("worker", "INSERT INTO exchange_callrecord (outcome) VALUES ('x')"),
        ("worker", "INSERT INTO exchange_rejectedattempt (code) VALUES ('x')"),
        ("web", "UPDATE exchange_dropfile SET name = name"),
        ("web", "INSERT INTO exchange_dropfile (name) VALUES ('x')"),
        ("web", "INSERT INTO exchange_aggregationbatch (sequence) VALUES (1)"),
    ],
)
def test_each_process_writes_its_own_tables_only(db: None, role: str, statement: str) -> None:
    with connected(role) as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(statement)


def test_owner_is_stopped_by_the_trigger_too(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = 'append_only' AND NOT c.relispartition"
        )
        assert {"core_auditentry", "exchange_callrecord", "exchange_accessrequeststep"} <= {row[0] for row in cursor}
