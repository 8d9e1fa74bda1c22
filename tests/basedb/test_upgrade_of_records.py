"""Records from before versions had ranges: the statement of the upgrade runs over rows as they were."""

from __future__ import annotations

from importlib import import_module

from django.db import connection

from tests.factories import City

FILL: str = import_module("basedb.migrations.0002_source_records_and_fusion").FILL
TABLES = ("basedb_datasource", "basedb_sourcerecord", "basedb_crosswalk")


def test_old_records_get_source_chain_and_ranges(city: City) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA before; SET LOCAL search_path = before, public")
        for table in TABLES:
            cursor.execute(f"CREATE TABLE before.{table} (LIKE public.{table} INCLUDING IDENTITY INCLUDING DEFAULTS)")
        for column in ("source_id", "chain", "row_hash", "valid", "known"):
            cursor.execute(f"ALTER TABLE before.basedb_sourcerecord ALTER {column} DROP NOT NULL")
        cursor.execute("ALTER TABLE before.basedb_sourcerecord ADD dataset text, ADD source_department_id bigint")
        cursor.executemany(
            "INSERT INTO before.basedb_sourcerecord"
            " (id, dataset, source_department_id, run_id, source_key, subject_key, payload, received_at)"
            " VALUES (%s, %s, %s, 1, %s, %s, '{}', %s)",
            [
                (1, "population.person", city.police.pk, "7", b"a" * 16, "2025-01-01T00:00Z"),
                (2, "population.person", city.police.pk, "", b"b" * 16, "2025-01-02T00:00Z"),
                (3, "population.person", city.police.pk, "7", b"a" * 16, "2025-01-03T00:00Z"),
                (4, "legal_entity.enterprise", city.market.pk, "7", b"c" * 16, "2025-01-04T00:00Z"),
            ],
        )
        cursor.execute(FILL)
        cursor.execute(
            "SELECT r.id, s.code, r.source_key, r.chain, lower(r.known) = r.received_at, upper(r.known)::date::text"
            " FROM before.basedb_sourcerecord r JOIN before.basedb_datasource s ON s.id = r.source_id ORDER BY r.id"
        )
        people, firms = f"population.person.{city.police.pk}", f"legal_entity.enterprise.{city.market.pk}"
        assert cursor.fetchall() == [
            (1, people, "7", 1, True, "2025-01-03"),
            (2, people, "subject:" + (b"b" * 16).hex(), 2, True, None),
            (3, people, "7", 1, True, None),
            (4, firms, "7", 4, True, None),
        ]
        cursor.execute("SELECT chain, dataset, entity_key IS NOT NULL, tier FROM before.basedb_crosswalk ORDER BY chain")
        assert cursor.fetchall() == [
            (1, "population.person", True, "EXACT"),
            (2, "population.person", True, "EXACT"),
            (4, "legal_entity.enterprise", True, "EXACT"),
        ]
        cursor.execute("SET LOCAL search_path = public; DROP SCHEMA before CASCADE")
