"""A department's own database as the tests play it: a table with two rows, registered, mounted and granted."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from basedb.identifiers import generate_citizen_id
from catalog.models import Binding, Resource
from exchange.models import Grant, SourceConnection
from exchange.sources.secrets import put_secret
from tests import factories
from tests.hotpath.scene import Scene
from tests.sources.numbers import next_number

BORN = datetime(1981, 3, 4).date()
SOMEBODY = generate_citizen_id("990101", BORN, 21)
NOBODY = generate_citizen_id("990101", BORN, 23)
COLUMNS = {"citizen_id": "GMSFHM", "name": "XM", "sex": "XB", "address": "HJDZ"}


def mount(scene: Scene, dataset: str, columns: dict[str, str]) -> Resource:
    """Return a published resource of the police mounted on a source."""
    resource = factories.make_resource(scene.city.police, sharing_modes=["QUERY", "VERIFY"])
    Binding.objects.filter(resource=resource).update(dataset=dataset, columns=columns)
    return resource


class OwnTable:
    """A table behind a read-only account."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.name = f"hjxx_{next_number()}"
        self.connection = psycopg2.connect(os.environ["DEMO_SOURCE_OWNER_URL"])
        self.connection.autocommit = True
        self.execute(
            f'CREATE TABLE {self.name} ("GMSFHM" text, "XM" text, "XB" text, "HJDZ" text, "HJQH" text, "CSRQ" date, "BZ" text)'
        )
        self.put(SOMEBODY, "欧阳小明")
        self.registered = self.register()
        self.resource = mount(scene, f"table.{self.registered.uid.hex}", COLUMNS)

    def put(self, citizen_id: str, name: str, region: str = "320102") -> None:
        values = [citizen_id, name, "1", "江苏省南京市玄武区测试路1号", region, BORN, "内部备注"]
        self.execute(f"INSERT INTO {self.name} VALUES (%s, %s, %s, %s, %s, %s, %s)", values)

    def execute(self, statement: str, values: Any = None) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)

    def register(self, **values: Any) -> SourceConnection:
        url = urlsplit(os.environ["DEMO_SOURCE_URL"])
        given: dict[str, Any] = {
            "title": f"户籍表{next_number()}",
            "kind": "POSTGRESQL",
            "host": url.hostname,
            "port": url.port,
            "database": url.path[1:],
            "username": url.username,
            "table": self.name,
            "key_column": "GMSFHM",
            "region_column": "HJQH",
            "columns": [{"name": name, "title": name} for name in (*COLUMNS.values(), "HJQH", "CSRQ")],
        }
        registered = SourceConnection(department=self.scene.city.police, **given | values)
        put_secret(registered, url.password or "")
        registered.save()
        return registered

    def change(self, **values: Any) -> None:
        """Change the registration as its page does: the revision goes up."""
        for name, value in values.items():
            setattr(self.registered, name, value)
        self.registered.revision += 1
        self.registered.save()

    def grant(self, **values: Any) -> Grant:
        from tests.hotpath import partner

        return partner.grant_to(self.scene.partner, self.resource, self.scene.city, **values)

    def end_sessions(self) -> None:
        """Have the server close every session of the read-only account."""
        with psycopg2.connect(os.environ["DEMO_SOURCE_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'exchange-source'")
        connection.close()

    def slow_down(self, seconds: float) -> None:
        """Put a view that sleeps in the table's place."""
        self.execute(f"ALTER TABLE {self.name} RENAME TO {self.name}_real")
        # The sleep hangs on the key, so that the planner cannot move it away.
        self.execute(
            f'CREATE VIEW {self.name} AS SELECT r.* FROM {self.name}_real r, LATERAL (SELECT pg_sleep({seconds}), r."GMSFHM") s'
        )

    def close(self) -> None:
        self.execute(f"DROP VIEW IF EXISTS {self.name}_view")
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT relkind FROM pg_class WHERE relname = %s", [self.name])
            found = cursor.fetchone()
        if found and found[0] == "v":
            self.execute(f"DROP VIEW {self.name}; DROP TABLE {self.name}_real")
        else:
            self.execute(f"DROP TABLE IF EXISTS {self.name}")
        self.connection.close()
