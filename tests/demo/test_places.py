"""Places of the demo: the same every time, taken in by the real rules, with the faults that were put in and no others."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from basedb.dictionary import DATASETS
from basedb.geography import divisions
from basedb.geography.matching import Verdict, match
from basedb.models import Address, DivisionOutline, Ownership, Parcel
from core.models import Department, Region
from demo import city, places
from demo.synthetic import people
from tests.basedb.test_geography_ingest import deliver, rejects

__all__ = ["rejects"]
LOTS = 320


@pytest.fixture(name="city")
def demo_city(db: None) -> SimpleNamespace:
    """The real divisions and one office."""
    city.load_divisions()
    office = Department.objects.create(name="局", short_name="局", code="1" * 18, region=Region.objects.get(code="3201"))
    return SimpleNamespace(police=office)


def test_same_seed_gives_the_same_places() -> None:
    assert places.make_rows((), 50) == places.make_rows((), 50)
    assert places.outlines() == places.outlines()


def test_demo_places_pass_the_rules_but_for_the_faults_put_in(city: SimpleNamespace, rejects: None) -> None:
    assert places.load_outlines() == places.load_outlines() == 1
    assert DivisionOutline.objects.count() == len(places.DISTRICTS) + 1
    for dataset, rows in places.make_rows(people(60), LOTS).items():
        deliver(city, dataset, *rows, code=dataset)  # type: ignore[arg-type]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rule FROM rejects")
        found = Counter(rule for (rule,) in cursor.fetchall())
    assert found == {
        "outline.crossing": 2,
        "area.mismatch": 2,
        "location.swapped": 2,
        "datum.shifted": 2,
        "parcel_code.unknown": found["parcel_code.unknown"],
        "unit_code.unknown": found["unit_code.unknown"],
    }
    assert (Parcel.objects.count(), Address.objects.count()) == (LOTS - 4, LOTS - 4)
    assert Ownership.objects.exists()
    address = Address.objects.exclude(location=None).first()
    assert address is not None
    assert match(address.full_address).verdict is Verdict.MATCHED
    inside = divisions.divisions_at(longitude=address.location.x, latitude=address.location.y, day=timezone.localdate())
    assert [place.is_fictive for place in inside] == [True, True]
    assert inside[-1].code == address.region_code[:6]
    old = divisions.division_on("320103", timezone.now().date().replace(year=2012))
    assert old is not None
    assert divisions.standing_heirs("320103", timezone.now().date()) == ("320104",)
    assert {DATASETS[code].base_database for code in places.OWNERS} == {"geospatial"}
