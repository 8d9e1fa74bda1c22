"""The demo's thematic databases: their sources come in through real plans, and both hold rows of several levels."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.apps import apps

from basedb.credit import shipped
from basedb.models import LegalEntity, Person, RefreshState, ThematicRefresh, ThematicRow
from demo import city as demo_city
from demo import facts, thematic
from demo.enterprises import registered_entities
from demo.people import residents
from exchange.models import AggregationRun, RejectedRow, RunState, ZoneFigure
from exchange.systems import key_ring

PEOPLE = list(residents(600, seed=7))
ENTITIES = list(registered_entities(thematic.ENTERPRISES, seed=7, representatives=PEOPLE))


def test_what_comes_with_the_platform_stands_with_rows(db: None, tmp_path: Path, settings: Any, now: datetime) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    for load in (shipped.load_catalog, shipped.load_tiers, shipped.load_license_types):
        load(apps)
    demo_city.load_divisions()
    departments = demo_city.load_departments()
    demo_city.load_accounts(departments, {})
    key = key_ring().subject_key
    for number, entity in enumerate(ENTITIES):
        LegalEntity.objects.create(
            subject_key=key(entity.uscc), uscc=entity.uscc, name=entity.name, region_code="320102", registration_state="1",
            source_department=departments[demo_city.MARKET], source_record_id=number, run_id=1,
        )  # fmt: skip
    for number, row in enumerate(PEOPLE):
        born = date.fromisoformat(row.birth_on)
        Person.objects.create(
            subject_key=key(row.citizen_id), citizen_id=row.citizen_id, name=row.name, sex=row.sex, birth_on=born,
            person_status="0", region_code=row.region_code, source_department=departments[demo_city.POLICE],
            source_record_id=number, run_id=1,
        )  # fmt: skip
    facts.aggregate(departments, PEOPLE, ENTITIES, now)
    taken = thematic.aggregate(departments, PEOPLE, now)
    assert list(RejectedRow.objects.values_list("plan__title", "rule").distinct()) == []
    unfinished = AggregationRun.objects.exclude(state=RunState.SUCCEEDED)
    assert list(unfinished.values_list("plan__title", "message")) == []
    assert taken > thematic.ENTERPRISES
    assert thematic.aggregate(departments, PEOPLE, now) == 0
    assert thematic.build(now) == ThematicRow.objects.count()
    assert set(ThematicRefresh.objects.values_list("state", flat=True)) == {RefreshState.DONE}
    levels = {code: set(ThematicRow.objects.filter(code=code).values_list("level", flat=True)) for code in thematic.OWNERS}
    assert levels["poverty_relapse"] >= {"橙色", "黄色"}
    assert levels["environment_supervision"] >= {"重点监管", "加强监管", "一般监管"}
    assert ZoneFigure.objects.filter(department=departments[thematic.ENVIRONMENT], call_count=0).count() == 3
