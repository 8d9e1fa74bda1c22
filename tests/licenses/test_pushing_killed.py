"""A sender of licenses that is killed again and again, over real HTTP: nothing is lost, nothing is taken twice, the order holds."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from demo.licenses.nodes import SimulatedNode
from licenses.models import OutBatch
from licenses.recognition import pushing
from tests.exchange.killing import finish, kill_when
from tests.factories import City
from tests.licenses.nodes import PROVINCE, own_keys, simulated, trusted
from tests.licenses.verified import aggregate
from tests.races.test_decisions import town

__all__ = ["own_keys", "town"]
LICENSES = 60
KILLS = 3
WORK = """
from licenses.recognition import pushing, sending
pushing.ROWS = 5
from licenses.models import OutBatch
OutBatch.objects.update(claimed_until=None, next_attempt_at=timezone.now())
pushing.make_batches(now=timezone.now())
sending.send_due(now=timezone.now())
"""


@pytest.fixture
def province() -> Iterator[SimulatedNode]:
    """A province behind a real door of HTTP; its answers take a moment."""
    node = simulated(PROVINCE, "ABOVE")

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                status, answer = node.post(None, self.path, body)  # type: ignore[arg-type]
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    node.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield node
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("own_keys")
@pytest.mark.django_db(transaction=True)
def test_a_sender_under_kill_9_delivers_every_license_once_and_in_order(
    town: City, province: SimulatedNode, now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICENSE_KEYS_DIR", str(settings.LICENSE_KEYS_DIR))
    monkeypatch.setenv("LICENSE_PASSPHRASE_FILE", str(settings.LICENSE_PASSPHRASE_FILE))
    trusted(town, province, now - timedelta(minutes=1))
    identifiers = {aggregate(town.police).identifier for _ in range(LICENSES)}
    killed = 0
    for round_ in range(KILLS):
        wanted = 1 + round_ * 3
        killed += kill_when(WORK, lambda wanted=wanted: len(set(province.numbers)) >= wanted, random.uniform(0, 0.05))
    finish(WORK)
    assert killed
    assert sorted(set(province.numbers)) == list(range(1, LICENSES // 5 + 1))
    assert province.numbers == sorted(province.numbers)
    assert {line["data"]["identifier"] for line in province.taken} == identifiers
    assert len(province.taken) == LICENSES
    assert not OutBatch.objects.exclude(state="ACKNOWLEDGED").exists()
    assert pushing.make_batches(now=now) == 0
