"""The demo's entries of facts pass the catalogue's checks and are granted; every fact can be drafted from."""

from __future__ import annotations

from datetime import datetime

from basedb.mountable import offered
from catalog import mounting
from catalog.content import DATA_TYPES
from demo import city, facts_called, maps, places, story
from exchange.models import Grant


def test_penalties_and_licenses_are_published_and_granted(db: None, now: datetime) -> None:
    city.load_divisions()
    departments = city.load_departments()
    city.load_accounts(departments, {seat.username: "Demo-2026-long" for seat in city.SEATS})
    story.publish_catalogue(departments, now)
    story.ask_and_decide(story.register_systems(now), now)
    granted = {grant.resource.title: grant.fields for grant in Grant.objects.filter(mode="QUERY", state="ACTIVE")}
    assert granted[facts_called.PENALTIES] == list(facts_called.PENALTY_ITEMS)
    assert granted[facts_called.LICENSES] == list(facts_called.LICENSE_ITEMS)
    layer = Grant.objects.get(mode="FEATURES", state="ACTIVE")
    assert (layer.resource.title, layer.system.department) == (maps.ADDRESSES, departments[places.LAND])
    assert layer.fields == list(maps.ADDRESS_ITEMS)


def test_every_offered_dataset_has_a_draft_of_known_types_without_keys_of_others() -> None:
    assert {"credit.penalty", "license.license", "population.residence", "legal_entity.officer"} <= {one.code for one in offered()}
    for dataset in offered():
        items = mounting.draft_from(dataset.code).items
        assert {item.data_type for item in items} <= set(DATA_TYPES)
        assert not {"person_key", "partner_key", "holder_key"} & {item.name for item in items}
