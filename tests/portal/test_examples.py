"""The page of examples: what stands on it runs against the door as it stands, once secret and subject are filled in."""

from __future__ import annotations

import html
import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from exchange.models import CallRecord, Credential, Grant
from portal.grants.examples import LANGUAGES, examples
from portal.grants.samples import HEADERS, SIGNED
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner
from tests.hotpath.scene import Scene, db, scene, web_role
from tests.hotpath.server import Exchange, exchange

__all__ = ["db", "exchange", "scene", "web_role"]

ALGORITHMS = ["HMAC-SHA256", "HMAC-SM3"]
MODES: list[tuple[str, dict[str, Any]]] = [
    ("QUERY", {"matters": ["A-1"], "control_parameters": {"channel": ["it's \"w$eb\\"]}}),
    ("VERIFY", {"fields": ["name"]}),
    ("BULK", {}),
    ("SUBSCRIBE", {}),
]
# Where there is no curl, what the shell example asks of it.
CURL = f"""#!{sys.executable}
import sys, urllib.request
given = sys.argv[1:]
assert given[0] == "-sS" and given[-2] == "--data-raw"
headers = dict(value.split(": ", 1) for flag, value in zip(given, given[1:]) if flag == "-H")
request = urllib.request.Request(given[1], given[-1].encode(), headers)
print(urllib.request.urlopen(request).read().decode())
"""


def page(who: Client, grant: Grant, language: str = "") -> str:
    answer = who.get(f"/grants/{grant.uid}/example/", {"language": language} if language else {})
    assert answer.status_code == 200
    return answer.content.decode()


def shown(who: Client, grant: Grant, language: str) -> str:
    """Return the program that stands on the page."""
    found = re.search(r'<pre[^>]*id="example-call"[^>]*>(.*?)</pre>', page(who, grant, language), re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def filled(program: str, scene: Scene, partner: Partner) -> str:
    return (
        program.replace("<创建凭证时展示的密钥>", partner.secret)
        .replace("<要查询的号码>", scene.people[0].citizen_id)
        .replace("<待核对的值>", scene.people[0].name)
    )


@pytest.fixture
def clerk(scene: Scene, settings: Any, exchange: Exchange) -> Client:
    settings.PUBLIC_URL = f"http://127.0.0.1:{exchange.port}"
    client = Client()
    client.force_login(scene.city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def run(language: str, program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = {"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin"}
    if language == "python":
        (folder / "call.py").write_text(program)
        return subprocess.run([sys.executable, "-I", "call.py"], cwd=folder, capture_output=True, text=True, check=False)
    if shutil.which("curl") is None:
        stand_in = folder / "curl"
        stand_in.write_text(CURL)
        stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    (folder / "call.sh").write_text(program)
    return subprocess.run(["sh", "call.sh"], cwd=folder, capture_output=True, text=True, check=False, env=path)


@pytest.mark.parametrize("language", ["shell", "python"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_mode_of_the_page_runs_as_it_stands(
    scene: Scene, clerk: Client, tmp_path: Path, language: str, algorithm: str
) -> None:
    partner = partners.make_partner(scene.city.education, algorithm=algorithm)
    for mode, values in MODES:
        grant = partners.grant_to(partner, scene.resource, scene.city, mode=mode, **values)
        done = run(language, filled(shown(clerk, grant, language), scene, partner), tmp_path)
        assert done.returncode == 0, done.stderr
        assert "call_id" in done.stdout or "name,sex" in done.stdout, done.stdout
        outcomes = set(CallRecord.objects.filter(grant_id=grant.pk).values_list("outcome", flat=True))
        assert outcomes <= {"call.answered", "call.opened", "call.closed"}
        assert outcomes


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_programs_of_all_languages_sign_the_same_lines_and_send_the_same_headers(scene: Scene, algorithm: str) -> None:
    partner = partners.make_partner(scene.city.education, algorithm=algorithm)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    programs = examples(grant, Credential.objects.get(key=partner.key))
    assert list(programs) == list(LANGUAGES) == ["shell", "python", "java"]
    assert f'"\\n".join(({", ".join(SIGNED)}))' in programs["python"]
    assert f'String.join("\\n", {", ".join(SIGNED)})' in programs["java"]
    assert " ".join(f'"${name}"' for name in SIGNED) in programs["shell"]
    body = json.dumps({"key": {"citizen_id": "<要查询的号码>"}, "fields": ["name", "sex"]}, ensure_ascii=False)
    for language, program in programs.items():
        assert partner.key in program
        assert partner.secret not in program
        assert (body if language == "shell" else json.dumps(body, ensure_ascii=False)) in program
        for header, name in HEADERS:
            assert re.search(rf'"{header}(": |", |: \$){name}\b', program), (language, header)
    assert ("sm3(" in programs["java"]) == (algorithm == "HMAC-SM3")


def test_the_page_needs_no_script_and_takes_no_other_language(scene: Scene, clerk: Client) -> None:
    grant = scene.grant()
    for language, (title, run_as, *_rest) in LANGUAGES.items():
        text = page(clerk, grant, language)
        assert f'href="?language={language}" aria-current="page">{title}<' in text
        assert run_as in text
    assert shown(clerk, grant, "cobol") == shown(clerk, grant, "shell")
    assert f"/openapi/v1/grants/{grant.uid}/openapi" in page(clerk, grant)


def test_a_system_without_a_key_is_told_to_make_one_and_strangers_see_no_page(scene: Scene, clerk: Client) -> None:
    system = factories.make_system(scene.city.education)
    grant = factories.make_grant(scene.resource, system, scene.city.people["education_operator"])
    assert "系统还没有访问凭证" in page(clerk, grant)
    assert "应用标识" in shown(clerk, grant, "java")
    stranger = Client()
    stranger.force_login(scene.city.people["market_operator"], backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get(f"/grants/{grant.uid}/example/").status_code == 404
