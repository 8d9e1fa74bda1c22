"""A few departments that deliver rows about a few people, as ingest would store them: what fusion starts from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from basedb.dictionary import PERSON
from basedb.fusion.projecting import Projected, project
from basedb.identifiers import generate_citizen_id
from basedb.models import DataSource
from core.crypto import KeyRing
from core.models import Department
from tests.factories import City

RING = KeyRing(current=1, keys={1: bytes(32)}, pepper=bytes(range(32)))


def citizen(serial: int) -> str:
    return generate_citizen_id("990101", date(1980, 5, 6), serial)


def key(serial: int) -> bytes:
    return RING.subject_key(citizen(serial))


def person(serial: int, **values: str) -> dict[str, str]:
    """The cleaned values of a lead row."""
    row = {
        "citizen_id": citizen(serial),
        "name": f"张{serial}",
        "sex": "1" if serial % 2 else "2",
        "birth_on": "19800506",
        "person_status": "0",
        "region_code": "320102",
        "address": "玄武区某路1号",
    }
    return {name: value for name, value in (row | values).items() if value}


@dataclass
class World:
    """Sources by name, and the clock of the platform: every delivery is a second later than the one before."""

    sources: dict[str, DataSource]
    now: datetime
    run_id: int = 1
    touched: set[bytes] = field(default_factory=set)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def deliver(
        self, source: str, source_key: str, serial: int | None, values: dict[str, str], *, since: datetime | None = None
    ) -> int:
        """Take one row as it stands now; return its chain. Without `since` it holds from now on, without `serial` it has no key."""
        at, row, subject = self.tick(), self.sources[source], None if serial is None else key(serial)
        with connection.cursor() as cursor:
            old = self._close(cursor, row, source_key, at)
            begin = max(since or at, old[1]) if old else since or at
            if old and begin > old[1]:
                self._insert(cursor, row, source_key, old[0], old[2], json.dumps(old[3]), (old[1], begin), at)
            chain = self._insert(cursor, row, source_key, old[0] if old else None, subject, json.dumps(values), (begin, None), at)
            if subject is None:
                self._hold(cursor, chain, at)
        self.touched |= {subject, old[2] if old else None} - {None}  # type: ignore[arg-type]
        return chain

    def _hold(self, cursor: Any, chain: int, at: datetime) -> None:
        cursor.execute(
            "INSERT INTO basedb_crosswalk (chain, dataset, tier, rule_version, linked)"
            " SELECT %s, %s, 'HELD', 'test', tstzrange(%s, NULL) WHERE NOT EXISTS ("
            "SELECT FROM basedb_crosswalk x WHERE x.chain = %s AND upper_inf(x.linked)) RETURNING chain",
            [chain, PERSON.code, at, chain],
        )
        if cursor.rowcount == 0:
            cursor.execute("SELECT entity_key FROM basedb_crosswalk WHERE chain = %s AND upper_inf(linked)", [chain])
            self.touched |= {bytes(row[0]) for row in cursor.fetchall() if row[0] is not None}

    def delete(self, source: str, source_key: str) -> None:
        """The row is gone at the source."""
        at, row = self.tick(), self.sources[source]
        with connection.cursor() as cursor:
            old = self._close(cursor, row, source_key, at)
            if old:
                self._insert(cursor, row, source_key, old[0], old[2], json.dumps(old[3]), (old[1], at), at)
                self.touched |= {old[2]} - {None}

    def project(self, *, run_id: int | None = None) -> Projected:
        """Project what was touched since the last time."""
        keys, self.touched = self.touched, set()
        return project_keys(keys, run_id=run_id, now=self.tick())

    def _close(self, cursor: Any, source: DataSource, source_key: str, at: datetime) -> Any:
        cursor.execute(
            "UPDATE basedb_sourcerecord SET known = tstzrange(lower(known), %s) WHERE source_id = %s AND source_key = %s"
            " AND upper_inf(known) AND upper_inf(valid) RETURNING chain, lower(valid), subject_key, payload",
            [at, source.pk, source_key],
        )
        row = cursor.fetchone()
        if row is None:
            return None
        payload = json.loads(row[3]) if isinstance(row[3], str) else row[3]
        return row[0], row[1], bytes(row[2]) if row[2] is not None else None, payload

    def _insert(
        self, cursor: Any, source: DataSource, source_key: str, chain: int | None, subject: bytes | None, *rest: Any
    ) -> int:
        payload, (begin, end), at = rest
        cursor.execute(
            "INSERT INTO basedb_sourcerecord"
            " (id, chain, source_id, source_key, run_id, row_hash, subject_key, payload, valid, known)"
            " SELECT n, coalesce(%s, n), %s, %s, %s, '', %s, %s::jsonb, tstzrange(%s, %s), tstzrange(%s, NULL)"
            " FROM nextval(pg_get_serial_sequence('basedb_sourcerecord', 'id')) n RETURNING chain",
            [chain, source.pk, source_key, self.run_id, subject, payload, begin, end, at],
        )
        return int(cursor.fetchone()[0])


def project_keys(keys: Iterable[bytes], *, run_id: int | None, now: datetime) -> Projected:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS touched_keys (subject_key bytea); TRUNCATE touched_keys")
        cursor.execute("INSERT INTO touched_keys SELECT unnest(%s::bytea[])", [list(keys)])
    return project(PERSON, touched="touched_keys", run_id=run_id, now=now)


def make_source(name: str, department: Department, collector: str, **values: Any) -> DataSource:
    return DataSource.objects.create(
        code=name, title=name, dataset=PERSON.code, department=department, collector=collector, **values
    )


def make_world(city: City, now: datetime) -> World:
    sources = {
        "police": make_source("police", city.police, "PUBLIC_SECURITY"),
        "health": make_source("health", city.education, "HEALTH"),
        "civil": make_source("civil", city.market, "CIVIL_AFFAIRS", is_lead=False),
        "tax": make_source("tax", city.centre, "TAX", is_lead=False),
    }
    return World(sources, now - timedelta(days=30))


def golden() -> dict[bytes, dict[str, Any]]:
    """Golden rows that stand, without what counts changes."""
    names = ", ".join(PERSON.field_names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT subject_key, {names}, doubtful, source_record_id, source_department_id, run_id FROM {PERSON.table}"
            " WHERE withdrawn_at IS NULL"
        )
        columns = [column.name for column in cursor.description]
        return {bytes(row[0]): dict(zip(columns[1:], row[1:], strict=True)) for row in cursor.fetchall()}


def links() -> dict[int, tuple[bytes | None, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT chain, entity_key, tier FROM basedb_crosswalk WHERE upper_inf(linked)")
        return {row[0]: (bytes(row[1]) if row[1] is not None else None, row[2]) for row in cursor.fetchall()}


def conflicts() -> set[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entity_key, kind, field, records, owner_id FROM basedb_fusionconflict WHERE state <> 'RESOLVED'")
        return {(bytes(row[0]), row[1], row[2], tuple(sorted(row[3])), row[4]) for row in cursor.fetchall()}


def state() -> tuple[Any, ...]:
    """Everything fusion computes, for comparing."""
    return golden(), links(), conflicts()


def forget_everything_computed() -> None:
    """Leave the records and what people decided."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM basedb_crosswalk WHERE decided_by_id IS NULL AND tier IN ('EXACT', 'HELD')")
        cursor.execute(f"DELETE FROM {PERSON.table}; DELETE FROM basedb_fusionconflict WHERE answered_at IS NULL")
