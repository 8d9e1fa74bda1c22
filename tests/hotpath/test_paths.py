"""One decision point for every path: no spelling of a path gets past it, through a real server, signed or not as it is sent."""

from __future__ import annotations

import json
import socket
from urllib.parse import unquote, urlsplit

import pytest

from exchange.models import CallRecord, Grant
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene
from tests.hotpath.server import Exchange, exchange

__all__ = ["exchange"]

ROOT = "/openapi/v1/calls"
OTHER_PATHS = [
    f"{ROOT}/%2e%2e/calls/{{uid}}/query",
    f"{ROOT}/../calls/{{uid}}/query",
    f"{ROOT}/x/%2E%2E%2F{{uid}}/query",
    f"{ROOT}/{{uid}}/verify/../query",
    f"{ROOT}/{{uid}}/%2e/query",
    f"{ROOT}/%c0%ae%c0%ae/{{uid}}/query",
    f"{ROOT}%252F{{uid}}%252Fquery",
    f"{ROOT}/{{uid}}%252fquery",
    f"{ROOT}/%252e%252e/calls/{{uid}}/query",
    f"{ROOT}/{{uid}}%255cquery",
    f"{ROOT}/{{uid}}\\query",
    f"{ROOT}/{{uid}}%5cquery",
    f"{ROOT}/{{uid}};v=1/query",
    f"{ROOT}/{{uid}}/query;jsessionid=1",
    f"{ROOT}/{{uid}}/query%3b",
    f"{ROOT}/{{uid}}/query/",
    f"{ROOT}/{{uid}}/query/.",
    f"{ROOT}/{{uid}}/query.",
    f"{ROOT}/{{uid}}/query.json",
    f"{ROOT}/{{uid}}/query%20",
    f"{ROOT}/%20{{uid}}/query",
    f"{ROOT}/{{uid}}/query%00",
    f"{ROOT}/{{uid}}%00/query",
    f"{ROOT}/{{uid}}/query%0a",
    f"{ROOT}/{{uid}}/query%0d%0aX-Gov-Key:%20x",
    f"{ROOT}/{{uid}}/query%3fx=1",
    f"{ROOT}/{{uid}}/query?x=1",
    f"{ROOT}/{{uid}}/query%23x",
    f"{ROOT}//{{uid}}/query",
    f"{ROOT}/{{uid}}//query",
    f"/{ROOT}/{{uid}}/query",
    f"/.{ROOT}/{{uid}}/query",
    f"/portal/..{ROOT}/{{uid}}/query",
    f"http://127.0.0.1{ROOT}/../calls/{{uid}}/query",
    f"http://127.0.0.1/{ROOT}/{{uid}}/query",
    f"{ROOT}/{{uid}}/QUERY",
    f"{ROOT}/{{uid}}/Query",
    f"{ROOT.upper()}/{{uid}}/query",
    f"{ROOT}/{{UID}}/query",
    f"{ROOT}/{{hex}}/query",
    f"{ROOT}/%7B{{uid}}%7D/query",
    f"{ROOT}/urn:uuid:{{uid}}/query",
    f"{ROOT}/{{uid}}/qu%D0%B5ry",  # a Cyrillic е
    f"{ROOT}/{{uid}}/%EF%BD%91uery",  # a full-width ｑ
    f"{ROOT}%EF%BC%8F{{uid}}%EF%BC%8Fquery",  # a full-width ／
    f"{ROOT}%E2%88%95{{uid}}/query",  # a division slash
    f"{ROOT}/{{uid}}/query%E2%80%8B",  # a space of no width
    f"{ROOT}/{{uid}}/%u0071uery",
    "*",
]
SAME_PATH = [
    f"{ROOT}/{{uid}}%2Fquery",
    "/openapi/v1/%63alls/{uid}/query",
    f"http://127.0.0.1{ROOT}/{{uid}}/query",
    f"{ROOT}/{{uid}}/query?",
]


def written(form: str, grant: Grant) -> str:
    """Return the target of a request as it goes over the wire."""
    uid = str(grant.uid)
    return form.replace("{uid}", uid).replace("{UID}", uid.upper()).replace("{hex}", uid.replace("-", ""))


def sent(exchange: Exchange, scene: Scene, target: str, signed_path: str) -> int:
    """Send a query to a target as it is, signed for a path; return the status, 400 when the server hangs up."""
    body = json.dumps({"key": {"citizen_id": scene.people[0].citizen_id}}).encode()
    headers = scene.partner.headers(signed_path, body) | {
        "Host": "127.0.0.1",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    with socket.create_connection(("127.0.0.1", exchange.port), 10) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert "张" not in answer.decode() or answer.startswith(b"HTTP/1.1 200")
    return int(answer[9:12] or b"400")


@pytest.mark.parametrize("form", OTHER_PATHS)
def test_no_other_path_is_answered(scene: Scene, exchange: Exchange, form: str) -> None:
    grant = scene.grant()
    target = written(form, grant)
    plain = unquote(urlsplit(target).path if target.startswith("http:") else target.split("?")[0])
    for signed_path in {target, plain, partners.path_of(grant, "query")}:
        assert 400 <= sent(exchange, scene, target, signed_path) < 500
    assert outcomes_of(grant) == []
    assert not CallRecord.objects.filter(outcome="call.answered", grant_id=grant.pk).exists()


@pytest.mark.parametrize("form", SAME_PATH)
def test_another_spelling_of_the_path_is_decided_as_the_path(scene: Scene, exchange: Exchange, form: str) -> None:
    """The server hands the path over decoded: what counts is what the signature says, and the same grant decides."""
    revoked, verify = scene.grant(state="REVOKED"), scene.grant(mode="VERIFY")
    for grant, status in ((revoked, 403), (verify, 403), (scene.grant(), 200)):
        target, path = written(form, grant), partners.path_of(grant, "query")
        assert sent(exchange, scene, target, target) == 401
        assert sent(exchange, scene, target, path) == status
    assert outcomes_of(revoked) == ["grant.revoked"]
    assert outcomes_of(verify) == ["grant.mode_mismatch"]
