"""The four questions of the information mediator: who asks, what they are told, and that it is what the call door decides."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Binding, DataItem, Resource
from core.ids import uuid7
from exchange import discovery
from exchange.discovery import ENDPOINTS, path_of
from exchange.models import ConsumerSystem, Grant
from openapi.call_paths import operation_at
from openapi.calls import PATH
from openapi.mediator import client_id
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner, send
from tests.hotpath.refused import now
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]

SYSTEMS = 200
TEXT = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


PLACE = {"instanceId": TEXT, "memberClass": TEXT, "memberCode": TEXT}
ID = closed(objectType={"const": "MEMBER"}, **PLACE), closed(objectType={"const": "APPLICATION"}, applicationCode=TEXT, **PLACE)
CLIENTS = closed(member={"type": "array", "items": closed(name=TEXT, id={"oneOf": list(ID)})})
ENDPOINT = closed(method={"enum": ["GET", "POST", "DELETE"]}, path=TEXT)
METHOD = closed(
    objectType={"const": "SERVICE"},
    serviceType=TEXT,
    applicationCode=TEXT,
    serviceCode=TEXT,
    serviceVersion=TEXT,
    endpointList=closed(member={"type": "array", "items": ENDPOINT}),
    **PLACE,
)
METHODS = closed(member={"type": "array", "items": METHOD})


def share(scene: Scene, call: str, *, prefix: str = "/r1") -> str:
    return f"{prefix}/320100/GOV/{scene.city.police.code}/share/{call}"


def ask(partner: Partner | None, url: str, client_ip: str = "192.0.2.7", **headers: str) -> Any:
    signed = partner.headers(url, b"", method="GET") if partner else {}
    return Client().get(url, headers=signed | headers, REMOTE_ADDR=client_ip)


def told(answer: Any, schema: dict[str, Any]) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    jsonschema.validate(answer.json(), schema)
    members: list[dict[str, Any]] = answer.json()["member"]
    return members


def paths(members: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(end["method"], end["path"]) for one in members for end in one["endpointList"]["member"]}


@pytest.mark.parametrize("prefix", ["", "/r1"])
def test_the_four_questions_are_answered_in_closed_schemas_under_both_paths(scene: Scene, prefix: str) -> None:
    grant = scene.grant()
    clients = told(ask(scene.partner, f"{prefix}/listClients"), CLIENTS)
    codes = {(one["id"]["memberCode"], one["id"].get("applicationCode")) for one in clients}
    assert {(scene.city.police.code, "share"), (scene.city.education.code, str(scene.partner.system.uid))} <= codes
    offered = told(ask(scene.partner, share(scene, "listMethods", prefix=prefix)), METHODS)
    assert ("POST", "/openapi/v1/calls/{grant}/query") in paths(offered)
    allowed = told(ask(scene.partner, share(scene, "allowedMethods", prefix=prefix)), METHODS)
    assert ("POST", f"/openapi/v1/calls/{grant.uid}/query") in paths(allowed)
    answer = ask(scene.partner, share(scene, f"getOpenAPI?serviceCode={scene.resource.code}", prefix=prefix))
    assert f"/openapi/v1/calls/{grant.uid}/query" in answer.json()["paths"]


def test_a_header_that_names_a_client_is_nobody(scene: Scene) -> None:
    named = client_id(scene.partner.system)
    for header in ("Information-Mediator-Client", "X-GovStack-Client", "X-Road-Client"):
        answer = ask(None, share(scene, "allowedMethods"), **{header: named})
        assert (answer.status_code, answer.json()["code"]) == (401, "account.sign_in_required")


def test_a_signed_name_is_ones_own(scene: Scene) -> None:
    url, other = share(scene, "allowedMethods"), partners.make_partner(scene.city.market)
    for header in ("Information-Mediator-Client", "X-GovStack-Client"):
        assert ask(scene.partner, url, **{header: client_id(scene.partner.system)}).status_code == 200
        answer = ask(scene.partner, url, **{header: client_id(other.system)})
        assert (answer.status_code, answer.json()["code"]) == (403, "discovery.client_mismatch")


def test_the_query_string_is_signed_and_a_signature_is_good_once_and_for_nothing_else(scene: Scene) -> None:
    url = share(scene, f"getOpenAPI?serviceCode={scene.resource.code}")
    signed = scene.partner.headers(url, b"", method="GET")
    moved = Client().get(share(scene, "getOpenAPI?serviceCode=101001/999999"), headers=signed)
    assert (moved.status_code, moved.json()["code"]) == (401, "auth.bad_signature")
    posted = Client().post(url, headers=signed)
    assert posted.status_code in (401, 405)
    assert Client().get(url, headers=signed).status_code == 200
    again = Client().get(url, headers=signed)
    assert (again.status_code, again.json()["code"]) == (409, "call.replayed")
    late = scene.partner.headers(url, b"", method="GET", at=now().timestamp() - 400)
    assert Client().get(url, headers=late).json()["code"] == "auth.clock_skew"
    wrong = scene.partner.with_wrong_secret().headers(url, b"", method="GET")
    assert Client().get(url, headers=wrong).json()["code"] == "auth.bad_signature"


def test_the_nonce_of_a_reading_is_spent_for_calls_too(scene: Scene) -> None:
    grant, url = scene.grant(), "/r1/listClients"
    assert Client().get(url, headers=scene.partner.headers(url, b"", method="GET", nonce="spent-once")).status_code == 200
    assert scene.partner.query(grant, scene.people[0].citizen_id, nonce="spent-once").code == "call.replayed"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("/r1/999999/GOV/{code}/share/listMethods", "discovery.unknown_provider"),
        ("/r1/320100/COM/{code}/share/listMethods", "discovery.unknown_provider"),
        ("/r1/320100/GOV/nobody/share/listMethods", "discovery.unknown_provider"),
        ("/r1/320100/GOV/{code}/other/listMethods", "discovery.unknown_provider"),
        ("/r1/320100/GOV/{code}/share/getOpenAPI", "discovery.unknown_service"),
        ("/r1/320100/GOV/{code}/share/getOpenAPI?serviceCode=", "discovery.unknown_service"),
        ("/r1/320100/GOV/{code}/share/getOpenAPI?serviceCode=_invalid", "discovery.unknown_service"),
        ("/r1/320100/GOV/{code}/share/getOpenAPI?serviceCode=101001/999999", "discovery.unknown_service"),
        ("/r1/listClients?instanceId=ABC", "discovery.unknown_instance"),
    ],
)
def test_names_nobody_has_are_errors_in_the_request(scene: Scene, place: str, code: str) -> None:
    answer = ask(scene.partner, place.format(code=scene.city.police.code))
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_drafts_withheld_entries_and_systems_of_others_are_not_told(scene: Scene) -> None:
    draft = factories.make_resource(scene.city.police, published=False)
    withheld = factories.make_resource(scene.city.police, share_attribute="WITHHELD", withheld_basis="依法不予共享")
    other = partners.make_partner(scene.city.market)
    offered = told(ask(scene.partner, share(scene, "listMethods")), METHODS)
    codes = {one["serviceCode"] for one in offered}
    assert scene.resource.code in codes
    assert not codes & {draft.code, withheld.code}
    clients = told(ask(scene.partner, "/r1/listClients"), CLIENTS)
    assert str(other.system.uid) not in {one["id"].get("applicationCode") for one in clients}
    answer = ask(scene.partner, share(scene, f"getOpenAPI?serviceCode={withheld.code}"))
    assert answer.json()["code"] == "discovery.unknown_service"


def test_people_ask_for_their_own_systems(scene: Scene) -> None:
    grant, client = scene.grant(), Client()
    client.force_login(scene.city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    url = share(scene, "allowedMethods")
    assert client.get(url).json()["code"] == "discovery.client_required"
    allowed = client.get(url, headers={"X-GovStack-Client": client_id(scene.partner.system)})
    assert ("POST", f"/openapi/v1/calls/{grant.uid}/query") in paths(told(allowed, METHODS))
    other = partners.make_partner(scene.city.market)
    assert client.get(url, headers={"X-GovStack-Client": client_id(other.system)}).status_code == 403
    keyless = factories.make_system(scene.city.education)
    factories.make_grant(scene.resource, keyless, scene.city.people["education_operator"])
    assert told(client.get(url, headers={"X-GovStack-Client": client_id(keyless)}), METHODS) == []


def test_a_service_nobody_was_granted_is_described_as_it_is_offered(scene: Scene) -> None:
    stranger = partners.make_partner(scene.city.market)
    answer = ask(stranger, share(scene, f"getOpenAPI?serviceCode={scene.resource.code}"))
    assert set(answer.json()["paths"]) == {
        f"/openapi/v1/calls/{{grant}}/{place}" for mode in scene.resource.sharing_modes for _method, place in ENDPOINTS[mode]
    }


def test_told_endpoints_are_those_of_the_call_door() -> None:
    uid = str(uuid7())
    for mode, endpoints in ENDPOINTS.items():
        for method, place in endpoints:
            path = path_of(mode, uid, place).format(job=uid, number=1, feature="0" * 32, zoom=7, row=0, column=0)
            matched = PATH.fullmatch(path)
            asked = matched[2].upper() if matched else operation_at(path, method).mode
            assert asked == mode


def random_grant(scene: Scene, partner: Partner, resources: list[Resource], dice: random.Random) -> Grant:
    begin = now() + timedelta(hours=dice.choice([-48, -48, -48, -48, -48, 1]))
    return partners.grant_to(
        partner,
        dice.choice(resources),
        scene.city,
        mode=dice.choice(["QUERY", "VERIFY", "BULK", "SUBSCRIBE"]),
        fields=dice.choice([["name"], ["name", "sex"], ["sex"], ["name", "address"], ["name", "unknown_item"]]),
        masks=dice.choice([{}, {}, {"name": "NAME"}, {"name": "NAME"}, {"name": "UNKNOWN"}]),
        state=dice.choice(["ACTIVE"] * 8 + ["SUSPENDED", "REVOKED"]),
        valid_from=begin,
        valid_to=begin + timedelta(hours=dice.choice([24, 480, 480, 480])),
        ip_list=dice.choice([[], [], ["192.0.2.0/24"], ["198.51.100.0/24"]]),
    )


def is_let_through(partner: Partner, grant: Grant) -> bool:
    """Ask the call door itself: whoever is told that a parameter is unknown has passed every check of the grant."""
    reply = partner.call(grant, grant.mode.lower(), {"no_such_parameter": 1})
    assert reply.status in (401, 403, 422, 503), reply.body
    return reply.code == "call.invalid_parameter"


def test_allowed_methods_are_what_the_call_door_lets_through_for_two_hundred_random_systems(scene: Scene) -> None:
    dice = random.Random(809)
    withdrawn = factories.make_resource(scene.city.police, state="WITHDRAWN")
    withheld = factories.make_resource(scene.city.police, share_attribute="WITHHELD", withheld_basis="依法不予共享")
    unmounted = factories.make_resource(scene.city.police)
    Binding.objects.filter(resource=unmounted).delete()
    item = factories.make_resource(scene.city.police)
    DataItem.objects.filter(resource=item, name="name").update(is_withheld=True)
    elsewhere = factories.make_resource(scene.city.market)
    resources = [*[scene.resource] * 12, withdrawn, withheld, unmounted, item, elsewhere]
    counts = {True: 0, False: 0}
    for number in range(SYSTEMS):
        standing: dict[str, Any] = dice.choice([{}] * 8 + [{"state": "REVOKED"}, {"valid_to": now() - timedelta(hours=1)}])
        partner = partners.make_partner(scene.city.education, algorithm=dice.choice(["HMAC-SHA256", "HMAC-SM3"]), **standing)
        if number % 20 == 7:
            ConsumerSystem.objects.filter(pk=partner.system.pk).update(is_active=False)
        grants = [random_grant(scene, partner, resources, dice) for _ in range(dice.randint(0, 5))]
        answer = ask(partner, share(scene, "allowedMethods"))
        listed = paths(told(answer, METHODS)) if answer.status_code == 200 else set()
        assert answer.status_code in (200, 401, 403)
        uids = {path.split("/")[4] for _method, path in listed}
        for grant in grants:
            is_allowed = is_let_through(partner, grant) and grant.resource.provider_id == scene.city.police.pk
            assert (str(grant.uid) in uids) == is_allowed, (grant.mode, grant.state, grant.fields, grant.masks)
            counts[is_allowed] += 1
        assert uids <= {str(grant.uid) for grant in grants}
    assert min(counts.values()) > SYSTEMS // 5


def test_a_catalogue_of_five_thousand_entries_takes_three_queries(scene: Scene) -> None:
    provider = scene.city.market
    shared: dict[str, Any] = {
        "provider": provider,
        "region": provider.region,
        "classification": "101001",
        "update_cycle": "DAILY",
        "share_attribute": "UNCONDITIONAL",
        "sharing_modes": ["QUERY", "VERIFY"],
        "grade": "L2",
        "state": "PUBLISHED",
        "version": 1,
    }
    entries = [Resource(title=f"目录{number}", code=f"900001/{number:06d}", **shared) for number in range(5_000)]
    Resource.objects.bulk_create(entries)
    url = f"/r1/320100/GOV/{provider.code}/share/listMethods"
    with CaptureQueriesContext(connection) as asked:
        members = told(ask(scene.partner, url), METHODS)
    assert len(asked) <= 3
    assert {one["serviceCode"] for one in members} >= {entry.code for entry in entries}
    with CaptureQueriesContext(connection) as asked:
        assert len(discovery.offered_by(provider)) >= 5_000
    assert len(asked) == 1
    Resource.objects.filter(code__startswith="900001/").delete()


def test_without_redis_nobody_reads(scene: Scene, settings: Any) -> None:
    url = "/r1/listClients"
    settings.CALLS_REDIS_URL = "redis://127.0.0.1:1/0"
    answer = ask(scene.partner, url)
    assert (answer.status_code, answer.json()["code"]) == (503, "platform.unavailable")


def test_a_grant_is_described_to_its_own_system_only(scene: Scene) -> None:
    grant = scene.grant()
    url = f"/openapi/v1/grants/{grant.uid}/openapi"
    answer = ask(scene.partner, url)
    assert answer.json()["openapi"] == "3.1.0"
    assert UUID(answer.json()["paths"].popitem()[0].split("/")[4]) == grant.uid
    other = ask(partners.make_partner(scene.city.education), url)
    assert (other.status_code, other.json()["code"]) == (404, "grant.not_found")


def test_what_is_read_with_a_signature_is_no_call(scene: Scene) -> None:
    raw = scene.partner.headers("/r1/listClients", b"", method="GET")
    reply = send("/r1/listClients", raw, b"", method="GET")
    assert (reply.status, json.loads(reply.body)["code"]) == (404, "call.unknown_path")
