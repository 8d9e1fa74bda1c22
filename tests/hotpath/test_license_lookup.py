"""The door of license lookups beside Django: one trip to Redis, one statement, the answers Django would give, stable refusals."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from exchange.calls import connections
from licenses import numbering
from licenses.models import License, LicenseUse, TrustedKey, TrustedNode, VerificationCount
from licenses.status.checker import code_text
from licenses.verification import checks, counting, limits
from openapi import license_verifications
from settings.wsgi import application as dispatch
from tests.hotpath.scene import Scene, WebSettings, password_of
from tests.hotpath.test_budget import watched
from tests.licenses.verified import ELSEWHERE, TYPE, aggregate, make_license, make_type, no_limit_reached

__all__ = ["no_limit_reached"]

pytestmark = pytest.mark.usefixtures("no_limit_reached")


@pytest.fixture(scope="module")
def license(scene: Scene) -> License:
    return make_license(make_type(scene.city.police))


def ask(query: str, *, address: str = "192.0.2.7", **more: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": license_verifications.PATH,
        "QUERY_STRING": query,
        "REMOTE_ADDR": address,
    } | more
    assert license_verifications.is_mine(environ)
    started: list[Any] = []
    body = b"".join(license_verifications.application(environ, lambda status, headers: started.extend((status, headers))))
    return int(started[0][:3]), dict(started[1]), json.loads(body)


def test_a_warm_lookup_takes_one_trip_and_one_statement(license: License) -> None:
    ask(f"identifier={license.identifier}")
    counting.tally.flush()
    with watched(limits._lines.mine()) as (statements, commands):
        status, headers, told = ask(f"identifier={license.identifier}")
    assert (status, told["status"]["code"]) == (200, "status.valid")
    assert [statement[:7] for statement in statements] == ["EXECUTE"]
    assert [command.count("EVALSHA") for command in commands] == [1]
    assert headers["Cache-Control"] == "no-store"
    assert int(headers["RateLimit-Remaining"]) == int(headers["RateLimit-Limit"]) - 2
    assert headers["X-Request-Id"] == told["request_id"]


def test_the_door_answers_what_django_would(license: License, scene: Scene) -> None:
    held = aggregate(scene.city.market, license_state="07")
    for identifier in (license.identifier, held.identifier, numbering.compose(TYPE, ELSEWHERE, "123456789", 1)):
        _, _, told = ask(f"identifier={identifier}")
        slow = checks.verify_identifier(identifier, datetime.fromisoformat(told["checked_at"]))
        assert {name: told[name] for name in told if name != "request_id"} == slow.told()


def test_the_text_of_a_code_is_understood(license: License) -> None:

    text = quote(code_text("https://exchange.invalid", license.identifier, license.position + 1, None))
    assert ask(f"code={text}")[2]["integrity"]["code"] == "integrity.other_license"


def test_a_foreign_issuer_is_looked_up_in_the_trust_list(scene: Scene, now: datetime) -> None:
    node = TrustedNode.objects.create(code="330100", name="杭州市", region_code="330100", relation="PEER", created_at=now)
    operator, reviewer = scene.city.people["police_operator"], scene.city.people["reviewer"]
    TrustedKey.objects.create(
        node=node, key_id="0" * 16, fingerprint="0" * 64, public_key="-", valid_from=now, valid_to=now + timedelta(days=1),
        proposed_by=operator, proposed_at=now, confirmed_by=reviewer, confirmed_at=now,
    )  # fmt: skip
    told = ask(f"identifier={numbering.compose(TYPE, ELSEWHERE, '123456789', 1)}")[2]
    assert (told["issuer"]["code"], told["status"]["code"]) == ("issuer.trusted_node", "status.foreign")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "verification.wrong_question"),
        ("identifier=", "license.identifier_missing"),
        ("identifier=a&code=b", "verification.wrong_question"),
        ("identifier=a&identifier=b", "verification.wrong_question"),
        ("holder_name=%E5%BC%A0", "verification.wrong_question"),
        ("identifier=%00", "license.identifier_unreadable"),
        ("identifier=%FF%FE", "license.identifier_unreadable"),
        ("identifier=" + "9" * 500, "license.identifier_unreadable"),
        ("&".join(["a=b"] * 50), "verification.wrong_question"),
        ("identifier=1.2.156.3005.2.a.b.c.001.%27", "license.identifier_unreadable"),
    ],
)
def test_wrong_questions_have_stable_codes_and_cost_no_statement(scene: Scene, query: str, code: str) -> None:
    with watched() as (statements, _commands):
        status, _headers, told = ask(query)
    assert (status, told["code"], statements) == (422, code, [])


def test_an_address_that_asks_too_often_waits(license: License, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.VERIFICATIONS_A_MINUTE = 1
    assert ask(f"identifier={license.identifier}", address="192.0.2.8")[0] == 200
    status, headers, told = ask(f"identifier={license.identifier}", address="192.0.2.8")
    assert (status, told["code"], headers["RateLimit-Remaining"]) == (429, "verification.too_many", "0")
    assert 0 < int(headers["Retry-After"]) <= 60
    assert ask(f"identifier={license.identifier}", address="192.0.2.9")[0] == 200


def test_without_a_store_the_door_says_so(license: License, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    web = WebSettings(password_of("web"))
    monkeypatch.setattr(connections, "settings", _WithoutDatabase(web))
    connections.close()
    status, _headers, told = ask(f"identifier={license.identifier}")
    assert (status, told["code"]) == (503, "platform.unavailable")
    settings.CALLS_REDIS_URL = "redis://127.0.0.1:1/0"
    limits.close()
    status, _headers, told = ask(f"identifier={license.identifier}")
    limits.close()
    assert (status, told["code"]) == (503, "platform.unavailable")


class _WithoutDatabase:
    def __init__(self, web: WebSettings) -> None:
        self._web = web

    @property
    def DATABASES(self) -> dict[str, Any]:  # noqa: N802
        return {"default": self._web.DATABASES["default"] | {"PORT": "1"}}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._web, name)


def test_lookups_of_the_web_role_are_counted(license: License) -> None:
    counting.tally.flush()
    VerificationCount.objects.all().delete()
    counting.tally._written_at = 0.0
    ask(f"identifier={license.identifier}")
    counted = VerificationCount.objects.values_list("door", "outcome", "count")
    assert list(counted) == [("REST", "integrity.not_signed_yet", 1)]


@pytest.mark.parametrize(
    ("more", "method"),
    [({"HTTP_X_GOV_KEY": "k"}, "GET"), ({"HTTP_COOKIE": "a=b; sessionid=x"}, "GET"), ({}, "POST"), ({}, "OPTIONS")],
)
def test_whoever_signs_in_or_signs_or_sends_is_django_s(more: dict[str, str], method: str) -> None:
    environ = {"PATH_INFO": license_verifications.PATH, "REQUEST_METHOD": method, "QUERY_STRING": "", **more}
    assert not license_verifications.is_mine(environ)


def test_a_system_that_signs_is_recorded_as_having_used_the_license(license: License, scene: Scene) -> None:
    url = f"{license_verifications.PATH}?identifier={license.identifier}"
    told = Client().get(url, headers=scene.partner.headers(url, b"", method="GET"))
    assert (told.status_code, told.json()["status"]["code"]) == (200, "status.valid")
    use = LicenseUse.objects.get(identifier=license.identifier, channel="VERIFIED")
    assert (use.system_id, use.department_name) == (scene.partner.system.pk, scene.city.education.name)
    forged = Client().get(url, headers=scene.partner.with_wrong_secret().headers(url, b"", method="GET"))
    assert (forged.status_code, forged.json()["code"]) == (401, "auth.bad_signature")
    assert LicenseUse.objects.filter(channel="VERIFIED").count() == 1


def test_the_dispatcher_sends_anybody_s_lookup_past_django(license: License) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": license_verifications.PATH,
        "QUERY_STRING": f"identifier={license.identifier}",
        "REMOTE_ADDR": "192.0.2.7",
    }
    started: list[Any] = []
    body = b"".join(dispatch(environ, lambda status, headers: started.extend((status, headers))))
    assert started[0] == "200 OK"
    assert "Vary" not in dict(started[1])
    assert json.loads(body)["license"]["identifier"] == license.identifier
