"""Facts of the demo city: reproducible, and good enough for the real door to take every one of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from basedb.dictionary import DATASETS, ENTERPRISE, PERSON
from basedb.legal_entity.verification import verify_entities
from basedb.models import EntityVerification, LifeEvent, LifeEventSubscription, Person, ReviewMark
from core.models import Department, Region
from demo import city as demo_city
from demo import facts
from demo.enterprises import registered_entities
from demo.people import SURVEY_DAY, residents
from exchange.models import AggregationRun, RejectedRow, RunState
from tests.basedb.fact_rows import RING, collect
from tests.factories import City

PEOPLE = list(residents(1_500, seed=7))
ENTITIES = list(registered_entities(150, seed=7, representatives=PEOPLE))


def test_same_people_have_the_same_facts() -> None:
    assert facts.facts_of(PEOPLE, ENTITIES) == facts.facts_of(PEOPLE, ENTITIES)


def test_every_series_has_rows_the_real_door_takes(city: City) -> None:
    collect(PERSON, [row._asdict() for row in PEOPLE], department=city.police)
    collect(ENTERPRISE, [row._asdict() for row in ENTITIES], department=city.market)
    rows = facts.facts_of(PEOPLE, ENTITIES)
    for dataset, title, _department, collector in facts.SERIES:
        counts, refused = collect(
            DATASETS[dataset], rows[title], department=city.centre, collector=collector, source=f"{dataset}.{title}"
        )
        assert refused == [], title
        assert counts.changed == len(rows[title]) > 0, title
    died = sum(row["vital_event"] == "20" for row in rows["出生死亡信息归集"])
    assert Person.objects.filter(person_status="9").count() == died == LifeEvent.objects.filter(kind="20").count()
    assert ReviewMark.objects.exists()
    verify_entities(keys=None, subject_key=RING.subject_key, today=SURVEY_DAY)
    assert EntityVerification.objects.filter(state="CONFORMING").count() > 100
    assert EntityVerification.objects.filter(reasons__contains=["LIVE_TAX_REGISTRATION"]).exists()


def test_files_of_the_demo_are_taken_in(city: City, tmp_path: Path, settings: Any, now: datetime) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    Region.objects.create(code="320115", name="江宁区", level="COUNTY", parent=city.region)  # where a district bureau lies
    demo_city.load_departments()
    departments = {row.name: row for row in Department.objects.all()}
    few, some = PEOPLE[:200], ENTITIES[:120]
    taken = facts.aggregate(departments, few, some, now)
    assert set(AggregationRun.objects.values_list("state", flat=True)) == {RunState.SUCCEEDED}
    assert not RejectedRow.objects.exists()
    assert taken == sum(len(rows) for rows in facts.facts_of(few, some).values())
    assert LifeEventSubscription.objects.count() == len(facts.TOLD)
    assert facts.aggregate(departments, few, some, now) == 0
