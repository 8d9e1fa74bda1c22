"""The budget of a warm call: one round trip to Redis, one statement to PostgreSQL, nothing but granted columns in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.dictionary import DATASETS
from basedb.lookup import select
from basedb.masking import OF_GEOMETRY, Mask
from catalog.models import Binding, DataItem
from core.redis_script import Line
from exchange.calls import admission, connections, joint, registry
from exchange.calls.terms import WORDS
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene

PERSON = DATASETS["population.person"]


@contextmanager
def watched(line: Line | None = None) -> Iterator[tuple[list[str], list[str]]]:
    """Collect what this thread's connections are asked, on themselves; the line is that of admission unless told."""
    statements: list[str] = []
    commands: list[str] = []
    session, line = connections._session(), line or admission._line()
    cursors, sock = (session.cursor, session.bytes_cursor), line.socket

    class Watching:
        def __init__(self, cursor: Any) -> None:
            self._cursor = cursor

        def execute(self, sql: str, values: Any = None) -> None:
            statements.append(sql)
            self._cursor.execute(sql, values)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cursor, name)

    class Listening:
        def sendall(self, sent: bytes) -> None:
            commands.append(sent.decode())
            sock.sendall(sent)

        def __getattr__(self, name: str) -> Any:
            return getattr(sock, name)

    session.cursor, session.bytes_cursor = map(Watching, cursors)  # type: ignore[assignment]
    line.socket = Listening()  # type: ignore[assignment]
    try:
        yield statements, commands
    finally:
        (session.cursor, session.bytes_cursor), line.socket = cursors, sock


@pytest.mark.parametrize("mode", ["query", "verify"])
def test_a_warm_call_takes_one_round_trip_to_redis_and_one_statement(scene: Scene, mode: str) -> None:
    grant = scene.grant(mode=mode.upper())
    body: dict[str, Any] = {"key": {"citizen_id": scene.people[0].citizen_id}}
    body |= {"attributes": {"name": "张三丰"}} if mode == "verify" else {}
    assert scene.partner.call(grant, mode, body).status == 200
    with watched() as (statements, commands):
        assert scene.partner.call(grant, mode, body).status == 200
    assert len(statements) == 1
    assert statements[0].startswith("EXECUTE call_")
    assert len(commands) == 1
    assert "EVALSHA" in commands[0]


def test_grants_of_the_same_shape_share_a_prepared_statement(scene: Scene) -> None:
    for _ in range(3):
        assert scene.partner.query(scene.grant(), scene.people[0].citizen_id).status == 200
    queries = [template for template in connections._session().prepared if "json_build_object" in template]
    assert len(queries) == 1


def test_prepared_statements_are_bounded_and_prepared_again_when_lost(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PREPARED_AT_MOST", 4)
    for items in (["name"], ["sex"], ["address"], ["name", "sex"], ["sex", "name"]):
        assert scene.partner.query(scene.grant(fields=items), scene.people[0].citizen_id).status == 200
        assert len(connections._session().prepared) <= 4
    connections._session().cursor.execute("DEALLOCATE ALL")
    grant = scene.grant(fields=["sex", "name"])
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    assert outcomes_of(grant) == ["call.answered"]


def test_calls_work_without_prepared_statements(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.settings, "CALL_PREPARED_STATEMENTS", False, raising=False)
    grant = scene.grant()
    assert scene.partner.query(grant, scene.people[0].citizen_id).json["data"] == {"name": "张**", "sex": "1"}
    assert not [template for template in connections._session().prepared if "json_build_object" in template]


def test_connection_lost_while_idle_is_replaced_unnoticed(scene: Scene) -> None:
    grant = scene.grant()
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    other = connections.connect()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [connections._session().connection.info.backend_pid])
    other.close()
    mine = "{}:{}".format(*admission._line().socket.getsockname())
    admission.client().client_kill_filter(addr=mine)
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    assert outcomes_of(grant) == ["call.answered"] * 2


granted = st.lists(
    st.tuples(st.sampled_from(PERSON.field_names), st.sampled_from(sorted(set(Mask) - OF_GEOMETRY))),
    min_size=1,
    unique_by=lambda pair: pair[0],
)


@settings(deadline=None)
@given(pairs=granted)
def test_compiled_sql_reads_only_granted_columns_and_the_key(pairs: list[tuple[str, Mask]]) -> None:
    items = [f"item_{name}" for name, _ in pairs]
    selection = select(
        dataset=PERSON.code,
        items=items,
        columns={f"item_{name}": name for name in PERSON.field_names},
        masks={f"item_{name}": mask for name, mask in pairs},
    )
    allowed = {name for name, _ in pairs} | {"subject_key", PERSON.region_field}
    for mode in ("QUERY", "VERIFY"):
        sql = joint.joint_sql(mode, selection, WORDS)
        read = {name for name in (*PERSON.field_names, "subject_key") if f"found.{name}" in sql}
        assert read <= allowed
        assert "found.*" not in sql


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=granted, asked=st.data())
def test_answers_never_hold_more_than_the_grant(scene: Scene, pairs: list[tuple[str, Mask]], asked: st.DataObject) -> None:
    resource = factories.make_resource(scene.city.police)
    DataItem.objects.filter(resource=resource).delete()
    Binding.objects.filter(resource=resource).update(columns={name: name for name in PERSON.field_names})
    items = [name for name, _ in pairs]
    grant = partners.grant_to(scene.partner, resource, scene.city, fields=items, masks=dict(pairs), quota_per_second=1000)
    names = asked.draw(st.lists(st.sampled_from(PERSON.field_names), min_size=1, unique=True))
    reply = scene.partner.call(grant, "query", {"key": {"citizen_id": scene.people[0].citizen_id}, "fields": names})
    if set(names) <= set(items):
        assert list(reply.json["data"]) == names
    else:
        assert reply.code == "grant.field_not_granted"
        assert reply.json["details"].keys() == set(names) - set(items)


def test_memory_of_keys_and_grants_is_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "REMEMBERED_AT_MOST", 8)
    for number in range(50):
        assert registry.callers.get(f"nobody-{number}") is None
    assert len(registry.callers._known) <= 8
