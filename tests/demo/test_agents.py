"""The demo shows an agent of an enterprise who may present, and one who was taken back."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.errors import Forbidden
from demo.licenses import agents
from demo.licenses.presenting import IDENTITY, TITLE_TYPE
from exchange.models import ConsumerSystem
from licenses.presenting import holders
from tests.factories import City, make_system
from tests.hotpath.partner import make_person
from tests.licenses.presented import make_entity, make_license


def test_one_agent_stands_and_one_was_taken_back(city: City, now: datetime) -> None:
    ConsumerSystem.objects.filter(pk=make_system(city.centre).pk).update(name=IDENTITY)
    boss, *others = (make_person(city.police, 900 + number, name=f"演示{number}") for number in range(3))
    for person in (boss, *others):
        make_license(city.market, person, title=TITLE_TYPE)
    entity = make_entity(city.market, boss)
    make_license(city.market, entity)
    assert agents.authorize(now) == agents.authorize(now) == 2
    (row, _entity, person), (gone, _same, former) = agents.acting()
    assert (row.revoked_at, gone.revoked_at) == (None, now)
    assert {person, former} == set(others)
    who = {"uscc": entity.uscc, "name": entity.name, "today": now.date()}
    assert holders.for_enterprise(**who, citizen_id=person.citizen_id, person_name=person.name).agent == row
    with pytest.raises(Forbidden, match="not_agent"):
        holders.for_enterprise(**who, citizen_id=former.citizen_id, person_name=former.name)
