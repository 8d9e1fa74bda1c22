"""Handing in licenses to be issued by a person with a session: rows tell, a key works once, another form is refused by field."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from licenses.issuing import batch_work
from licenses.models import IssuingBatch
from tests.factories import City
from tests.licenses.issuing_scene import card_type, make_person, values_of

pytestmark = pytest.mark.django_db
PATH = "/openapi/v1/licenses/batches"


def body(city: City, code: str, **values: Any) -> dict[str, Any]:
    row = values_of(make_person(city.police))
    return {"type_code": code, "rows": [row | values]}


@pytest.fixture
def operator(city: City, client: Client) -> Client:
    client.force_login(city.people["market_operator"])
    return client


def posted(client: Client, given: Any, **headers: str) -> Any:
    return client.post(PATH, json.dumps(given), content_type="application/json", headers=headers)


def test_rows_tell_what_became_of_them(city: City, operator: Client, now: datetime) -> None:
    version = card_type(city)
    given = body(city, version.code)
    given["rows"].append(values_of(make_person(city.police, person_status="9")))
    answer = posted(operator, given)
    assert (answer.status_code, answer.json()["batch_state"]) == (201, "CHECKING")
    batch = IssuingBatch.objects.get()
    batch_work.work(batch_uid=batch.uid, clock=lambda: now)
    told = operator.get(f"{PATH}/{batch.uid}").json()
    assert (told["batch_state"], told["good_count"], told["refused_count"]) == ("TO_SIGN", 1, 1)
    first = operator.get(f"{PATH}/{batch.uid}/rows", {"limit": "1"}).json()
    second = operator.get(f"{PATH}/{batch.uid}/rows", {"limit": "1", "after": first["next"]}).json()
    assert [row["row_state"] for row in (*first["items"], *second["items"])] == ["GOOD", "REFUSED"]
    assert second["items"][0]["faults"][0]["code"] == "holder.dead"
    assert second["next"] is None
    assert operator.get(f"{PATH}/{batch.uid}/rows", {"row_state": "ISSUED"}).json()["items"] == []


def test_a_key_sent_twice_makes_one_batch(city: City, operator: Client) -> None:
    given = body(city, card_type(city).code)
    first, second = (posted(operator, given, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["uid"] == second.json()["uid"]
    assert posted(operator, body(city, given["type_code"]), **{"Idempotency-Key": "k1"}).status_code == 409


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"holders": []}, "rows.0.holders"),
        ({"holders": [{"name": "甲"}]}, "rows.0.holders.0.code"),
        ({"valid_to": "2026-02-30"}, "rows.0.valid_to"),
        ({"face": {"trade": 1}}, "rows.0.face"),
        ({"unknown": "x"}, "rows.0.unknown"),
        ({"region_code": "南京"}, "rows.0.region_code"),
        ({"has_paper": "yes"}, "rows.0.has_paper"),
    ],
)
def test_a_body_of_another_form_is_refused_by_field(city: City, operator: Client, row: dict[str, Any], field: str) -> None:
    answer = posted(operator, body(city, card_type(city).code, **row))
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.json()["details"]), answer.json()
    assert not IssuingBatch.objects.exists()


def test_types_of_others_and_unknown_ones_are_refused(city: City, operator: Client) -> None:
    version = card_type(city, department=city.police)
    assert posted(operator, body(city, version.code)).json()["code"] == "license.not_entrusted"
    assert posted(operator, body(city, "11100000000013338W999")).status_code == 404
