"""The description of a grant: valid OpenAPI, exactly what was granted, and what the call door takes and answers."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from catalog.models import Binding, DataItem
from exchange.calls.refusals import REFUSALS
from exchange.models import Grant
from openapi.v1.grant_descriptions import document_of
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]

MODES = ["QUERY", "VERIFY", "BULK", "SUBSCRIBE"]
CONDITIONS: dict[str, Any] = {
    "control_parameters": {"channel": ["web", "window"]},
    "matters": ["A-1", "B-2"],
    "ip_list": ["192.0.2.0/24"],
}


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a schema of a document that jsonschema can use alone."""
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def fits(document: dict[str, Any], name: str, value: Any) -> bool:
    return jsonschema.Draft202012Validator(schema(document, name)).is_valid(value)


def granted(scene: Scene, mode: str, **values: Any) -> Grant:
    return scene.grant(mode=mode, **({"masks": {"name": "NAME"}} if mode != "VERIFY" else {"masks": {}}) | values)


@pytest.mark.parametrize("conditions", [{}, CONDITIONS])
@pytest.mark.parametrize("mode", MODES)
def test_the_document_is_valid_and_every_object_in_it_is_closed(scene: Scene, mode: str, conditions: dict[str, Any]) -> None:
    document = document_of(granted(scene, mode, **conditions))
    OpenAPIV31SpecValidator(document).validate()

    def check(part: Any, place: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object" and not place.endswith("/details"):
                assert part.get("additionalProperties") is False, place
            for name, inner in part.items():
                check(inner, f"{place}/{name}")
        elif isinstance(part, list):
            for number, inner in enumerate(part):
                check(inner, f"{place}/{number}")

    check(document["components"]["schemas"], "")
    json.dumps(document)


def test_json_and_yaml_say_the_same_and_yaml_is_asked_for_in_two_ways(scene: Scene) -> None:
    grant, client = granted(scene, "QUERY"), Client()
    client.force_login(scene.city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    url = f"/openapi/v1/grants/{grant.uid}/openapi"
    document = client.get(url).json()
    for answer in (client.get(f"{url}?format=yaml"), client.get(url, headers={"Accept": "application/yaml"})):
        assert answer["Content-Type"] == "application/yaml; charset=utf-8"
        assert yaml.safe_load(answer.content) == document
    stranger = Client()
    stranger.force_login(scene.city.people["market_operator"], backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get(url).status_code == 404


def test_it_names_the_granted_items_their_masks_and_nothing_else(scene: Scene) -> None:
    document = document_of(granted(scene, "QUERY"))
    row = document["components"]["schemas"]["Row"]["properties"]
    assert list(row) == ["name", "sex"]
    assert "只留姓名首字" in row["name"]["description"]
    assert "address" not in json.dumps(document["components"]["schemas"])
    assert list(document["components"]["schemas"]["Key"]["properties"]) == ["citizen_id"]


def test_it_tells_the_matters_and_control_parameters_of_the_grant(scene: Scene) -> None:
    document = document_of(granted(scene, "QUERY", **CONDITIONS))
    body = {"key": {"citizen_id": "x"}, "context": {"matter": "A-1"}, "parameters": {"channel": "web"}}
    assert fits(document, "QueryBody", body)
    for wrong in (
        {"key": {"citizen_id": "x"}},
        body | {"context": {"matter": "C-3"}},
        body | {"parameters": {"channel": "phone"}},
        body | {"parameters": {"channel": "web", "more": "x"}},
        body | {"fields": ["address"]},
        body | {"unknown": 1},
    ):
        assert not fits(document, "QueryBody", wrong)


def test_answers_of_the_call_door_fit_the_document(scene: Scene) -> None:
    person = {"citizen_id": scene.people[0].citizen_id}
    nobody = {"citizen_id": partners.make_person(scene.city.police, 17).citizen_id[:17] + "?"}
    cases: dict[str, list[tuple[str, str, dict[str, Any], str]]] = {
        "QUERY": [
            ("query", "QueryBody", {"key": person}, "QueryAnswer"),
            ("query", "QueryBody", {"key": person, "fields": ["sex"]}, "QueryAnswer"),
            ("query", "QueryBody", {"keys": [person, nobody]}, "QueryAnswer"),
        ],
        "VERIFY": [
            ("verify", "VerifyBody", {"key": person, "attributes": {"name": "张三丰"}}, "VerifyAnswer"),
            ("verify", "VerifyBody", {"key": person, "attributes": {"name": "张"}, "details": True, "score": True}, "VerifyAnswer"),
            (
                "verify",
                "VerifyBody",
                {"checks": [{"key": k, "attributes": {"sex": "1"}} for k in (person, nobody)]},
                "VerifyAnswer",
            ),
        ],
        "BULK": [("jobs", "JobBody", {"format": "jsonl"}, "Job")],
        "SUBSCRIBE": [("subscribe", "SubscribeBody", {"after": None, "limit": 1}, "Changes")],
    }
    for mode, calls in cases.items():
        grant = granted(scene, mode)
        document = document_of(grant)
        for place, body_name, body, answer_name in calls:
            assert fits(document, body_name, body), (place, body)
            reply = scene.partner.call(grant, place, body)
            assert str(reply.status) in document["paths"][partners.path_of(grant, place)]["post"]["responses"]
            jsonschema.validate(reply.json, schema(document, answer_name))


def test_refusals_fit_the_document_and_their_codes_are_told_where_they_can_happen(scene: Scene) -> None:
    grant = granted(scene, "QUERY", state="REVOKED")
    document = document_of(grant)
    reply = scene.partner.query(grant, scene.people[0].citizen_id)
    jsonschema.validate(reply.json, schema(document, "Error"))
    responses = document["paths"][partners.path_of(grant, "query")]["post"]["responses"]
    assert reply.code in responses[str(reply.status)]["description"]
    told = json.dumps(responses)
    assert all(code in told for code in REFUSALS if code.startswith(("auth.", "grant.", "platform.")))
    assert not [code for code in REFUSALS if code.startswith(("job.", "feed.", "upstream.")) and code in told]


def test_no_secret_and_no_key_stands_in_it(scene: Scene) -> None:
    text = json.dumps(document_of(granted(scene, "QUERY")))
    assert scene.partner.secret not in text
    assert scene.partner.key not in text


def test_an_entry_mounted_nowhere_is_described_all_the_same(scene: Scene) -> None:
    resource = factories.make_resource(scene.city.police)
    resource.binding.delete()
    grant = partners.grant_to(scene.partner, resource, scene.city)
    grant.refresh_from_db()
    OpenAPIV31SpecValidator(document_of(Grant.objects.get(pk=grant.pk))).validate()


def test_a_grant_on_many_rows_is_described_by_its_list(scene: Scene) -> None:
    resource = factories.make_resource(scene.city.market, dataset="credit.penalty")
    columns = {"subject_code": "subject_code", "name": "document_number", "sex": "authority", "address": "content"}
    Binding.objects.filter(resource=resource).update(columns=columns)
    grant = partners.grant_to(scene.partner, resource, scene.city, masks={})
    document = document_of(grant)
    OpenAPIV31SpecValidator(document).validate()
    body: dict[str, Any] = {"key": {"subject_code": scene.people[0].citizen_id}, "limit": 5}
    assert fits(document, "QueryBody", body)
    reply = scene.partner.call(grant, "query", body)
    assert fits(document, "QueryAnswer", reply.json)
    many = scene.partner.call(grant, "query", {"keys": [body["key"], {"subject_code": "x"}], "limit": 5})
    assert many.status == 200
    assert fits(document, "QueryAnswer", many.json)
    verified = document_of(partners.grant_to(scene.partner, resource, scene.city, mode="VERIFY", masks={}))
    assert not fits(verified, "VerifyBody", {"key": body["key"], "attributes": {"name": "x"}, "details": True})


def test_a_grant_on_a_layer_is_described_by_its_collection(scene: Scene) -> None:
    resource = factories.make_resource(scene.city.police, dataset="geo.place", sharing_modes=["FEATURES"])
    DataItem.objects.filter(resource=resource, name="address").update(data_type="G", mask="NONE")
    grant = partners.grant_to(
        scene.partner, resource, scene.city, mode="FEATURES", fields=["name", "address"], masks={}, **CONDITIONS
    )
    document = document_of(grant)
    OpenAPIV31SpecValidator(document).validate()
    root = f"/openapi/v1/ogc/collections/{grant.uid}"
    tile = f"{root}/tiles/WebMercatorQuad/{{zoom}}/{{row}}/{{column}}"
    assert set(document["paths"]) == {f"{root}/items", f"{root}/items/{{feature}}", tile}
    asked = {parameter["name"]: parameter for parameter in document["paths"][f"{root}/items"]["get"]["parameters"]}
    assert {"bbox", "limit", "name", "matter", "parameter.channel"} <= set(asked)
    assert asked["matter"]["required"]
    assert list(document["components"]["schemas"]["Feature"]["properties"]["properties"]["properties"]) == ["name"]
    client = Client()
    client.force_login(scene.city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/grants/{grant.uid}/example/")
    assert page.status_code == 200
    assert f"{root}/items" in page.content.decode()
