"""A platform above as the tests play it: a small HTTP server on loopback that can be slow, broken, strict or wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from catalog.models import Resource
from exchange.models import UpstreamAccount, UpstreamInterface, UpstreamSecret
from exchange.national import signing
from exchange.sources.secrets import put_secret
from tests.hotpath.scene import Scene
from tests.sources.department import mount
from tests.sources.numbers import next_number

POINTERS = {"citizen_id": "/data/sfzh", "name": "/data/xm", "sex": "/data/xb", "address": "/data/dz"}
RECORD = {"sfzh": "990101", "xm": "欧阳小明", "xb": "1", "dz": "江苏省南京市玄武区测试路1号", "bz": "内部备注"}
APP_KEY = "0123456789abcdef0123456789abcdef"

Answering = Callable[["Above", str, dict[str, str], Any], tuple[int, Any]]


def found(_: Above, _path: str, _headers: dict[str, str], _body: Any) -> tuple[int, Any]:
    """Answer with a record."""
    return 200, {"code": "0", "data": RECORD}


class Above:
    """Counts what it is asked; `answering` says what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.answering: Answering = found
        self.delay = self.pause = 0.0  # before an answer, after each byte of it
        self.session = ""
        self.refreshes = 0
        self.app_key = APP_KEY
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(content) if content else None
                headers = {name.lower(): value for name, value in self.headers.items()}
                platform.asked.append((self.path, headers, body))
                time.sleep(platform.delay)
                status, answer = platform.answering(platform, urlsplit(self.path).path, headers, body)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                for part in [content] if not platform.pause else [content[n : n + 1] for n in range(len(content))]:
                    self.wfile.write(part)
                    time.sleep(platform.pause)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def register(self, scene: Scene, **values: Any) -> tuple[UpstreamInterface, Resource]:
        """Return an interface here and a resource mounted on it."""
        given: dict[str, Any] = {
            "title": f"上级接口{next_number()}",
            "authority": "上级部委",
            "url": f"{self.url}/person",
            "columns": [{"name": name, "title": name, "pointer": pointer} for name, pointer in POINTERS.items()],
            "request_map": {"sfzh": {"in": "body", "from": "key"}, "lx": {"in": "body", "from": "constant", "value": "01"}},
            "answer_map": {"code": "/code", "ok": ["0"], "none": ["404"], "record": "/data"},
            "timeout_ms": 1000,
        }
        interface = UpstreamInterface.objects.create(department=scene.city.police, **given | values)
        resource = mount(scene, f"interface.{interface.uid.hex}", {name: name for name in POINTERS})
        return interface, resource

    def national_account(self, scene: Scene, now: Any, *, family: str = "gjgxjhpt", app_key: str = APP_KEY) -> UpstreamAccount:
        """Return our account at this platform by the national convention."""
        account = UpstreamAccount.objects.create(
            title=f"国家平台{next_number()}",
            department=scene.city.police,
            auth="NATIONAL",
            family=family,
            rid="6a1f4a4e-0000-4000-8000-000000000001",
            refresh_url=f"{self.url}/sysapi/auth/refreshappsecret",
            refresh_sid="s_sys_auth001",
        )
        secret = UpstreamSecret(account=account, valid_from=now)
        put_secret(secret, app_key)
        secret.save()
        return account


def national(platform: Above, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
    """Play the national platform: refresh under the app key, business calls under the session it handed out last."""
    prefix = next((p.lower() for p in signing.PREFIXES.values() if f"{p.lower()}sign" in headers), "")
    rid, sid, rtime, sign = (headers.get(prefix + part, "") for part in signing.PARTS)
    is_refresh = path.endswith("/refreshappsecret")
    key = platform.app_key if is_refresh else platform.session
    if not signing.is_signed(sign, [key], sid=sid, rid=rid, rtime=rtime):
        return 200, {"code": "-1", "message": "签名错误", "data": None}
    if sid.endswith("forbidden"):
        return 200, {"code": "E-106", "message": "不在授权列表", "data": None}
    if not is_refresh:
        return found(platform, path, headers, body)
    platform.refreshes += 1
    platform.session = f"session-{platform.refreshes}-{time.time_ns()}"
    secret = signing.encrypt(platform.session, platform.app_key, "ECB")
    return 200, {"code": "0", "data": {"secret": secret, "secretEndTime": int((time.time() + 3600) * 1000)}}
