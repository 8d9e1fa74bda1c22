"""A dossier over REST: the same view as the page, opened and told the same way."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from exchange import accesses
from tests.exchange import dossier_scene as scene
from tests.exchange.dossier_scene import ADDRESS, MATTER, ME, OTHER, PHONE
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
