"""Calls with many keys: answers in order, each with its own status, one record that names the subjects, counted by keys."""

from __future__ import annotations

import hashlib
import time
from datetime import date
from typing import Any

import pytest
from django.db import connection
from psycopg2.errors import InsufficientPrivilege

from basedb.dictionary import DATASETS
from basedb.identifiers import generate_citizen_id
from exchange.calls import connections, registry
from exchange.calls.batch_statement import batch_sql
from exchange.calls.terms import WORDS
from exchange.models import CallSubjects, Grant
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene, forget_counters
from tests.hotpath.test_budget import watched

STRANGER = generate_citizen_id("990101", date(1999, 9, 9), 99)


def keys_of(*citizen_ids: str) -> dict[str, Any]:
    return {"keys": [{"citizen_id": citizen_id} for citizen_id in citizen_ids]}


def check_of(citizen_id: str, **attributes: str) -> dict[str, Any]:
    return {"key": {"citizen_id": citizen_id}, "attributes": attributes}


def subjects_of(grant: Grant) -> list[bytes]:
    """Return the kept keys of a grant's only call."""
    [record] = records_of(grant)
    return [key.bytes for key in CallSubjects.objects.get(call_id=record.call_id).subject_keys]


def test_a_query_of_many_is_answered_in_order_with_duplicates(scene: Scene) -> None:
    grant = scene.grant(masks={"name": "NAME"})
    first, second = (person.citizen_id for person in scene.people)
    reply = scene.partner.call(grant, "query", keys_of(second, STRANGER, first, second))
    assert reply.status == 200
    assert reply.json.keys() == {"call_id", "as_of", "results"}
    assert [(result["status"], result["data"] and result["data"]["name"]) for result in reply.json["results"]] == [
        ("found", "李*"),
        ("not_found", None),
        ("found", "张**"),
        ("found", "李*"),
    ]


def test_one_record_counts_and_names_the_subjects(scene: Scene) -> None:
    grant = scene.grant()
    first, second = scene.people
    reply = scene.partner.call(grant, "query", keys_of(second.citizen_id, "no id", first.citizen_id, second.citizen_id))
    [record] = records_of(grant)
    keys = [bytes(person.subject_key) for person in (second, first, second)]
    assert (record.outcome, record.subject_count, record.row_count, record.subject_key) == ("call.answered", 3, 3, None)
    assert subjects_of(grant) == keys
    assert bytes(record.subjects_digest) == hashlib.sha256(b"".join(keys)).digest()
    assert bytes(record.answer_digest) == hashlib.sha256(reply.body).digest() == bytes.fromhex(reply.headers["X-Gov-Answer-Digest"])


def test_kept_subjects_are_found_by_one_of_them_and_cannot_be_changed(scene: Scene) -> None:
    grant = scene.grant()
    scene.partner.call(grant, "query", keys_of(scene.people[0].citizen_id, STRANGER))
    [record] = records_of(grant)
    with connections.connect().cursor() as cursor:
        cursor.execute(
            "SELECT call_id FROM exchange_callsubjects WHERE subject_keys @> ARRAY[encode(%s, 'hex')::uuid] AND call_id = %s",
            [bytes(scene.people[0].subject_key), str(record.call_id)],
        )
        assert cursor.fetchall() == [(record.call_id,)]
        with pytest.raises(InsufficientPrivilege):
            cursor.execute("DELETE FROM exchange_callsubjects")


def test_an_invalid_key_says_why_in_its_place_and_fails_no_other(scene: Scene) -> None:
    grant = scene.grant()
    body = keys_of(scene.people[0].citizen_id, "123", scene.people[1].citizen_id)
    body["keys"] += [7, {"uscc": "x"}, {"citizen_id": 7}]
    results = scene.partner.call(grant, "query", body).json["results"]
    assert [result["status"] for result in results] == ["found", "invalid", "found", "invalid", "invalid", "invalid"]
    assert results[1] == {"status": "invalid", "details": {"key.citizen_id": "not_a_valid_identifier"}}
    assert results[5]["details"] == {"key.citizen_id": "not_a_string"}
    assert "123" not in str(results[1])


def test_a_batch_of_invalid_keys_is_answered_and_recorded(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=1)
    for _ in range(2):
        reply = scene.partner.call(grant, "query", keys_of("x", "y"))
        assert [result["status"] for result in reply.json["results"]] == ["invalid", "invalid"]
    assert [(record.outcome, record.subject_count) for record in records_of(grant)] == [("call.answered", 0)] * 2


def test_quota_counts_the_keys_and_refuses_a_batch_whole(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=5)
    first = scene.people[0].citizen_id
    reply = scene.partner.call(grant, "query", keys_of(first, first, first))
    assert (reply.headers["RateLimit-Limit"], reply.headers["RateLimit-Remaining"]) == ("5", "2")
    reply = scene.partner.call(grant, "query", keys_of(first, first, first))
    check_refused(reply, "quota.day_exceeded")
    assert reply.headers["RateLimit-Remaining"] == "2"
    assert scene.partner.call(grant, "query", keys_of(first, first)).headers["RateLimit-Remaining"] == "0"
    assert outcomes_of(grant) == ["call.answered", "quota.day_exceeded", "call.answered"]
    assert [record.subject_count for record in records_of(grant)] == [3, 3, 2]


def test_keys_are_counted_again_when_redis_has_forgotten(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=5)
    first = scene.people[0].citizen_id
    assert scene.partner.call(grant, "query", keys_of(first, first, first)).status == 200
    forget_counters()
    reply = scene.partner.query(grant, first, at=time.time() + 1)  # signed after the recovery, which is now
    assert reply.headers["RateLimit-Remaining"] == "1"


@pytest.mark.parametrize("keys", [[], None, {}, "x", [{}] * 1001])
def test_a_batch_has_one_to_a_thousand_keys(scene: Scene, keys: Any) -> None:
    grant = scene.grant()
    reply = scene.partner.call(grant, "query", {"keys": keys})
    check_refused(reply, "call.invalid_parameter")
    assert reply.json["details"] == {"keys": "must_be_a_list_of_1_to_1000"}


def test_key_and_keys_do_not_go_together(scene: Scene) -> None:
    body = keys_of(scene.people[0].citizen_id) | {"key": {"citizen_id": scene.people[0].citizen_id}}
    assert scene.partner.call(scene.grant(), "query", body).json["details"] == {"key": "unknown"}


def test_a_thousand_keys_of_either_mode_fit_a_body_and_a_single_key_stays_small(scene: Scene) -> None:
    first = scene.people[0].citizen_id
    assert len(scene.partner.call(scene.grant(), "query", keys_of(*[first] * 1000)).json["results"]) == 1000
    grant = scene.grant(mode="VERIFY", fields=["name", "address"])
    people = [generate_citizen_id("990101", date(1970, 1, 1), number) for number in range(1000)]
    checks = {"checks": [check_of(citizen_id, name="张三", address="某市某区某路" * 8) for citizen_id in people]}
    assert len(scene.partner.call(grant, "verify", checks).json["results"]) == 1000
    padded = b'{"key": {"citizen_id": "%s"}}' % first.encode() + b" " * 16_384
    check_refused(scene.partner.call(scene.grant(), "query", padded), "call.body_too_large")
    check_refused(scene.partner.call(scene.grant(), "query", b" " * 20_000), "call.body_too_large")
    check_refused(scene.partner.call(scene.grant(), "query", b" " * 140_000), "call.body_too_large")


def test_items_of_a_batch_are_granted_ones_or_the_call_is_refused(scene: Scene) -> None:
    grant = scene.grant()
    body = keys_of(scene.people[0].citizen_id)
    assert scene.partner.call(grant, "query", body | {"fields": ["sex"]}).json["results"][0]["data"] == {"sex": "1"}
    check_refused(scene.partner.call(grant, "query", body | {"fields": ["phone"]}), "grant.field_not_granted")
    grant = scene.grant(mode="VERIFY")
    checks = [check_of(scene.people[0].citizen_id, name="张三丰"), check_of(scene.people[0].citizen_id, phone="1")]
    check_refused(scene.partner.call(grant, "verify", {"checks": checks}), "grant.field_not_granted")
    assert outcomes_of(grant) == ["grant.field_not_granted"]


def test_people_outside_the_granted_division_are_not_found_in_a_batch(scene: Scene) -> None:
    reply = scene.partner.call(scene.grant(region_prefix="320104"), "query", keys_of(*(p.citizen_id for p in scene.people)))
    assert [result["status"] for result in reply.json["results"]] == ["not_found", "found"]


def test_checks_compare_values_of_their_own(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", fields=["sex", "name", "address"])
    first, second = (person.citizen_id for person in scene.people)
    checks = [
        check_of(first, name="张三丰"),
        check_of(second, address="某地", name='李"四\\'),
        check_of(STRANGER, name="某人"),
        check_of(first, sex="2", name=" 张三丰 "),
        check_of("x", name="某人"),
        {"key": {"citizen_id": first}},
    ]
    reply = scene.partner.call(grant, "verify", {"checks": checks})
    assert [result.get("result") for result in reply.json["results"]] == [
        {"name": "yes"},
        {"name": "no", "address": "not_available"},
        {"name": "not_available"},
        {"sex": "no", "name": "yes"},
        None,
        None,
    ]
    assert [result["status"] for result in reply.json["results"]] == ["answered"] * 4 + ["invalid"] * 2
    assert (records_of(grant)[0].fields, records_of(grant)[0].subject_count) == (["sex", "name", "address"], 4)


def test_a_batch_is_sent_once(scene: Scene) -> None:
    grant = scene.grant()
    body = keys_of(scene.people[0].citizen_id)
    assert scene.partner.call(grant, "query", body, nonce="batch-0001").status == 200
    check_refused(scene.partner.call(grant, "query", body, nonce="batch-0001"), "call.replayed")


def test_a_batch_on_a_grant_revoked_meanwhile_reads_nothing(scene: Scene) -> None:
    grant = scene.grant()
    body = keys_of(scene.people[0].citizen_id)
    assert scene.partner.call(grant, "query", body).status == 200
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    check_refused(scene.partner.call(grant, "query", body), "grant.revoked")
    assert CallSubjects.objects.filter(call_id__in=[record.call_id for record in records_of(grant)]).count() == 1


@pytest.mark.parametrize("mode", ["query", "verify"])
def test_a_warm_batch_takes_one_round_trip_to_redis_and_one_statement(scene: Scene, mode: str) -> None:
    grant = scene.grant(mode=mode.upper())
    first = scene.people[0].citizen_id
    body = keys_of(first, STRANGER) if mode == "query" else {"checks": [check_of(first, name="张三丰")]}
    assert scene.partner.call(grant, mode, body).status == 200
    with watched() as (statements, commands):
        assert scene.partner.call(grant, mode, body).status == 200
    assert len(statements) == len(commands) == 1
    assert statements[0].startswith("EXECUTE call_")


def test_batches_work_without_prepared_statements(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.settings, "CALL_PREPARED_STATEMENTS", False, raising=False)
    reply = scene.partner.call(scene.grant(), "query", keys_of(scene.people[0].citizen_id, "x"))
    assert [result["status"] for result in reply.json["results"]] == ["found", "invalid"]


def test_sql_of_a_batch_reads_only_granted_columns_and_the_key(scene: Scene) -> None:
    terms = registry.grants.get(str(scene.grant(mode="VERIFY", fields=["name", "sex"]).uid))
    assert terms is not None
    assert terms.selection is not None
    columns = {*DATASETS["population.person"].field_names, "subject_key"}
    for mode in ("QUERY", "VERIFY"):
        sql = batch_sql(mode, terms.selection, WORDS)
        assert {name for name in columns if f"found.{name}" in sql} == {"name", "sex", "subject_key", "region_code"}
        assert "found.*" not in sql


def test_months_of_the_kept_subjects_are_made_with_those_of_the_record(scene: Scene) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent "
            "WHERE p.relname IN ('exchange_callrecord', 'exchange_callsubjects')"
        )
        names = {name for (name,) in cursor}
    months = {name.rsplit("_", 1)[1] for name in names}
    assert names == {f"exchange_{table}_{month}" for table in ("callrecord", "callsubjects") for month in months}
