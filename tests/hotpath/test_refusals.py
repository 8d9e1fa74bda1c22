"""What a call is refused for: its own stable code, nothing answered, and a record where the caller is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from basedb.identifiers import generate_citizen_id
from exchange.calls import admission
from exchange.calls.attempts import RECORDED_A_MINUTE, tally
from exchange.calls.refusals import REFUSALS
from exchange.models import CallRecord, Grant, RejectedAttempt
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner, Reply
from tests.hotpath.records import outcomes_of
from tests.hotpath.refused import check_refused, now
from tests.hotpath.scene import Scene


def check_recorded(scene: Scene, reply: Reply, code: str) -> CallRecord:
    """Assert that exactly this call was recorded with its code, and nothing as answered."""
    record = CallRecord.objects.get(call_id=reply.json["request_id"])
    assert (record.outcome, record.answer_digest, record.row_count) == (code, None, None)
    return record


GRANTS: dict[str, dict[str, Any]] = {
    "grant.expired": {"valid_from": now() - timedelta(days=2), "valid_to": now() - timedelta(days=1)},
    "grant.not_yet_valid": {"valid_from": now() + timedelta(days=1)},
    "grant.suspended": {"state": "SUSPENDED"},
    "grant.revoked": {"state": "REVOKED"},
    "grant.mode_mismatch": {"mode": "VERIFY"},
    "grant.unusable": {"fields": ["name", "no_such_item"]},
    "quota.day_exceeded": {"quota_per_day": 0},
    "quota.second_exceeded": {"quota_per_second": 0},
}


@pytest.mark.parametrize("code", GRANTS)
def test_grant_that_does_not_allow_the_call(scene: Scene, code: str) -> None:
    grant = scene.grant(**GRANTS[code])
    reply = scene.partner.query(grant, scene.people[0].citizen_id)
    check_refused(reply, code)
    record = check_recorded(scene, reply, code)
    assert (record.grant_id, record.provider_id, record.mode) == (grant.id, scene.city.police.id, "QUERY")


@pytest.mark.parametrize("mode", ["verify", "query", "bulk"])
def test_each_mode_needs_a_grant_of_its_own(scene: Scene, mode: str) -> None:
    other = {"verify": "QUERY", "query": "BULK", "bulk": "VERIFY"}[mode]
    check_refused(scene.partner.call(scene.grant(mode=other), mode, {}), "grant.mode_mismatch")


def test_quota_refusals_say_when_to_come_back(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=1)
    citizen_id = scene.people[0].citizen_id
    assert scene.partner.query(grant, citizen_id).status == 200
    reply = scene.partner.query(grant, citizen_id)
    check_refused(reply, "quota.day_exceeded")
    assert reply.headers["RateLimit-Remaining"] == "0"
    assert reply.headers["Retry-After"] == reply.headers["RateLimit-Reset"]
    assert outcomes_of(grant) == ["call.answered", "quota.day_exceeded"]


def test_quota_counts_admissions_not_malformed_calls(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=1)
    for _ in range(3):
        check_refused(scene.partner.call(grant, "query", {"kye": 1}), "call.invalid_parameter")
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200


def test_grant_of_another_system_and_no_grant_look_alike(scene: Scene) -> None:
    stranger = partners.make_partner(scene.city.market)
    grant = scene.grant()
    reply = stranger.query(grant, scene.people[0].citizen_id)
    check_refused(reply, "grant.not_found")
    record = check_recorded(scene, reply, "grant.not_found")
    assert (record.grant_id, record.resource_id, record.consumer_id) == (None, None, stranger.system.id)
    unknown = Grant(uid="00000000-0000-7000-8000-000000000000")
    check_refused(stranger.query(unknown, scene.people[0].citizen_id), "grant.not_found")


@pytest.mark.parametrize("body", [{"fields": ["name", "address"]}, {"fields": ["citizen_id"]}])
def test_columns_that_are_not_granted(scene: Scene, body: dict[str, Any]) -> None:
    grant = scene.grant()
    reply = scene.partner.call(grant, "query", {"key": {"citizen_id": scene.people[0].citizen_id}} | body)
    check_refused(reply, "grant.field_not_granted")
    check_recorded(scene, reply, "grant.field_not_granted")
    body = {"key": {"citizen_id": scene.people[0].citizen_id}, "attributes": {"address": "某地"}}
    check_refused(scene.partner.call(scene.grant(mode="VERIFY"), "verify", body), "grant.field_not_granted")


VALID_ID = generate_citizen_id("990101", date(1980, 5, 17), 11)
WRONG_CHECK = VALID_ID[:17] + ("1" if VALID_ID[17] == "0" else "0")
KEY = {"citizen_id": VALID_ID}
MALFORMED: list[tuple[str, Any, dict[str, str]]] = [
    ("query", b"", {"key": "required"}),
    ("query", b"not json", {"body": "not_json"}),
    ("query", b"\xff\xfe", {"body": "not_json"}),
    ("query", b'{"key": {}, "key": {}}', {"body": "not_json"}),
    ("query", b"[" * 9000, {"body": "not_json"}),
    ("query", [], {"body": "not_an_object"}),
    ("query", {"key": KEY, "limit": 5}, {"limit": "unknown"}),
    ("query", {"key": "990101198005170115"}, {"key": "must_be_an_object_with_citizen_id"}),
    ("query", {"key": {"uscc": "x"}}, {"key": "must_be_an_object_with_citizen_id"}),
    ("query", {"key": KEY | {"name": "x"}}, {"key": "must_be_an_object_with_citizen_id"}),
    ("query", {"key": {"citizen_id": 990101198005170115}}, {"key.citizen_id": "not_a_string"}),
    ("query", {"key": {"citizen_id": "9" * 65}}, {"key.citizen_id": "empty_or_too_long"}),
    ("query", {"key": {"citizen_id": VALID_ID + "\u0000"}}, {"key.citizen_id": "control_character"}),
    (
        "query",
        {"key": {"citizen_id": WRONG_CHECK}},
        {"key.citizen_id": "not_a_valid_identifier"},
    ),
    ("query", {"key": KEY, "fields": "name"}, {"fields": "not_a_list_of_names"}),
    ("query", {"key": KEY, "fields": []}, {"fields": "not_a_list_of_names"}),
    ("query", {"key": KEY, "fields": ["name", 1]}, {"fields": "not_a_string"}),
    ("query", {"key": KEY, "fields": ["name", "name"]}, {"fields": "named_twice"}),
    ("query", {"key": KEY, "fields": ["na\nme"]}, {"fields": "control_character"}),
    ("verify", {"key": KEY}, {"attributes": "required"}),
    ("verify", {"key": KEY, "attributes": {}}, {"attributes": "must_be_an_object_of_values"}),
    ("verify", {"key": KEY, "attributes": ["name"]}, {"attributes": "must_be_an_object_of_values"}),
    ("verify", {"key": KEY, "attributes": {"name": None}}, {"attributes.name": "not_a_string"}),
    ("verify", {"key": KEY, "attributes": {"name": "张\u202e三"}}, {"attributes.name": "control_character"}),
    ("verify", {"key": KEY, "attributes": {"name": "张" * 501}}, {"attributes.name": "empty_or_too_long"}),
    ("verify", {"key": KEY, "attributes": {"name": "张" * 51}}, {"attributes.name": "not_a_value_of_this_item"}),
    ("bulk", {"format": "xlsx"}, {"format": "only_csv"}),
    ("bulk", {"key": KEY}, {"key": "unknown"}),
]


@pytest.mark.parametrize(("mode", "body", "details"), MALFORMED)
def test_malformed_question_is_told_which_parameter_and_why(scene: Scene, mode: str, body: Any, details: dict[str, str]) -> None:
    reply = scene.partner.call(scene.grant(mode=mode.upper()), mode, body)
    check_refused(reply, "call.invalid_parameter")
    assert reply.json["details"] == details
    check_recorded(scene, reply, "call.invalid_parameter")


def test_body_that_is_too_large(scene: Scene) -> None:
    reply = scene.partner.call(scene.grant(), "query", b" " * 20_000)
    check_refused(reply, "call.body_too_large")
    check_recorded(scene, reply, "call.body_too_large")


def test_body_that_was_changed_on_the_way(scene: Scene) -> None:
    path = partners.path_of(scene.grant(), "query")
    reply = partners.send(path, scene.partner.headers(path, b"{}"), b"{ }")
    check_refused(reply, "auth.bad_digest")
    check_recorded(scene, reply, "auth.bad_digest")


@pytest.mark.parametrize("seconds", [-301, 302])
def test_clock_of_the_caller_is_wrong_and_the_record_has_ours(scene: Scene, seconds: int) -> None:
    grant = scene.grant()
    reply = scene.partner.query(grant, scene.people[0].citizen_id, at=time.time() + seconds)
    check_refused(reply, "auth.clock_skew")
    record = check_recorded(scene, reply, "auth.clock_skew")
    assert abs((record.requested_at - now()).total_seconds()) < 30


CREDENTIALS: dict[str, dict[str, Any]] = {
    "auth.credential_expired": {"valid_from": now() - timedelta(days=2), "valid_to": now() - timedelta(days=1)},
    "auth.credential_not_yet_valid": {"valid_from": now() + timedelta(days=1)},
    "auth.credential_revoked": {"state": "REVOKED"},
}


@pytest.mark.parametrize("code", CREDENTIALS)
def test_key_that_is_not_in_force(scene: Scene, code: str) -> None:
    partner = partners.make_partner(scene.city.education, **CREDENTIALS[code])
    reply = partner.query(partners.grant_to(partner, scene.resource, scene.city), scene.people[0].citizen_id)
    check_refused(reply, code)
    check_recorded(scene, reply, code)


def test_system_that_is_switched_off(scene: Scene) -> None:
    partner = partners.make_partner(scene.city.education)
    type(partner.system).objects.filter(pk=partner.system.pk).update(is_active=False)
    reply = partner.query(partners.grant_to(partner, scene.resource, scene.city), scene.people[0].citizen_id)
    check_refused(reply, "auth.system_disabled")
    check_recorded(scene, reply, "auth.system_disabled")


def attempts_with(code: str) -> int:
    """Return how many attempts were counted."""
    tally.flush()
    return sum(RejectedAttempt.objects.filter(code=code).values_list("count", flat=True))


def _without(name: str) -> Callable[[Partner, dict[str, str]], dict[str, str]]:
    return lambda _, headers: {key: value for key, value in headers.items() if key != name}


def _with(name: str, value: str) -> Callable[[Partner, dict[str, str]], dict[str, str]]:
    return lambda _, headers: headers | {name: value}


STRANGE: list[tuple[str, Callable[[Partner, dict[str, str]], dict[str, str]]]] = [
    *(("auth.missing_header", _without(f"X-Gov-{name}")) for name in ("Key", "Timestamp", "Nonce", "Digest", "Signature")),
    ("auth.missing_header", _with("X-Gov-Timestamp", "yesterday")),
    ("auth.missing_header", _with("X-Gov-Nonce", "short")),
    ("auth.missing_header", _with("X-Gov-Nonce", "n" * 65)),
    ("auth.missing_header", _with("X-Gov-Nonce", "'; DROP TABLE x")),
    ("auth.missing_header", _with("X-Gov-Signature", "not base64!")),
    ("auth.unknown_key", _with("X-Gov-Key", "nobody")),
    ("auth.bad_signature", _with("X-Gov-Signature", "AAAA")),
    ("auth.bad_signature", _with("X-Gov-Nonce", "another-nonce")),
    ("auth.bad_signature", _with("X-Gov-Algorithm", "HMAC-SM3")),
]


@pytest.mark.parametrize(("code", "change"), STRANGE)
def test_caller_we_cannot_recognize_is_counted_not_recorded(
    scene: Scene, code: str, change: Callable[[Partner, dict[str, str]], dict[str, str]]
) -> None:
    grant = scene.grant()
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    path = partners.path_of(grant, "query")
    before, records = attempts_with(code), CallRecord.objects.count()
    reply = partners.send(path, change(scene.partner, scene.partner.headers(path, body)), body)
    check_refused(reply, code)
    assert "X-Gov-Answer-Signature" not in reply.headers
    assert CallRecord.objects.count() == records
    assert attempts_with(code) == before + 1


def test_ten_thousand_bad_attempts_make_few_rows_and_the_count_is_right(scene: Scene) -> None:
    RejectedAttempt.objects.all().delete()
    grant = scene.grant()
    path = partners.path_of(grant, "query")
    headers = scene.partner.with_wrong_secret().headers(path, b"{}")
    for number in range(10_000):
        key = {"X-Gov-Key": f"guess-{number}"} if number % 2 else {}
        tally.count("auth.unknown_key" if number % 2 else "auth.bad_signature", (headers | key)["X-Gov-Key"], "192.0.2.9")
    for _ in range(50):
        check_refused(partners.send(path, headers, b"{}"), "auth.bad_signature")
    assert attempts_with("auth.unknown_key") == 5_000
    assert attempts_with("auth.bad_signature") == 5_050
    assert RejectedAttempt.objects.count() <= 120  # about fifty a minute; the minute may have turned


@pytest.mark.parametrize(
    ("code", "method", "path", "query"),
    [
        ("call.method_not_allowed", "GET", "/openapi/v1/calls/00000000-0000-7000-8000-000000000000/query", ""),
        ("call.unknown_path", "POST", "/openapi/v1/calls/17/query", ""),
        ("call.unknown_path", "POST", "/openapi/v1/calls/00000000-0000-7000-8000-000000000000/export", ""),
        ("call.unknown_path", "POST", "/openapi/v1/calls/00000000-0000-7000-8000-000000000000/query", "all=1"),
    ],
)
def test_address_that_does_not_exist(code: str, method: str, path: str, query: str) -> None:
    check_refused(partners.send(path, {}, b"", method=method, query=query), code)


def test_replayed_request_is_refused_and_recorded(scene: Scene) -> None:
    grant = scene.grant()
    at = time.time()
    first = scene.partner.query(grant, scene.people[0].citizen_id, nonce="used-twice", at=at)
    reply = scene.partner.query(grant, scene.people[0].citizen_id, nonce="used-twice", at=at)
    assert first.status == 200
    check_refused(reply, "call.replayed")
    assert outcomes_of(grant) == ["call.answered", "call.replayed"]


def test_postgresql_refuses_a_replay_that_redis_has_forgotten(scene: Scene) -> None:
    grant = scene.grant()
    at = time.time()
    scene.partner.query(grant, scene.people[0].citizen_id, nonce="remember-me", at=at)
    for name in admission.client().scan_iter(admission.key_of("nonce", "*")):
        admission.client().delete(name)
    reply = scene.partner.query(grant, scene.people[0].citizen_id, nonce="remember-me", at=at)
    check_refused(reply, "call.replayed")
    assert outcomes_of(grant) == ["call.answered", "call.replayed"]


@pytest.mark.parametrize("mode", ["query", "verify", "bulk"])
def test_no_record_no_data(scene: Scene, mode: str) -> None:
    """With the month's partition gone nothing can be recorded, so nothing may be answered."""
    bodies: dict[str, dict[str, Any]] = {"query": {}, "verify": {"attributes": {"name": "张三丰"}}, "bulk": {}}
    body = bodies[mode] | ({} if mode == "bulk" else {"key": {"citizen_id": scene.people[0].citizen_id}})
    grant = scene.grant(mode=mode.upper(), masks={})
    partition = f"exchange_callrecord_{now():%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s", [partition])
        bound = cursor.fetchone()[0]
        cursor.execute(f"ALTER TABLE exchange_callrecord DETACH PARTITION {partition}")
    try:
        reply = scene.partner.call(grant, mode, body)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE exchange_callrecord ATTACH PARTITION {partition} {bound}")
    check_refused(reply, "platform.unavailable")
    assert "yes" not in reply.body.decode()
    assert outcomes_of(grant) == []
    assert attempts_with("platform.unavailable") >= 1


def test_every_code_has_a_sentence_and_a_status_of_refusal() -> None:
    for code, verdict in REFUSALS.items():
        assert len(code) <= 40
        assert 400 <= verdict.status <= 503
        assert str(verdict.message)


def test_refusals_of_a_known_key_are_recorded_up_to_a_limit_and_counted_beyond_it(
    scene: Scene,
) -> None:
    partner = partners.make_partner(scene.city.education, state="REVOKED")
    grant, before = partners.grant_to(partner, scene.resource, scene.city), attempts_with("auth.credential_revoked")
    for _ in range(RECORDED_A_MINUTE + 7):
        check_refused(partner.query(grant, scene.people[0].citizen_id), "auth.credential_revoked")
    recorded = CallRecord.objects.filter(consumer_id=partner.system.id).count()
    counted = attempts_with("auth.credential_revoked") - before
    assert recorded + counted == RECORDED_A_MINUTE + 7
    assert recorded in range(RECORDED_A_MINUTE, 2 * RECORDED_A_MINUTE + 1)  # the minute may have turned
    assert counted > 0


def test_wrong_time_under_a_wrong_signature_is_counted_only(scene: Scene) -> None:
    path, records = partners.path_of(scene.grant(), "query"), CallRecord.objects.count()
    headers = scene.partner.with_wrong_secret().headers(path, b"{}", at=time.time() - 900)
    check_refused(partners.send(path, headers, b"{}"), "auth.bad_signature")
    assert CallRecord.objects.count() == records
