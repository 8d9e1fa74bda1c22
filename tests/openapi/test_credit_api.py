"""Public credit at the door for systems: only what the public sees is listed; repairs and objections are filed once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from basedb.credit import shipped
from basedb.credit.records import KINDS
from basedb.models import CreditRepair
from core.ids import uuid7
from exchange.subject_keys import subject_key_of
from tests.basedb.credit_facts import make_fact
from tests.basedb.credit_rows import CITIZEN, COMPANY
from tests.factories import City

LIST = f"/openapi/v1/credit/records?uscc={COMPANY}&kind=penalty"


def day(ago: int) -> str:
    return f"{date.today() - timedelta(days=ago):%Y%m%d}"


def made(city: City, **values: Any) -> Any:
    given = {"decided_on": day(150), "published_on": day(148), "publish_until": day(-100)}
    fact = make_fact("credit.penalty", city.market, authority_code=city.market.code, **given | values)
    KINDS["credit.penalty"]._default_manager.filter(pk=fact.pk).update(subject_key=subject_key_of(fact.subject_code))
    return fact


@pytest.fixture
def client(city: City) -> Client:
    shipped.load_tiers(apps)
    client = Client()
    client.force_login(city.people["police_operator"])
    return client


def test_only_what_the_public_sees_is_listed(city: City, client: Client) -> None:
    shown = made(city)
    made(city, publish_until=day(1))
    made(city, record_state="1")
    made(city, subject_category="自然人", subject_code=CITIZEN)
    answer = client.get(LIST).json()
    assert [item["record"] for item in answer["items"]] == [bytes(shown.row_key).hex()]
    assert answer["next"] is None
    assert CITIZEN not in str(answer)
    for wrong in (f"?uscc={CITIZEN}&kind=penalty", f"?uscc={COMPANY}&kind=person", f"?uscc={COMPANY}", ""):
        assert client.get(f"/openapi/v1/credit/records{wrong}").status_code == 422
    assert client.get(LIST + "&more=1").status_code == 422


def test_repair_is_filed_once_under_its_key(city: City, client: Client) -> None:
    record = bytes(made(city).row_key).hex()
    body = {"kind": "penalty", "record": record, "reason": "义务已履行", "evidence": "缴款凭证"}
    headers = {"Idempotency-Key": uuid7().hex}
    first = client.post("/openapi/v1/credit/repairs", body, content_type="application/json", headers=headers)
    again = client.post("/openapi/v1/credit/repairs", body, content_type="application/json", headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["uid"] == again.json()["uid"]
    assert client.get(f"/openapi/v1/credit/repairs/{first.json()['uid']}").json()["repair_state"] == "SUBMITTED"
    other = client.post("/openapi/v1/credit/repairs", body, content_type="application/json")
    assert (other.status_code, other.json()["code"]) == (409, "repair.already_open")
    assert CreditRepair.objects.count() == 1


def test_too_early_repair_is_told_the_first_day(city: City, client: Client) -> None:
    record = bytes(made(city, decided_on=day(10), published_on=day(10)).row_key).hex()
    body = {"kind": "penalty", "record": record, "reason": "义务已履行", "evidence": "缴款凭证"}
    refused = client.post("/openapi/v1/credit/repairs", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, "repair.too_early")
    assert date.fromisoformat(refused.json()["details"]["first_day"][0]) > date.today()


def test_objection_marks_the_record_in_the_list(city: City, client: Client) -> None:
    record = bytes(made(city).row_key).hex()
    body = {"kind": "penalty", "record": record, "reason": "主体有误"}
    filed = client.post("/openapi/v1/credit/objections", body, content_type="application/json")
    assert filed.status_code == 201
    assert client.get(LIST).json()["items"][0]["is_disputed"] is True
    uid = filed.json()["uid"]
    assert client.get(f"/openapi/v1/credit/objections/{uid}").json()["credit_objection_state"] == "RAISED"
    unknown = client.post("/openapi/v1/credit/objections", body | {"record": "0" * 32}, content_type="application/json")
    assert unknown.status_code == 404
