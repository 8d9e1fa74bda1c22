"""The demo's health commission disagrees with the register here and there, and verification tasks come of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from basedb.dictionary import PERSON
from basedb.fusion.rule_versions import load_standard
from basedb.models import FusionConflict, Person
from core.models import Department
from demo import city as demo_city
from demo import disagreements
from demo.people import residents
from exchange.models import AggregationRun, RejectedRow
from exchange.systems import key_ring
from tests.basedb import fact_rows

PEOPLE = list(residents(150, seed=7))


def test_differing_rows_become_tasks_of_the_register_and_agreeing_ones_do_not(
    db: None, tmp_path: Path, settings: Any, now: datetime
) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    demo_city.load_divisions()
    demo_city.load_departments()
    departments = {row.name: row for row in Department.objects.all()}
    load_standard(now=now)
    rows = [row._asdict() for row in PEOPLE]
    fact_rows.collect(PERSON, rows, department=departments[demo_city.POLICE], ring=key_ring())  # both name people alike
    assert disagreements.aggregate(departments, PEOPLE, now) == disagreements.PEOPLE
    assert not RejectedRow.objects.exists(), AggregationRun.objects.values()
    assert set(FusionConflict.objects.values_list("owner__name", flat=True)) == {demo_city.POLICE}
    kinds = list(FusionConflict.objects.values_list("kind", flat=True))
    assert (kinds.count("IDENTITY"), 5 < kinds.count("VALUE") <= 12) == (3, True)
    assert Person.objects.exclude(doubtful=[]).count() == kinds.count("VALUE")
    assert disagreements.aggregate(departments, PEOPLE, now) == 0
