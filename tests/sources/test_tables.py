"""Calls on a department's own table: what leaves it, what a slow or broken one does, what is on record."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa
from django.db import connection
from sqlalchemy.dialects import mysql, postgresql

from basedb.lookup import Selection
from basedb.masking import Mask, mask_value
from exchange.calls.refusals import Refusal
from exchange.models import CallRecord, Grant, SourceConnection
from exchange.sources import places
from exchange.sources.guard import FAILURES_IN_A_ROW
from exchange.sources.tables import DepartmentTable, engine_of, masked, row_query
from exchange.sources.terms import Asked, Table
from tests.hotpath import records
from tests.hotpath.partner import Reply
from tests.hotpath.scene import Scene
from tests.sources.department import NOBODY, SOMEBODY, OwnTable


def record_of(reply: Reply) -> CallRecord:
    return CallRecord.objects.get(call_id=reply.headers["X-Gov-Call-Id"])


def test_a_table_of_a_department_answers_a_query_with_granted_columns_under_their_masks(scene: Scene, own_table: OwnTable) -> None:
    grant = own_table.grant(fields=["name", "sex", "address"], masks={"name": "NAME", "address": "ADDRESS"})
    reply = scene.partner.query(grant, SOMEBODY)
    assert reply.status == 200
    assert reply.json["data"] == {"name": "欧***", "sex": "1", "address": "江苏省南京市玄武区******"}
    record = record_of(reply)
    assert (record.outcome, record.row_count, record.fields) == ("call.answered", 1, ["name", "sex", "address"])
    assert reply.headers["X-Gov-Answer-Digest"] == bytes(record.answer_digest).hex()


def test_somebody_the_table_does_not_know_is_not_found_and_recorded(scene: Scene, own_table: OwnTable) -> None:
    reply = scene.partner.query(own_table.grant(), NOBODY)
    assert (reply.status, reply.json["status"], reply.json["data"]) == (200, "not_found", None)
    assert record_of(reply).row_count == 0


def test_a_table_compares_in_its_own_database(scene: Scene, own_table: OwnTable) -> None:
    grant = own_table.grant(mode="VERIFY", fields=["name", "sex"], masks={})
    body = {"key": {"citizen_id": SOMEBODY}, "attributes": {"name": "欧阳小明", "sex": "2"}}
    assert scene.partner.call(grant, "verify", body).json["result"] == {"name": "yes", "sex": "no"}
    body["key"] = {"citizen_id": NOBODY}
    assert scene.partner.call(grant, "verify", body).json["result"] == {"name": "not_available", "sex": "not_available"}


def test_a_grant_for_a_district_sees_no_other_district(scene: Scene, own_table: OwnTable) -> None:
    assert scene.partner.query(own_table.grant(region_prefix="320104"), SOMEBODY).json["status"] == "not_found"
    assert scene.partner.query(own_table.grant(region_prefix="320102"), SOMEBODY).json["status"] == "found"


def test_a_grant_for_a_district_is_not_served_by_a_table_without_divisions(scene: Scene, own_table: OwnTable) -> None:
    own_table.change(region_column="")
    assert scene.partner.query(own_table.grant(region_prefix="320102"), SOMEBODY).code == "grant.unusable"


def test_a_row_filter_holds_in_the_table(scene: Scene, own_table: OwnTable) -> None:
    listed = [{"kind": "list", "item": "sex", "values": ["2"]}]
    assert scene.partner.query(own_table.grant(row_filter=listed), SOMEBODY).json["status"] == "not_found"
    clients = [{"kind": "own_clients"}]
    assert scene.partner.query(own_table.grant(row_filter=clients), SOMEBODY).code == "grant.unusable"


def test_an_item_that_was_not_granted_is_refused_before_the_table_is_asked(scene: Scene, own_table: OwnTable) -> None:
    own_table.execute(f"DROP TABLE {own_table.name}")
    body = {"key": {"citizen_id": SOMEBODY}, "fields": ["address"]}
    assert scene.partner.call(own_table.grant(), "query", body).code == "grant.field_not_granted"


def test_a_slow_table_is_given_up_in_time_and_the_refusal_names_the_provider(scene: Scene, own_table: OwnTable) -> None:
    own_table.slow_down(5)
    own_table.change(timeout_ms=300)
    began = time.monotonic()
    reply = scene.partner.query(own_table.grant(), SOMEBODY)
    assert (reply.status, reply.code) == (502, "provider.timeout")
    assert reply.headers["Retry-After"] == "1"
    assert time.monotonic() - began < 3
    assert record_of(reply).outcome == "provider.timeout"


def test_a_table_that_is_gone_is_the_providers_fault(scene: Scene, own_table: OwnTable) -> None:
    own_table.execute(f"DROP TABLE {own_table.name}")
    reply = scene.partner.query(own_table.grant(), SOMEBODY)
    assert (reply.status, reply.code) == (502, "provider.refused")
    assert SOMEBODY not in reply.body.decode()


def test_a_server_that_is_away_opens_the_breaker_and_one_call_tries_it_again(
    scene: Scene, own_table: OwnTable, settings: Any
) -> None:
    settings.SOURCE_BREAKER_SECONDS = 1
    grant, port = own_table.grant(), own_table.registered.port
    own_table.change(port=1)
    codes = [scene.partner.query(grant, SOMEBODY).code for _ in range(FAILURES_IN_A_ROW)]
    assert codes == ["provider.unavailable"] * FAILURES_IN_A_ROW
    refused = scene.partner.query(grant, SOMEBODY)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "provider.circuit_open", "1")
    own_table.registered.refresh_from_db()
    assert own_table.registered.breaker_state == "open"
    own_table.change(port=port)
    time.sleep(3.1)  # the grant is remembered for three seconds
    assert scene.partner.query(grant, SOMEBODY).status == 200
    own_table.registered.refresh_from_db()
    assert own_table.registered.breaker_state == "closed"


def test_calls_beyond_the_places_of_a_slow_table_are_refused_at_once(scene: Scene, own_table: OwnTable) -> None:
    own_table.slow_down(1)
    own_table.change(at_once=2)
    grant = own_table.grant()
    codes: list[str] = []
    threads = [threading.Thread(target=lambda: codes.append(scene.partner.query(grant, SOMEBODY).code)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["", "", "provider.busy", "provider.busy"]


def test_a_grant_revoked_while_the_table_is_read_gets_no_answer(scene: Scene, own_table: OwnTable) -> None:
    own_table.slow_down(1)
    grant = own_table.grant()
    replies: list[Any] = []
    calling = threading.Thread(target=lambda: replies.append(scene.partner.query(grant, SOMEBODY)))
    calling.start()
    time.sleep(0.4)
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    calling.join()
    assert (replies[0].status, replies[0].code) == (403, "grant.revoked")
    assert [record.outcome for record in records.records_of(grant)] == ["grant.revoked"]


def test_a_key_that_finds_two_rows_answers_neither(scene: Scene, own_table: OwnTable) -> None:
    own_table.put(SOMEBODY, "另一行")
    assert scene.partner.query(own_table.grant(), SOMEBODY).code == "provider.refused"


def test_the_session_at_the_source_cannot_write(own_table: OwnTable) -> None:
    table = places.table_of(own_table.registered).place
    with engine_of(table).connect() as session:  # type: ignore[arg-type]
        assert session.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
        assert session.exec_driver_sql("SHOW statement_timeout").scalar() == "3s"


def test_a_session_the_server_closed_is_replaced(scene: Scene, own_table: OwnTable) -> None:
    grant = own_table.grant()
    assert scene.partner.query(grant, SOMEBODY).status == 200
    own_table.end_sessions()
    time.sleep(0.2)
    assert scene.partner.query(grant, SOMEBODY).status == 200


@pytest.mark.parametrize("mask", list(Mask))
def test_a_mask_means_the_same_in_a_table_as_in_the_platform(own_table: OwnTable, mask: Mask) -> None:
    values = ["欧阳小明", "990101198103040210", "江苏省南京市玄武区测试路1号", "1981-03-04", "某处", "张", None]
    table = places.table_of(own_table.registered).place
    with engine_of(table).connect() as session:  # type: ignore[arg-type]
        for value in values:
            expression = masked(sa.cast(sa.literal(value), sa.String), mask, "POSTGRESQL")
            assert session.execute(sa.select(expression)).scalar() == mask_value(mask, value)


@pytest.mark.parametrize("mask", [mask for mask in Mask if mask is not Mask.NONE])
def test_a_mask_is_in_the_sql_for_mysql(own_table: OwnTable, mask: Mask) -> None:
    table = places.table_of(own_table.register(kind="MYSQL")).place
    assert isinstance(table, Table)
    asked = Asked(Selection("table.x", ()), SOMEBODY, "call", region_prefix="320102")
    query = row_query(table, [masked(sa.cast(sa.column("XM"), sa.String), mask, "MYSQL")], asked)
    text = str(query.compile(dialect=mysql.dialect()))
    assert "`XM`" in text.replace("CAST(XM", "CAST(`XM`")
    assert "LIMIT" in text
    assert "FROM" in text
    assert SOMEBODY not in text
    assert "CAST(`HJQH` AS CHAR)" in text
    assert text.count("`GMSFHM`") == 2


def test_a_name_from_a_registration_cannot_leave_its_quotes(own_table: OwnTable) -> None:
    evil = 'x" FROM pg_user; --'
    table = places.table_of(own_table.register(key_column=evil)).place
    assert isinstance(table, Table)
    text = str(
        row_query(table, [sa.literal(1)], Asked(Selection("table.x", ()), SOMEBODY, "c")).compile(dialect=postgresql.dialect())
    )
    assert '"x"" FROM pg_user; --"' in text


def test_a_host_that_is_not_listed_is_never_connected_to(own_table: OwnTable, settings: Any) -> None:
    settings.SOURCE_HOSTS = ("db.example",)
    with pytest.raises(Refusal) as refused:
        DepartmentTable(places.table_of(own_table.registered).place).columns()  # type: ignore[arg-type]
    assert refused.value.details == {"source": "host_not_allowed"}


def test_the_password_of_a_source_is_sealed_to_its_row(scene: Scene, own_table: OwnTable) -> None:
    other = own_table.register()
    columns = {name: getattr(own_table.registered, name) for name in ("secret_key_id", "secret_nonce", "secret_ciphertext")}
    SourceConnection.objects.filter(pk=other.pk).update(**columns)
    other.refresh_from_db()
    with pytest.raises(ValueError, match="does not fit its place"):
        places.table_of(other)


def test_nothing_of_a_source_shows_its_password(own_table: OwnTable) -> None:
    remote = places.table_of(own_table.registered)
    assert remote.place.password  # type: ignore[union-attr]
    assert remote.place.password not in repr(remote)  # type: ignore[union-attr]
    connection.close()


def test_what_is_hidden_is_never_confirmed_by_a_table(scene: Scene, own_table: OwnTable) -> None:
    grant = own_table.grant(mode="VERIFY", fields=["name", "sex"], masks={"name": "HIDDEN"})
    told = [
        scene.partner.call(grant, "verify", {"key": {"citizen_id": SOMEBODY}, "attributes": {"name": name, "sex": "1"}}).json
        for name in ("欧阳小明", "某人")
    ]
    assert [answer["result"] for answer in told] == [{"name": "not_available", "sex": "yes"}] * 2
