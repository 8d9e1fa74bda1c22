"""The demo's layers pass the catalogue's checks and can be looked at by those who may."""

from __future__ import annotations

from datetime import datetime

from basedb.dictionary import DATASETS
from core.audit import Actor
from core.roles import Role
from demo import city, entries, facts_called, maps, story
from exchange.features import showing
from exchange.features.showing import Ground


def test_layers_are_published_and_shown_to_their_departments(db: None, now: datetime) -> None:
    city.load_divisions()
    departments = city.load_departments()
    city.load_accounts(departments, {})
    told = story.publish_catalogue(departments, now)
    assert told == len([*entries.mounted(), *entries.listed(), *maps.layers(), *facts_called.listings()])
    police = departments[city.POLICE]
    clerk = Actor(name="某科员", user_id=None, department_id=police.pk, roles=frozenset({Role.OPERATOR}))
    shown = {one.title: one for one in showing.layers_for(clerk, now=now)}
    assert shown[maps.PLACES].ground is Ground.PUBLIC
    assert shown[maps.ADDRESSES].ground is Ground.OWN
    assert maps.PARCELS not in shown
    for one in maps.layers():
        assert one.dataset in DATASETS
