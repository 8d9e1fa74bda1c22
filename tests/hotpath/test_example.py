"""The example client makes one call of each mode on a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from exchange.models import CallRecord
from tests.hotpath import partner as partners
from tests.hotpath.scene import Scene
from tests.hotpath.server import Exchange, exchange

__all__ = ["exchange"]


def run_example(folder: Path, url: str, systems: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    (folder / "demo.json").write_text(json.dumps({"url": url, "accounts": [], "systems": systems}))
    command = [sys.executable, "-I", str(settings.BASE_DIR / "examples" / "call.py"), "--run-dir", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_example_makes_a_call_of_each_mode_and_prints_the_answers(exchange: Exchange, scene: Scene, tmp_path: Path) -> None:
    partner = partners.make_partner(scene.city.education, algorithm="HMAC-SM3")
    key = {"citizen_id": scene.people[0].citizen_id}
    grants = [partners.grant_to(partner, scene.resource, scene.city, mode=mode) for mode in ("QUERY", "VERIFY", "BULK")]
    told = [
        {"grant": str(grant.uid), "service": "人口", "mode": grant.mode, "fields": grant.fields, "sample_key": key}
        | ({"sample_values": {"name": scene.people[0].name}} if grant.mode == "VERIFY" else {})
        for grant in grants
    ]
    system = {"name": "测试系统", "key": partner.key, "secret": partner.secret, "algorithm": partner.algorithm, "grants": told}
    done = run_example(tmp_path, f"http://127.0.0.1:{exchange.port}", [system])
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in (
        "== verify",
        '"name":"yes"',
        "== query of several",
        "not_a_valid_identifier",
        "== query",
        "张**",
        "== bulk",
        "name,sex",
    ):
        assert shown in done.stdout
    outcomes = CallRecord.objects.filter(consumer_id=partner.system.id).values_list("outcome", flat=True)
    assert sorted(outcomes) == [*["call.answered"] * 4, "call.closed", "call.opened"]


def test_example_says_so_when_a_call_is_refused(exchange: Exchange, scene: Scene, tmp_path: Path) -> None:
    grant = scene.grant(state="REVOKED")
    told = {"grant": str(grant.uid), "service": "x", "mode": "BULK", "fields": ["name"], "sample_key": {}}
    system = {"name": "x", "key": scene.partner.key, "secret": scene.partner.secret, "algorithm": "HMAC-SHA256", "grants": [told]}
    done = run_example(tmp_path, f"http://127.0.0.1:{exchange.port}", [system])
    assert done.returncode == 1
    assert "grant.revoked" in done.stdout
