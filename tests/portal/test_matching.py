"""The matching desk through the pages: the queue, a pair side by side, deciding it and taking it back."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from basedb.matching import desk
from basedb.models import MatchCandidate
from tests.basedb.fusion.world import World, key, links, make_world
from tests.basedb.matching.test_running import known, match, nameless
from tests.factories import City


@pytest.fixture
def world(city: City, now: datetime) -> World:
    """Two lead sources and two supplements."""
    return make_world(city, now)


@pytest.fixture
def pair(world: World) -> MatchCandidate:
    """A pair of names that sound alike."""
    known(world)
    nameless(world, name="张玮强")
    match(world)
    return MatchCandidate.objects.get()


def test_reviewer_reads_decides_and_takes_back(pair: MatchCandidate, city: City, world: World, client: Client) -> None:
    client.force_login(city.people["reviewer"])
    listed = client.get(reverse("portal:matching-list")).content.decode()
    assert "同音不同字" in listed
    page = reverse("portal:matching-detail", args=[pair.uid])
    assert page in listed
    shown = client.get(page).content.decode()
    assert "13800000001" in shown
    assert "是同一主体，关联" in shown
    assert client.post(page, {"action": "accept", "reason": ""}).status_code == 422
    assert client.post(page, {"action": "accept", "reason": "已核对户口簿"}).status_code == 302
    assert client.post(page, {"action": "refuse", "reason": "再想想"}).status_code == 409
    desk.apply_due(clock=world.tick)
    assert links()[pair.chain] == (key(1), "MANUAL")
    assert page not in client.get(reverse("portal:matching-list")).content.decode()
    assert page in client.get(reverse("portal:matching-list"), {"state": "ACCEPTED", "band": "high"}).content.decode()
    assert client.post(page, {"action": "undo", "reason": "核对有误"}).status_code == 302
    desk.apply_due(clock=world.tick)
    assert links()[pair.chain] == (None, "HELD")


def test_source_department_reads_with_the_entity_masked(pair: MatchCandidate, city: City, client: Client) -> None:
    client.force_login(city.people["education_operator"])
    shown = client.get(reverse("portal:matching-detail", args=[pair.uid])).content.decode()
    assert "13800000001" in shown
    assert "138****0001" in shown
    assert "等待数据中心审核员判定" in shown
    assert client.post(reverse("portal:matching-detail", args=[pair.uid]), {"action": "accept", "reason": "是"}).status_code == 403
