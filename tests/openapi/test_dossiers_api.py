"""A dossier over REST: the same view as the page, opened and told the same way."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from exchange import accesses
from tests.exchange import dossier_scene as scene
from tests.exchange.dossier_scene import ADDRESS, FIRM, MATTER, ME, OTHER, PHONE
from tests.factories import City

ASKED = {"kind": "PERSON", "identifier": ME, "reason": "COMPARISON", "matter": MATTER}


def ask(client: Client, city: City, who: str = "reviewer", **more: Any) -> Any:
    client.force_login(city.people[who], backend="django.contrib.auth.backends.ModelBackend")
    return client.post("/openapi/v1/dossiers/read", ASKED | more, content_type="application/json")


def test_dossier_is_read_with_sources_and_told(city: City, client: Client) -> None:
    scene.make_person(city)
    answer = ask(client, city)
    told = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    address = next(value for value in told["identity"] if value["name"] == "address")
    assert (address["said"]["text"], address["is_doubtful"], len(address["others"])) == (ADDRESS, True, 1)
    assert told["license_count"] == 3
    assert told["uses"][0]["mode"] == "DOSSIER"
    assert AuditEntry.objects.filter(action=accesses.DOSSIER_OPENED).count() == 1


def test_masks_and_sources_are_those_of_the_page(city: City, client: Client) -> None:
    scene.make_person(city)
    assert PHONE not in ask(client, city, reason="MATTER").content.decode()
    market = ask(client, city, "market_head").content.decode()
    assert ADDRESS not in market
    assert "李小红" not in market


def test_past_is_read_and_what_is_unknown_is_not_found(city: City, client: Client) -> None:
    scene.make_person(city)
    then = scene.moment_between()
    scene.deliver(
        scene.PERSON, [scene.person(ME, "王建国", phone="13900000000"), scene.person(scene.SHE, "李小红")], department=city.police
    )
    assert PHONE in ask(client, city, known_at=then.isoformat()).content.decode()
    assert PHONE not in ask(client, city, known_at=timezone.now().isoformat()).content.decode()
    missing = ask(client, city, identifier=OTHER)
    assert (missing.status_code, missing.json()["code"], OTHER in missing.content.decode()) == (404, "dossier.not_found", False)
    refused = ask(client, city, identifier="99010119800506121", more=1)
    assert (refused.status_code, "99010119800506121" in refused.content.decode()) == (422, False)


def test_household_offices_licenses_and_credit_are_told_as_on_the_page(city: City, client: Client) -> None:
    scene.make_person(city)
    scene.make_enterprise(city)
    told = ask(client, city).json()
    assert [(member["name"], member["relation"]) for member in told["members"]] == [("王建国", "本人"), ("李小红", "配偶")]
    assert told["household"]["户号"] == "99010100012345"
    assert [(role["uscc"], role["name"], role["since"]) for role in told["roles"]] == [(FIRM, "示例甲有限公司", "2010-01-01")]
    assert (len(told["licenses"]), len(told["credit"])) == (3, 3)
    assert told["credit"][0]["display"]
    assert all(line["source_title"] for section in told["sections"] for line in section["lines"])
    masked = ask(client, city, reason="MATTER").content.decode()
    assert "李小红" not in masked
    firm = ask(client, city, kind="ENTERPRISE", identifier=FIRM).json()
    assert [branch["name"] for branch in firm["branches"]] == ["示例甲有限公司分公司"]
    assert [heir["is_last"] for heir in firm["heirs"]] == [False, True]
    past = ask(client, city, known_at=timezone.now().isoformat()).json()
    assert (past["members"], past["licenses"], past["household"]) == (None, None, None)
    market = ask(client, city, "market_head").json()
    assert (market["members"], len(market["licenses"])) == (None, 3)


def test_moments_no_calendar_has_are_refused(city: City, client: Client) -> None:
    scene.make_person(city)
    for moment in ("0001-01-01T00:00:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"):
        refused = ask(client, city, as_of=moment)
        assert (refused.status_code, list(refused.json()["details"])) == (422, ["as_of"]), moment
