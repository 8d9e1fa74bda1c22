"""The door for systems: one error body everywhere, health, the description, strict input, pages, repeated requests."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from threading import Thread
from typing import Any, cast

import pytest
import redis
from django.conf import LazySettings
from django.db import models
from django.test import Client, override_settings
from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import audit, heartbeat
from core.errors import Conflict, Invalid
from core.models import AuditEntry
from openapi.errors import describe
from openapi.health import probes
from openapi.idempotency import create_once
from openapi.pagination import KeysetPagination
from openapi.serializers import StrictSerializer
from tests.factories import City, make_region


class NoteSerializer(StrictSerializer):
    """A probe body."""

    title = serializers.CharField(max_length=10)
    count = serializers.IntegerField(required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    flag = serializers.BooleanField(required=False)
    owner = serializers.UUIDField(required=False)


class Probe(APIView):
    """Takes a body, creates a region, lists the trail."""

    pagination_class = KeysetPagination
    ordering = ("-at", "-id")

    def get(self, request: Request) -> Response:
        pages = KeysetPagination()
        rows: models.QuerySet[AuditEntry] = AuditEntry.objects.filter(action="probe.made")
        found = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response([entry.detail["number"] for entry in found])

    def post(self, request: Request) -> Response:
        body = NoteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        uid, is_new = create_once(
            request, body.validated_data, lambda: str(make_region("99", body.validated_data["title"], "CITY").uid)
        )
        return Response({"uid": uid}, status=201 if is_new else 200)

    def delete(self, request: Request) -> Response:
        raise RuntimeError("a defect")


urlpatterns = [
    path("openapi/v1/probe", Probe.as_view()),
    path("", include("settings.urls")),
]


@pytest.fixture
def door(client: Client, city: City) -> Iterator[Client]:
    """A signed-in client on a door with one more address."""
    client.force_login(city.people["police_operator"], backend="django.contrib.auth.backends.ModelBackend")
    with override_settings(ROOT_URLCONF=__name__):
        yield client


def error(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) == {"code", "message", "details", "request_id"}
    assert body["code"] == code
    assert body["request_id"] == answer["X-Request-Id"]
    return body


def test_unknown_address_answers_with_the_error_body(client: Client, db: None) -> None:
    for address in ("/openapi/nothing", "/openapi/v1/", "/openapi/v1/nothing/at/all"):
        error(client.get(address), 404, "request.not_found")
        error(client.post(address), 404, "request.not_found")


def test_anonymous_is_401_and_missing_csrf_is_403(door: Client, city: City) -> None:
    error(Client().get("/openapi/v1/probe"), 401, "account.sign_in_required")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(city.people["police_operator"], backend="django.contrib.auth.backends.ModelBackend")
    error(strict.post("/openapi/v1/probe", {}, content_type="application/json"), 403, "request.forbidden")


def test_temporary_password_opens_nothing(door: Client, city: City) -> None:
    city.people["police_operator"].must_change_password = True
    city.people["police_operator"].save()
    error(door.get("/openapi/v1/probe"), 403, "password.must_change")


def test_wrong_method_type_and_syntax_have_their_codes(door: Client) -> None:
    error(door.put("/openapi/v1/probe"), 405, "request.method_not_allowed")
    error(door.post("/openapi/v1/probe", "a=1", content_type="text/plain"), 415, "request.unsupported_media_type")
    error(door.post("/openapi/v1/probe", "{", content_type="application/json"), 400, "request.malformed")
    error(door.post("/openapi/v1/probe", b"\xff\xfe", content_type="application/json"), 400, "request.malformed")
    error(door.post("/openapi/v1/probe", "[" * 100_000, content_type="application/json"), 400, "request.malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "x", "extra": 1}, "extra"),
        ({"title": "x" * 11}, "title"),
        ({"title": "a\u0007b"}, "title"),
        ({"title": "a\u0000"}, "title"),
        ({"title": "x", "count": "many"}, "count"),
        ({}, "title"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
        ({"title": 5}, "title"),
        ({"title": "x", "count": "5"}, "count"),
        ({"title": "x", "count": True}, "count"),
        ({"title": "x", "count": 1.0}, "count"),
        ({"title": "x", "tags": [1]}, "tags"),
        ({"title": "x", "tags": "a"}, "tags"),
        ({"title": "x", "flag": "true"}, "flag"),
        ({"title": "x", "owner": 5}, "owner"),
    ],
)
def test_bad_fields_are_named(door: Client, body: Any, field: str) -> None:
    answer = error(door.post("/openapi/v1/probe", json.dumps(body), content_type="application/json"), 422, "request.invalid")
    assert field in answer["details"]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ("null", {"body": ["请求体须为 JSON 对象。"]}),
        ("[]", {"body": ["请求体须为 JSON 对象。"]}),
        ('"text"', {"body": ["请求体须为 JSON 对象。"]}),
        ('{"title": "a\\u0000"}', {"title": ["不能含有控制字符。"]}),
        ('{"title": "x", "tags": {}}', {"tags": ["须为列表。"]}),
        ('{"title": 5}', {"title": ["须为文本。"]}),
    ],
)
def test_wrong_bodies_are_told_plainly(door: Client, body: str, details: dict[str, list[str]]) -> None:
    answer = error(door.post("/openapi/v1/probe", body, content_type="application/json"), 422, "request.invalid")
    assert answer["details"] == details


@pytest.mark.parametrize("path", ["resources", "access-requests", "grants", "systems", "call-records", "aggregation/plans"])
@pytest.mark.parametrize(
    ("query", "name"),
    [("surprise=1", "surprise"), ("q=%ff", "q"), ("after=%00", "after"), ("limit=0", "limit"), ("after=x", "after")],
)
def test_every_list_refuses_what_it_does_not_know(client: Client, city: City, path: str, query: str, name: str) -> None:
    client.force_login(city.people["police_operator"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/openapi/v1/{path}?limit=5").status_code == 200
    answer = client.get(f"/openapi/v1/{path}?{query}")
    assert (answer.status_code, list(answer.json()["details"])) == (422, [name])
    assert all(isinstance(texts, list) for texts in answer.json()["details"].values())


def test_single_messages_of_rules_become_lists_and_figures_stay() -> None:
    assert describe(Invalid("a.b", "x", {"name": "wrong", "line": 5}))[3] == {"name": ["wrong"], "line": 5}
    assert describe(Conflict("a.b", "x", {"state": "DRAFT"}))[3] == {"state": "DRAFT"}


def test_defect_answers_500_without_its_text(door: Client) -> None:
    answer = error(door.delete("/openapi/v1/probe"), 500, "platform.error")
    assert "a defect" not in json.dumps(answer)


def test_repeated_request_creates_once(door: Client) -> None:
    def send(title: str, key: str) -> Any:
        body = json.dumps({"title": title})
        return door.post("/openapi/v1/probe", body, content_type="application/json", headers={"Idempotency-Key": key})

    first, second = send("甲", "k1"), send("甲", "k1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    error(send("乙", "k1"), 409, "submission.reused")
    error(send("丙", "x" * 65), 422, "request.idempotency_key_invalid")


def test_pages_are_walked_to_the_end_and_bad_cursors_refused(door: Client, city: City, now: datetime) -> None:
    for number in range(45):
        audit.record(city.actor("reviewer"), "probe.made", None, at=now, number=number)
    seen: list[int] = []
    after: str | None = ""
    while after is not None:
        page = door.get("/openapi/v1/probe", {"after": after, "limit": 20}).json()
        seen += page["items"]
        after = page["next"]
    assert seen == list(reversed(range(45)))
    for bad in ("x", "W10", "WzEsMl0", "bnVsbA", "W251bGwsbnVsbF0", "WyIyMDI2LTAxLTAxIiwiYSJd", "a" * 700, "é", "WzFlOTk5LDFd"):
        error(door.get("/openapi/v1/probe", {"after": bad}), 422, "page.cursor_invalid")
    for bad in ("0", "101", "-1", "x", "٣", "1e1"):
        error(door.get("/openapi/v1/probe", {"limit": bad}), 422, "page.limit_invalid")


STORES = {"database": "up", "calls_redis": "up", "broker_redis": "up"}
ROOM = {"disk": "up", "sealing": "up"}


@pytest.fixture
def signs(settings: LazySettings) -> Iterator[redis.Redis]:
    """The broker's Redis without any sign of life."""
    heartbeat._told.clear()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete(*(f"platform:lives:{process}" for process in heartbeat.PROCESSES))
        yield client
        client.delete(*(f"platform:lives:{process}" for process in heartbeat.PROCESSES))


def test_health_is_up_with_all_parts(client: Client, db: None, signs: redis.Redis) -> None:
    for process in heartbeat.PROCESSES:
        heartbeat.tell(process)
    answer = client.get("/openapi/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "up")
    assert answer.json()["parts"] == STORES | ROOM | {"worker": "up", "copier": "up", "beat": "up"}
    lags = {f"seal_lag_{chain}_seconds" for chain in ("calls", "audit", "uses")}
    assert answer.json()["figures"].keys() == {*lags, "disk_free_percent"}
    assert 0 < cast(int, signs.ttl("platform:lives:worker")) <= 60


def test_without_worker_or_beat_the_platform_is_degraded_and_serves(client: Client, db: None, signs: redis.Redis) -> None:
    heartbeat.tell("beat")
    answer = client.get("/openapi/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"] == STORES | ROOM | {"worker": "down", "copier": "down", "beat": "up"}


def test_a_disk_nearly_full_or_a_long_wait_for_seals_is_named_and_degrades(
    client: Client, db: None, signs: redis.Redis, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process in heartbeat.PROCESSES:
        heartbeat.tell(process)
    monkeypatch.setattr("openapi.health.DISK_FREE_PERCENT", 101)
    settings.SEAL_LAG_LIMIT_SECONDS = -1
    answer = client.get("/openapi/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert {name for name, state in answer.json()["parts"].items() if state == "down"} == {"disk", "sealing"}


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def hold() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        Thread(target=hold, daemon=True).start()
        yield server.getsockname()[1]
        for connection in held:
            connection.close()


def test_hanging_part_is_named_within_three_seconds(client: Client, settings: LazySettings, silent_port: int) -> None:
    settings.CALLS_REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    settings.DATABASES = {"default": settings.DATABASES["default"] | {"PORT": silent_port}}
    started = time.monotonic()
    answer = client.get("/openapi/v1/health")
    assert time.monotonic() - started < 3
    assert answer.status_code == 503
    found = answer.json()["parts"]
    assert {name: found[name] for name in STORES} == {"database": "down", "calls_redis": "down", "broker_redis": "up"}
    time.sleep(1)
    probes.ask()


def test_description_is_valid_openapi_3_1(client: Client, db: None) -> None:
    from openapi_spec_validator import validate

    answer = client.get("/openapi/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    description = json.loads(answer.content)
    validate(description)
    assert description["openapi"].startswith("3.1")
    assert "Error" in description["components"]["schemas"]
    assert "/openapi/v1/health" in description["paths"]


def test_documentation_page_has_no_inline_script(client: Client, db: None) -> None:
    page = client.get("/openapi/v1/docs").content.decode()
    scripts = page.split("<script")[1:]
    assert scripts
    assert all(script.lstrip().startswith("src=") and "http" not in script.split(">")[0] for script in scripts)
    assert client.get("/openapi/v1/docs", {"script": ""}).status_code == 200
