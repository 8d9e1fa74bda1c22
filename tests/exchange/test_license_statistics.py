"""Figures of licenses: how many of each type there are, whom they cover, how often they are used."""

from __future__ import annotations

from datetime import datetime

from basedb.models import LicenseType
from exchange.license_statistics import measuring, reading
from exchange.matters.fetching import fetch
from tests.exchange import matter_scene as scenes
from tests.exchange.matter_scene import BIRTH, MARRIAGE, MOTHER, STRANGER, ask
from tests.factories import City, restore_shipped


def test_licenses_are_counted_by_type_issuer_region_and_month(city: City, now: datetime) -> None:
    restore_shipped()
    scene = scenes.make_scene(city, now)
    scenes.make_person(scene.city.police, MOTHER, marital_status="20")
    scenes.make_person(scene.city.police, STRANGER, marital_status="20")
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER, issued_on=f"{now:%Y%m}01")
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER, valid_to="20210101")
    scenes.make_license(scene.city.police, BIRTH, MOTHER, license_state="07")
    scene.grant(scene.licenses, ("number",))
    fetch(ask=ask(), signed=scene.signed(now), actor=scene.actor(), now=now)
    for _again in range(2):
        measuring.measure(now=now)
    total = reading.total(reading.Scope())
    assert (total.total, total.live, total.expired, total.ended) == (3, 1, 1, 1)
    by_type = {line.key: line.total for line in reading.held("type", reading.Scope())}
    assert by_type == {MARRIAGE: 2, BIRTH: 1}
    assert [line.key for line in reading.held("month", reading.Scope())] == [f"{now:%Y-%m}"]
    (covered,) = [one for one in reading.covered() if one.type_code == MARRIAGE]
    assert (covered.expected, covered.held, covered.percent) == (2, 1, 50.0)
    assert [(one.key, one.count) for one in reading.used("channel")] == [("MATTER", 1)]
    assert reading.measured_at() == now
    assert LicenseType.objects.filter(code=MARRIAGE).exists()
