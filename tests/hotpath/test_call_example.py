"""The example on the grant page is a call that works as it stands, once secret and subject are filled in."""

from __future__ import annotations

import io
import subprocess
import urllib.request
from typing import Any

import pytest

from exchange.models import Credential
from portal.grants.examples import examples
from tests.hotpath import partner as partners
from tests.hotpath.partner import Reply, send
from tests.hotpath.scene import Scene


def filled(text: str, scene: Scene, secret: str) -> str:
    return (
        text.replace("<创建凭证时展示的密钥>", secret)
        .replace("<要查询的号码>", scene.people[0].citizen_id)
        .replace("<待核对的值>", "张三丰")
    )


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC-SM3"])
@pytest.mark.parametrize(("mode", "fields"), [("QUERY", ["name", "sex"]), ("VERIFY", ["name"]), ("BULK", ["name"])])
def test_the_python_example_runs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, algorithm: str, mode: str, fields: list[str]
) -> None:
    partner = partners.make_partner(scene.city.education, algorithm=algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city, mode=mode, fields=fields)
    replies: list[Reply] = []

    def urlopen(request: urllib.request.Request) -> Any:
        body = request.data if isinstance(request.data, bytes) else b""
        replies.append(send(request.selector, dict(request.header_items()), body))
        return io.BytesIO(replies[-1].body)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    program = filled(examples(grant, Credential.objects.get(key=partner.key))["python"], scene, partner.secret)
    exec(program, {})  # noqa: S102  (the reader of the page runs it, too)
    assert replies[0].status == 200, replies[0].body


@pytest.mark.parametrize("algorithm", ["HMAC-SHA256", "HMAC-SM3"])
def test_the_shell_example_signs_the_same_call(scene: Scene, algorithm: str) -> None:
    partner = partners.make_partner(scene.city.education, algorithm=algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    script = filled(examples(grant, Credential.objects.get(key=partner.key))["shell"], scene, partner.secret)
    script = script[: script.index("curl ")] + 'printf "%s\\n" "$CALL" "$STAMP" "$NONCE" "$DIGEST" "$SIGNATURE" "$BODY"'
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    call, stamp, nonce, digest, signature, body = ran.stdout.splitlines()
    headers = {"Key": partner.key, "Timestamp": stamp, "Nonce": nonce, "Digest": digest, "Signature": signature}
    reply = send(call, {f"X-Gov-{name}": value for name, value in headers.items()}, body.encode())
    assert reply.status == 200, reply.body
