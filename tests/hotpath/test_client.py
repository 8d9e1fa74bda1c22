"""The client in examples/ against a real server: every way of calling, and what it refuses to believe."""

from __future__ import annotations

import importlib.util
import io
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from exchange.bulk_jobs import writing
from tests.hotpath.scene import Scene
from tests.hotpath.server import Exchange as Server
from tests.hotpath.server import exchange

__all__ = ["exchange"]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("client", settings.BASE_DIR / "examples" / "client.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def client(module: ModuleType, exchange: Server, scene: Scene) -> Any:
    return module.Exchange(f"http://127.0.0.1:{exchange.port}", key=scene.partner.key, secret=scene.partner.secret)


def test_it_makes_every_kind_of_call(client: Any, scene: Scene) -> None:
    key, nobody = {"citizen_id": scene.people[0].citizen_id}, {"citizen_id": "not a number"}
    said = {"context": {"matter": "A-1"}, "parameters": {"channel": "web"}}
    query = str(scene.grant(matters=["A-1"], control_parameters={"channel": ["web"]}).uid)
    assert client.query(query, key, fields=["name"], **said)["data"] == {"name": "张**"}
    assert [one["status"] for one in client.query_many(query, [key, nobody], **said)] == ["found", "invalid"]
    verify = str(scene.grant(mode="VERIFY", masks={}).uid)
    assert client.verify(verify, key, {"name": "张三丰", "sex": "2"}) == {"name": "yes", "sex": "no"}
    (one,) = client.verify_many(verify, [{"key": key, "attributes": {"sex": "1"}}], score=True)
    assert (one["result"], one["score"]) == ({"sex": "yes"}, 1)
    rows = io.BytesIO()
    assert client.bulk(str(scene.grant(mode="BULK").uid), rows) == len(rows.getvalue())
    assert rows.getvalue().startswith(b"name,sex")
    pages = list(client.subscribe(str(scene.grant(mode="SUBSCRIBE").uid), limit=1))
    assert pages[-1]["complete"]
    assert sum(len(page["changes"]) for page in pages) >= len(scene.people)


def test_it_reads_what_it_may_call(client: Any, scene: Scene) -> None:
    grant = str(scene.grant().uid)
    told = {end["path"] for one in client.allowed("320100", scene.city.police.code) for end in one["endpointList"]["member"]}
    assert f"/openapi/v1/calls/{grant}/query" in told
    assert list(client.describe(grant)["paths"]) == [f"/openapi/v1/calls/{grant}/query"]


def test_it_raises_refusals_with_their_code(client: Any, module: ModuleType, scene: Scene) -> None:
    with pytest.raises(module.Refused) as refused:
        client.query(str(scene.grant(state="REVOKED").uid), {"citizen_id": scene.people[0].citizen_id})
    assert (refused.value.status, refused.value.code) == (403, "grant.revoked")


def test_it_believes_no_answer_to_another_question(client: Any, module: ModuleType) -> None:
    asked: dict[str, Any] = {"nonce": "n" * 8, "question": b"{}", "status": 200, "content": b"{}"}
    text = "\n".join(["n" * 8, module._digest(b"{}"), "200", module._digest(b"{}")])
    client.verify_answer(**asked, signature=client.sign(text))
    for change in ({"nonce": "m" * 8}, {"question": b"{ }"}, {"status": 404}, {"content": b"[]"}):
        with pytest.raises(module.NotSigned):
            client.verify_answer(**asked | change, signature=client.sign(text))
    with pytest.raises(module.NotSigned):
        client.verify_answer(**asked, signature="")


def test_it_orders_waits_for_and_checks_a_copy_in_parts(client: Any, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    grant, look = str(scene.grant(mode="BULK").uid), client.job

    def worked(grant: str, job: str) -> Any:
        writing.work(job_uid=UUID(job), clock=timezone.now)
        return look(grant, job)

    monkeypatch.setattr(client, "job", worked)
    (part, content), *more = client.jobs(grant, form="jsonl", wait=0)
    assert (part["rows"], more) == (len(content.splitlines()), [])
    assert client.cancel_job(grant, client.open_job(grant)["job"])["state"] == "CANCELLED"
