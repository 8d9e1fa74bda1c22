"""What a call answers: exactly the granted columns, masked as granted, and a record that was there first."""

from __future__ import annotations

import hashlib
import json

import pytest

from basedb.identifiers import generate_citizen_id
from basedb.masking import OF_GEOMETRY, Mask, mask_value
from exchange.models import Grant
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner, Reply
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.scene import Scene


def check_signed(partner: Partner, reply: Reply, nonce: str, body: bytes) -> None:
    digest = hashlib.sha256(reply.body).hexdigest()
    assert reply.headers["X-Gov-Answer-Digest"] == digest
    text = f"{nonce}\n{hashlib.sha256(body).hexdigest()}\n{reply.status}\n{digest}"
    assert reply.headers["X-Gov-Answer-Signature"] == partner.sign(text)


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC-SM3"])
def test_query_answers_exactly_the_granted_columns_masked_and_signed(scene: Scene, algorithm: str) -> None:
    partner = partners.make_partner(scene.city.education, algorithm=algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    citizen_id = scene.people[0].citizen_id
    body = json.dumps({"key": {"citizen_id": citizen_id}}).encode()

    reply = partner.call(grant, "query", body, nonce="nonce-0001")

    assert (reply.status, reply.json["status"]) == (200, "found")
    assert reply.json["data"] == {"name": "张**", "sex": "1"}
    assert reply.json["as_of"]
    check_signed(partner, reply, "nonce-0001", body)
    [record] = records_of(grant)
    assert reply.headers["X-Gov-Call-Id"] == reply.json["call_id"] == str(record.call_id)
    assert (record.outcome, record.mode, record.fields, record.row_count) == ("call.answered", "QUERY", ["name", "sex"], 1)
    assert bytes(record.answer_digest) == hashlib.sha256(reply.body).digest()
    assert bytes(record.request_digest) == hashlib.sha256(body).digest()
    assert bytes(record.subject_key) == bytes(scene.people[0].subject_key)
    assert (record.consumer_id, record.department_id) == (partner.system.id, scene.city.education.id)
    assert (record.resource_id, record.provider_id) == (scene.resource.id, scene.city.police.id)
    assert (record.grant_version, record.nonce, record.client_ip) == (1, "nonce-0001", "192.0.2.7")
    assert citizen_id not in str(vars(record))


def test_a_query_may_ask_for_fewer_columns(scene: Scene) -> None:
    grant = scene.grant()
    reply = scene.partner.call(grant, "query", {"key": {"citizen_id": scene.people[0].citizen_id}, "fields": ["sex"]})
    assert reply.json["data"] == {"sex": "1"}
    assert records_of(grant)[0].fields == ["sex"]


def test_a_call_that_finds_nobody_leaves_its_record(scene: Scene) -> None:
    from datetime import date

    grant = scene.grant()
    reply = scene.partner.query(grant, generate_citizen_id("990101", date(1999, 9, 9), 99))
    assert (reply.status, reply.json["status"], reply.json["data"]) == (200, "not_found", None)
    assert [(record.outcome, record.row_count) for record in records_of(grant)] == [("call.answered", 0)]


def test_people_outside_the_granted_division_are_not_found(scene: Scene) -> None:
    grant = scene.grant(region_prefix="320104")
    assert scene.partner.query(grant, scene.people[0].citizen_id).json["status"] == "not_found"
    assert scene.partner.query(grant, scene.people[1].citizen_id).json["status"] == "found"


@pytest.mark.parametrize("mask", [mask for mask in Mask if mask not in OF_GEOMETRY])
def test_every_mask_is_applied_in_the_answer(scene: Scene, mask: Mask) -> None:
    grant = scene.grant(fields=["citizen_id", "name", "address"], masks=dict.fromkeys(["citizen_id", "name", "address"], mask))
    person = scene.people[0]
    data = scene.partner.query(grant, person.citizen_id).json["data"]
    assert data == {name: mask_value(mask, getattr(person, name)) for name in ("citizen_id", "name", "address")}


def test_the_identifier_may_be_written_with_blanks_and_a_small_letter(scene: Scene) -> None:
    person = partners.make_person(scene.city.police, next(n for n in range(900, 999) if _ends_in_x(n)))
    written = f" {person.citizen_id[:6]} {person.citizen_id[6:].lower()} "
    assert scene.partner.query(scene.grant(), written).json["status"] == "found"


def _ends_in_x(sequence: int) -> bool:
    from datetime import date

    return generate_citizen_id("990101", date(1980, 5, 17), sequence).endswith("X")


def verify(scene: Scene, grant: Grant, sequence: int, **attributes: str) -> dict[str, str]:
    body = {"key": {"citizen_id": scene.people[sequence].citizen_id}, "attributes": attributes}
    reply = scene.partner.call(grant, "verify", body)
    assert reply.status == 200, reply.body
    assert reply.json.keys() == {"call_id", "result"}
    result: dict[str, str] = reply.json["result"]
    return result


def test_verification_says_yes_no_or_not_available_and_no_data(scene: Scene) -> None:
    grant = scene.grant(mode="VERIFY", fields=["name", "sex", "address"], masks={"name": "NAME"})
    assert verify(scene, grant, 0, name="张三丰", sex="2") == {"name": "yes", "sex": "no"}
    assert verify(scene, grant, 1, address="某地") == {"address": "not_available"}
    stranger = {"key": {"citizen_id": generate_citizen_id("990101", scene.people[0].birth_on, 777)}, "attributes": {"name": "某人"}}
    assert scene.partner.call(grant, "verify", stranger).json["result"] == {"name": "not_available"}
    assert outcomes_of(grant) == ["call.answered"] * 3
    assert records_of(grant)[0].fields == ["name", "sex"]


def test_verification_compares_days_as_days(scene: Scene) -> None:
    from catalog.models import Binding, DataItem
    from tests import factories

    resource = factories.make_resource(scene.city.police)
    DataItem.objects.create(resource=resource, position=9, name="birthday", title="出生日期", data_type="D", grade="L3")
    Binding.objects.filter(resource=resource).update(columns={"birthday": "birth_on"})
    grant = partners.grant_to(scene.partner, resource, scene.city, mode="VERIFY", fields=["birthday"])
    assert verify(scene, grant, 0, birthday="1980-05-17") == {"birthday": "yes"}
    assert verify(scene, grant, 0, birthday="19800518") == {"birthday": "no"}
    body = {"key": {"citizen_id": scene.people[0].citizen_id}, "attributes": {"birthday": "1980-13-45"}}
    assert scene.partner.call(grant, "verify", body).json["details"] == {"attributes.birthday": "not_a_value_of_this_item"}


def test_bulk_streams_granted_columns_masked_between_two_records(scene: Scene) -> None:
    grant = scene.grant(mode="BULK", fields=["citizen_id", "name"], masks={"name": "NAME"}, region_prefix="3201")
    reply = scene.partner.call(grant, "bulk", {"fields": ["name"]})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    lines = reply.body.decode().splitlines()
    assert lines[0] == "name"
    assert sorted(set(lines[1:])) == ["张**", "李*"]
    opened, closed = records_of(grant)
    assert (opened.outcome, closed.outcome) == ("call.opened", "call.closed")
    assert str(opened.call_id) == reply.headers["X-Gov-Call-Id"]
    assert closed.parent_call_id == opened.call_id != closed.call_id
    assert closed.row_count == len(lines) - 1
    assert bytes(closed.answer_digest) == hashlib.sha256(reply.body).digest()


def test_bulk_broken_off_by_the_caller_is_closed_as_aborted(scene: Scene) -> None:
    import io

    from openapi.calls import application

    grant = scene.grant(mode="BULK", fields=["name"])
    path = partners.path_of(grant, "bulk")
    headers = scene.partner.headers(path, b"{}")
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": "2",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(b"{}"),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    chunks = application(environ, lambda status, headers: None)
    next(iter(chunks))
    chunks.close()  # type: ignore[attr-defined]
    assert outcomes_of(grant) == ["call.opened", "call.aborted"]


def test_answers_tell_what_is_left_of_the_day(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=5)
    headers = scene.partner.query(grant, scene.people[0].citizen_id).headers
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("5", "4")
    assert 0 < int(headers["RateLimit-Reset"]) <= 86_400


def test_legal_entities_are_found_by_their_credit_code(scene: Scene) -> None:
    from datetime import date

    from basedb.identifiers import generate_uscc
    from basedb.models import LegalEntity
    from catalog.models import Binding
    from exchange.systems import key_ring
    from tests import factories

    uscc = generate_uscc(12345, region="990101")
    LegalEntity.objects.create(
        uscc=uscc, name="测试有限公司", region_code="320102", registration_state="1", registered_capital="120.5",
        established_on=date(2020, 1, 2), subject_key=key_ring().subject_key(uscc),
        source_department=scene.city.market, source_record_id=1, run_id=1,
    )  # fmt: skip
    resource = factories.make_resource(scene.city.market, dataset="legal_entity.enterprise")
    columns = {"name": "name", "capital": "registered_capital", "since": "established_on"}
    Binding.objects.filter(resource=resource).update(columns=columns)
    grant = partners.grant_to(scene.partner, resource, scene.city, fields=["name", "capital", "since"], masks={})
    reply = scene.partner.call(grant, "query", {"key": {"uscc": uscc}})
    assert reply.json["data"] == {"name": "测试有限公司", "capital": "120.500000", "since": "2020-01-02"}
