"""Bundles, remarks and attachments at the door for systems."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Resource
from exchange.models import AccessRequest, Attachment, Remark, RequestBundle
from tests import factories
from tests.factories import City
from tests.portal.test_requests import as_

BUNDLES = "/openapi/v1/bundles"


@pytest.fixture(autouse=True)
def upload_dir(settings: Any, tmp_path: Path) -> None:
    settings.UPLOAD_DIR = tmp_path


@pytest.fixture
def resources(city: City) -> list[Resource]:
    return [factories.make_resource(city.police), factories.make_resource(city.market)]


@pytest.fixture
def body(city: City, resources: list[Resource], now: datetime) -> dict[str, Any]:
    return {
        "system": str(factories.make_system(city.education).uid),
        "purpose": "入学资格核验",
        "legal_basis": "《义务教育法》第九条",
        "scenario": "小学入学报名",
        "term_from": now.date().isoformat(),
        "term_to": (now.date() + timedelta(days=30)).isoformat(),
        "parts": [{"resource": str(r.uid), "mode": "QUERY", "fields": ["name", "sex"]} for r in resources],
    }


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def test_a_bundle_is_made_once_a_key_and_read_with_its_parts(client: Client, city: City, body: dict[str, Any]) -> None:
    body["parts"][0]["matters"] = ["A-1"]
    as_(client, city, "education_operator")
    first, second = (post(client, BUNDLES, body, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, second.status_code, first.json()) == (201, 200, second.json())
    made = first.json()
    assert [part["matters"] for part in made["parts"]] == [["A-1"], []]
    assert [part["state"] for part in made["parts"]] == ["SUBMITTED", "SUBMITTED"]
    assert client.get(f"{BUNDLES}/{made['uid']}").json() == made
    assert client.get(BUNDLES).json()["items"][0]["number"] == made["number"]
    assert as_(client, city, "market_operator").get(f"{BUNDLES}/{made['uid']}").status_code == 404
    as_(client, city, "education_head")
    seen = [{"uid": part["uid"], "revision": part["revision"]} for part in made["parts"]]
    results = post(client, f"{BUNDLES}/{made['uid']}/endorse", {"parts": seen}).json()
    assert [(result["state"], result["error"]) for result in results] == [("ENDORSED", "")] * 2


def test_a_wrong_part_is_named_and_nothing_is_made(client: Client, city: City, body: dict[str, Any]) -> None:
    as_(client, city, "education_operator")
    body["parts"][1]["fields"] = ["salary"]
    answer = post(client, BUNDLES, body)
    assert (answer.status_code, list(answer.json()["details"])) == (422, ["parts[1].fields"])
    changes: list[dict[str, Any]] = [{"parts": []}, {"parts": [{}]}, {"surprise": 1}, {"parts": body["parts"] * 11}]
    for change in changes:
        assert post(client, BUNDLES, body | change).status_code == 422, change
    assert (RequestBundle.objects.count(), AccessRequest.objects.count()) == (0, 0)


def test_remarks_and_their_files_come_as_a_form_and_private_ones_stay_hidden(
    client: Client, city: City, resources: list[Resource]
) -> None:
    made = factories.make_request(
        resources[0], factories.make_system(city.education), city.people["education_operator"], state="CLEARED",
        desk="DATA_CENTRE", route="DATA_CENTRE_ALONE",
    )  # fmt: skip
    path = f"/openapi/v1/access-requests/{made.uid}/remarks"
    as_(client, city, "reviewer")
    form = {"text": "内部意见", "is_private": "true", "file": SimpleUploadedFile("a.txt", b"a")}
    assert client.post(path, form, headers={"Idempotency-Key": "r1"}).status_code == 201
    assert client.post(path, {"text": "请补充"}).json()["is_private"] is False
    assert client.post(path, {"text": "x", "surprise": "1"}).status_code == 422
    assert [row["text"] for row in client.get(path).json()["items"]] == ["请补充", "内部意见"]
    file = Attachment.objects.get()
    assert client.get(f"/openapi/v1/attachments/{file.uid}").content == b"a"
    as_(client, city, "education_operator")
    assert [row["text"] for row in client.get(path).json()["items"]] == ["请补充"]
    assert client.get(f"/openapi/v1/attachments/{file.uid}").status_code == 404
    assert client.post(path, {"text": "x", "is_private": "true"}).status_code == 403
    assert as_(client, city, "market_operator").get(path).status_code == 404
    assert Remark.objects.count() == 2


def test_files_of_a_draft_are_attached_once_a_key_and_refused_ones_are_named(
    client: Client, city: City, resources: list[Resource]
) -> None:
    made = factories.make_request(
        resources[0], factories.make_system(city.education), city.people["education_operator"], state="DRAFTED"
    )
    path = f"/openapi/v1/access-requests/{made.uid}/attachments"
    as_(client, city, "education_operator")
    sent = [client.post(path, {"file": SimpleUploadedFile("a.csv", b"a,b\n")}, headers={"Idempotency-Key": "f1"}) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 200]
    wrong = client.post(path, {"file": SimpleUploadedFile("a.svg", b"<svg/>")})
    assert (wrong.status_code, "file" in wrong.json()["details"]) == (422, True)
    assert client.post(path, {}).status_code == 422
    assert [row["name"] for row in client.get(path).json()["items"]] == ["a.csv"]
    assert as_(client, city, "reviewer").get(path).status_code == 404


def test_a_request_is_copied_and_a_grant_renewed(client: Client, city: City, resources: list[Resource], now: datetime) -> None:
    system, person = factories.make_system(city.education), city.people["education_operator"]
    closed = factories.make_request(resources[0], system, person, state="WITHDRAWN", desk="NOBODY")
    grant = factories.make_grant(resources[1], system, person, valid_to=now + timedelta(days=9))
    resources[0].items.filter(name="sex").update(is_withheld=True)
    as_(client, city, "education_operator")
    copied = client.post(f"/openapi/v1/access-requests/{closed.uid}/copy")
    assert (copied.status_code, copied.json()["dropped"]) == (201, ["性别"])
    renewed = client.post(f"/openapi/v1/grants/{grant.uid}/renew", headers={"Idempotency-Key": "g1"})
    assert AccessRequest.objects.get(renews=grant).number == renewed.json()["number"]
    assert client.post(f"/openapi/v1/grants/{grant.uid}/renew").status_code == 409
