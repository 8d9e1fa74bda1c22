"""The description of the call door and what the door does must not drift apart."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from exchange.calls import authentication
from exchange.calls.refusals import REFUSALS
from exchange.calls.shape import BATCH_PARAMETERS, PARAMETERS
from openapi.calls import PATH
from tests.hotpath import partner as partners
from tests.hotpath.scene import Scene

MODES = ("verify", "query", "bulk")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


def operation(described: dict[str, Any], mode: str) -> dict[str, Any]:
    [path] = [path for path in described["paths"] if re.fullmatch(rf".*/calls/{{uid}}/{mode}", path)]
    assert PATH.fullmatch(path.replace("{uid}", "00000000-0000-7000-8000-000000000000"))
    assert described["paths"][path].keys() == {"post"}
    found: dict[str, Any] = described["paths"][path]["post"]
    return found


@pytest.mark.parametrize("mode", MODES)
def test_every_code_is_described_under_its_status(described: dict[str, Any], mode: str) -> None:
    told = {status: answer["description"] for status, answer in operation(described, mode)["responses"].items()}
    for code, verdict in REFUSALS.items():
        assert f"`{code}`" in told[str(verdict.status)]


def bodies(described: dict[str, Any], mode: str) -> list[dict[str, Any]]:
    """Return the schemas of the forms a body of this mode may have."""
    schemas = described["components"]["schemas"]

    def named(reference: dict[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = schemas[reference["$ref"].rsplit("/", 1)[1]]
        return found

    body = named(operation(described, mode)["requestBody"]["content"]["application/json"]["schema"])
    return [named(form) for form in body["oneOf"]] if "oneOf" in body else [body]


@pytest.mark.parametrize("mode", MODES)
def test_parameters_of_the_body_are_the_ones_the_door_takes(described: dict[str, Any], mode: str) -> None:
    taken = [PARAMETERS[mode.upper()], *([BATCH_PARAMETERS[mode.upper()]] if mode != "bulk" else [])]
    of_lists = {"limit"} if mode == "query" else set()  # taken where a subject has many rows
    for schema, (required, optional) in zip(bodies(described, mode), taken, strict=True):
        assert set(schema["properties"]) == {*required, *optional} | of_lists
        assert set(schema.get("required", [])) == set(required)


@pytest.mark.parametrize("mode", MODES)
def test_described_headers_have_the_form_the_door_checks(described: dict[str, Any], mode: str) -> None:
    headers = {p["name"]: p for p in operation(described, mode)["parameters"] if p["in"] == "header"}
    for name, form in (("Key", "KEY"), ("Timestamp", "TIMESTAMP"), ("Nonce", "NONCE"), ("Digest", "DIGEST")):
        header = headers[f"X-Gov-{name}"]
        assert header["schema"]["pattern"] == f"^{getattr(authentication, form).pattern}$"
        assert header["required"]
    assert headers.keys() == {f"X-Gov-{n}" for n in ("Key", "Timestamp", "Nonce", "Digest", "Signature", "Algorithm")}


def check_described(described: dict[str, Any], name: str, real: dict[str, Any]) -> None:
    """Assert that an object has every key its description requires and none it does not know."""
    schema = described["components"]["schemas"][name]
    assert set(schema["required"]) <= real.keys() <= schema["properties"].keys()


def test_described_answers_have_the_keys_of_real_ones(scene: Scene, described: dict[str, Any]) -> None:
    key = {"citizen_id": scene.people[0].citizen_id}
    check = {"key": key, "attributes": {"name": "张三丰"}}
    queries, verifications = scene.grant(), scene.grant(mode="VERIFY")
    check_described(described, "QueryOut", scene.partner.call(queries, "query", {"key": key}).json)
    many = scene.partner.call(queries, "query", {"keys": [key, {}]}).json
    check_described(described, "QueryBatchOut", many)
    for result in many["results"]:
        check_described(described, "QueriedOut", result)
    for wanted in ({}, {"details": True, "score": True}):
        check_described(described, "VerifyOut", scene.partner.call(verifications, "verify", check | wanted).json)
        many = scene.partner.call(verifications, "verify", {"checks": [check, {}]} | wanted).json
        check_described(described, "VerifyBatchOut", many)
        for result in many["results"]:
            check_described(described, "VerifiedOut", result)


def test_a_server_that_knows_only_django_answers_calls_as_well(scene: Scene) -> None:
    grant = scene.grant()
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    path = partners.path_of(grant, "query")
    reply = Client().post(path, body, content_type="application/json", headers=scene.partner.headers(path, body))
    assert (reply.status_code, reply.json()["data"]) == (200, {"name": "张**", "sex": "1"})
    grant = scene.grant(mode="BULK", fields=["sex"])
    path = partners.path_of(grant, "bulk")
    reply = Client().post(path, b"{}", content_type="application/json", headers=scene.partner.headers(path, b"{}"))
    assert b"".join(reply.streaming_content).startswith(b"sex\n")  # type: ignore[attr-defined]
