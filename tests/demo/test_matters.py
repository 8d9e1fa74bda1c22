"""The demo's matters are in force, their grants stand, and cases were fetched for with something found and something missing."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from basedb.identifiers import generate_citizen_id
from demo import city, story
from demo.licenses import matters
from exchange.models import Matter, MatterCase, MatterFigure, MatterPart
from tests.exchange.matter_scene import make_person, restart_counters
from tests.factories import restore_shipped


def test_matters_are_published_granted_and_fetched_for(db: None, now: datetime, settings: Any, tmp_path: Path) -> None:
    settings.DROP_DIR = tmp_path
    restore_shipped()
    city.load_divisions()
    departments = city.load_departments()
    city.load_accounts(departments, {seat.username: "Demo-2026-long" for seat in city.SEATS})
    for serial in range(201, 209):
        citizen_id = generate_citizen_id("990101", date(1990, 3, 4), serial)
        make_person(departments[city.POLICE], citizen_id, marital_status="20", sex="1" if serial % 2 else "2")
    assert matters.aggregate(departments, now) > 10
    story.publish_catalogue(departments, now)
    story.register_systems(now)
    matters.prepare(departments, now)
    assert sorted(Matter.objects.values_list("code", "state")) == [
        ("birth", "PUBLISHED"), ("enterprise-start", "PUBLISHED"), ("estate-transfer", "PUBLISHED"), ("new-vehicle", "SUBMITTED"),
    ]  # fmt: skip
    restart_counters()
    assert matters.fetch_cases(now) == MatterCase.objects.count() > 4
    states = set(MatterPart.objects.values_list("state", flat=True))
    assert {"FOUND", "NOT_FOUND", "TO_SUBMIT"} <= states
    assert not MatterPart.objects.filter(state="ERROR").exists()
    assert MatterPart.objects.filter(fetch__matter__code="enterprise-start", state="FOUND").exists()
    assert MatterFigure.objects.filter(state="FOUND").exists()
    assert matters.aggregate(departments, now) == matters.fetch_cases(now) == 0
