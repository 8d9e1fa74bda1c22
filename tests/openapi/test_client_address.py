"""Whose address is recorded behind a proxy."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import LazySettings

from settings import env, wsgi


@pytest.mark.parametrize(
    ("trusted", "peer", "told", "client"),
    [
        ([], "10.0.0.1", "203.0.113.9", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (["10.0.0.1"], "10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (["10.0.0.1"], "10.0.0.2", "203.0.113.9", "10.0.0.2"),
        (["10.0.0.1"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1", "203.0.113.9, <script>", "10.0.0.1"),
        (["::1/128"], "::1", "2001:db8::5", "2001:db8::5"),
        (["10.0.0.1"], "", "203.0.113.9", ""),
    ],
)
@pytest.mark.parametrize("path", ["/openapi/v1/calls/x", "/login"])
def test_last_hop_is_believed_from_trusted_proxies_only(
    *, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, trusted: list[str], peer: str, told: str, client: str, path: str
) -> None:
    settings.TRUSTED_PROXIES = tuple(map(ip_network, trusted))
    seen: list[str] = []

    def door(environ: dict[str, Any], _start: Any) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    monkeypatch.setattr(wsgi, "calls", door)
    monkeypatch.setattr(wsgi, "portal", door)
    wsgi.application({"PATH_INFO": path, "REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}, lambda *_: None)
    assert seen == [client]


def test_trusted_proxies_come_from_the_environment(settings: LazySettings) -> None:
    told = {"SECRET_KEY": "x", "DB_PORT": "1", "DB_USER": "web", "DB_PASSWORD": "x", "BROKER_URL": "x", "CALLS_REDIS_URL": "x"}
    assert env.read(told).trusted_proxies == ()
    read = env.read(told | {"TRUSTED_PROXIES": "10.0.0.1, 10.1.0.0/16"})
    assert read.trusted_proxies == (ip_network("10.0.0.1"), ip_network("10.1.0.0/16"))
    with pytest.raises(ValueError, match="everybody"):
        env.read(told | {"TRUSTED_PROXIES": "everybody"})
