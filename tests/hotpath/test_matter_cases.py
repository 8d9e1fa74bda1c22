"""Fetching for a case over the signed door: once, bound to its body, whole or refused; two at once are one."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from exchange.matters.content import Content, Material, Party
from exchange.models import CallRecord, Grant, MatterCase, MatterFetch
from tests.exchange.matter_scene import publish
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]

PATH = "/openapi/v1/matter-cases"
CONTENT = Content(
    name="入学一件事",
    legal_basis="《中华人民共和国义务教育法》第十二条",
    parties=(Party(role="pupil", title="学生", kind="PERSON"),),
    materials=(
        Material(code="identity", title="身份证明", party="pupil", source="DATASET", dataset="population.person", items=("name",)),
        Material(code="photo", title="照片", party="pupil", source="SUBMIT"),
    ),
)


@pytest.fixture(scope="module", autouse=True)
def grant(scene: Scene) -> Grant:
    publish(scene.city, "enrol", CONTENT, timezone.now())
    return scene.grant(masks={})


def body_of(scene: Scene, **values: Any) -> bytes:
    usual = {
        "matter": "enrol", "case_number": "A-1", "purpose": "入学报名",
        "parties": [{"party": "pupil", "code": scene.people[0].citizen_id}],
    }  # fmt: skip
    return json.dumps(usual | values).encode()


def post(scene: Scene, body: bytes, *, key: str | None = "k-1", sent: bytes | None = None, **signing: Any) -> Any:
    headers = scene.partner.headers(PATH, body, **signing) | ({"Idempotency-Key": key} if key else {})
    return Client().post(PATH, body if sent is None else sent, content_type="application/json", headers=headers)


def test_signed_request_is_answered_once_and_a_repeat_gets_the_same_bytes(scene: Scene) -> None:
    first = post(scene, body_of(scene))
    assert first.status_code == 201, first.content
    told = first.json()
    assert [part["state"] for part in told["parts"]] == ["FOUND", "TO_SUBMIT"]
    assert told["parts"][0]["answer"]["items"] == [{"name": scene.people[0].name}]
    assert first["X-Gov-Answer-Signature"]
    assert first["Cache-Control"] == "no-store"
    assert CallRecord.objects.filter(call_id=told["parts"][0]["call_id"], outcome="call.answered").exists()
    again = post(scene, body_of(scene))
    assert (again.status_code, again.content) == (200, first.content)
    assert post(scene, body_of(scene, purpose="其他")).status_code == 409


def test_case_is_read_later_without_values(scene: Scene) -> None:
    post(scene, body_of(scene, case_number="A-2"))
    path = f"{PATH}/A-2"
    read = Client().get(path, headers=scene.partner.headers(path, b"", method="GET"))
    assert read.status_code == 200
    (fetch,) = read.json()["fetches"]
    assert fetch["parts"][0]["items"] == ["name"]
    assert scene.people[0].name not in read.content.decode()
    missing = f"{PATH}/A-none"
    assert Client().get(missing, headers=scene.partner.headers(missing, b"", method="GET")).status_code == 404


def test_what_is_not_signed_or_signed_otherwise_is_refused(scene: Scene) -> None:
    body = body_of(scene, case_number="A-3")
    assert Client().post(PATH, body, content_type="application/json").status_code == 401
    assert post(scene, body, sent=body.replace(b"A-3", b"A-4")).json()["code"] == "auth.bad_digest"
    headers = scene.partner.headers(PATH, body) | {"Idempotency-Key": "k-3"}
    assert Client().post(PATH, body, content_type="application/json", headers=headers).status_code == 201
    replayed = Client().post(PATH, body, content_type="application/json", headers=headers)
    assert (replayed.status_code, replayed.json()["code"]) == (409, "call.replayed")
    client = Client()
    client.force_login(scene.city.people["education_operator"])
    assert client.post(PATH, body, content_type="application/json").status_code in (401, 403)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"matter": "unknown"}, "matter"),
        ({"extra": 1}, "extra"),
        ({"parties": []}, "parties"),
        ({"parties": [{"party": "pupil", "code": "123"}]}, "parties.pupil"),
        ({"case_number": "办件"}, "case_number"),
    ],
)
def test_bad_bodies_are_told_by_field(scene: Scene, values: dict[str, Any], field: str) -> None:
    answer = post(scene, body_of(scene, **{"case_number": "A-5"} | values), key="k-5")
    assert answer.status_code == 422
    assert field in answer.json()["details"]
    assert not MatterCase.objects.filter(case_number="A-5").exists()


def test_key_is_required_and_a_large_body_refused(scene: Scene) -> None:
    assert post(scene, body_of(scene, case_number="A-6"), key=None).status_code == 422
    assert post(scene, body_of(scene, purpose="x" * 20_000)).status_code == 413


def test_two_at_once_with_one_key_fetch_once(scene: Scene) -> None:
    answers: list[Any] = []

    def work() -> None:
        try:
            answers.append(post(scene, body_of(scene, case_number="A-7"), key="k-7"))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.content for answer in answers}) == 1
    assert MatterFetch.objects.filter(case__case_number="A-7").count() == 1
    assert CallRecord.objects.filter(case_number="A-7").count() == 1


def test_matter_is_told_to_systems(scene: Scene) -> None:
    path = "/openapi/v1/matters/enrol"
    told = Client().get(path, headers=scene.partner.headers(path, b"", method="GET")).json()
    assert [material["replaced_by"] for material in told["materials"]] == ["DATASET", "SUBMIT"]
    assert [party["party"] for party in told["parties"]] == ["pupil"]
