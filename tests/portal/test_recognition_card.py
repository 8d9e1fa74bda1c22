"""The file that makes this node known to others: public keys alone, one another node takes, its fingerprints beside it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from licenses.recognition import keeping
from licenses.sealing import keys
from tests.factories import City

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewer(city: City, client: Client, now: datetime) -> Client:
    keys.prepare(now=now)
    client.force_login(city.people["reviewer"])
    return client


def test_another_node_takes_the_file_and_its_fingerprints_are_the_ones_on_the_page(
    city: City, reviewer: Client, now: datetime, settings: object
) -> None:
    page = reviewer.get(reverse("portal:recognition-card")).content.decode()
    answer = reviewer.get(reverse("portal:recognition-card-file"), {"relation": "ABOVE"})
    assert answer["Content-Disposition"].startswith("attachment")
    assert "PRIVATE" not in answer.content.decode()
    told = json.loads(answer.content)
    assert (told["relation"], len(told["keys"])) == ("ABOVE", 3)
    settings.NODE_CODE = "320102"  # type: ignore[attr-defined]  # as the other side reads it
    made = keeping.propose(content=answer.content, actor=city.actor("reviewer"), now=now)
    assert made.relation == "ABOVE"
    shown = [key.fingerprint for key in made.keys.all()]
    assert len(shown) == 3
    assert all(fingerprint in page for fingerprint in shown)


def test_keys_are_not_promised_for_ever(reviewer: Client, now: datetime) -> None:
    address = reverse("portal:recognition-card-file")
    for days in (-1, 6 * 366):
        answer = reviewer.get(address, {"valid_to": (now + timedelta(days=days)).date().isoformat()})
        assert answer.status_code == 422
        assert "五年内" in answer.content.decode()
