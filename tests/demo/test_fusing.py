"""The demo's register without numbers is matched, some of it by a person; proposals of clerks stand at the desk."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from basedb.dictionary import PERSON
from basedb.models import FusionDecision, MatchCandidate
from core.models import Department
from demo import city as demo_city
from demo import fusing
from demo.people import residents
from exchange.models import RejectedRow
from exchange.systems import key_ring
from tests.basedb import fact_rows

PEOPLE = list(residents(2_000, seed=7))


def test_some_rows_are_linked_some_wait_and_proposals_are_made_once(db: None, tmp_path: Path, settings: Any, now: datetime) -> None:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    demo_city.load_divisions()
    departments = demo_city.load_departments()
    demo_city.load_accounts(departments, {seat.username: "Demo-2026-long" for seat in demo_city.SEATS})
    rows = [row._asdict() for row in PEOPLE]
    fact_rows.collect(PERSON, rows, department=Department.objects.get(name=demo_city.POLICE), ring=key_ring())
    assert fusing.aggregate(departments, PEOPLE) == fusing.PEOPLE
    assert not RejectedRow.objects.exists()
    states = list(MatchCandidate.objects.values_list("state", flat=True))
    assert states.count("ACCEPTED") > fusing.PEOPLE / 2
    assert states.count("OPEN") > 3
    assert fusing.propose(PEOPLE, now) == 2
    assert set(FusionDecision.objects.values_list("kind", "state")) == {("MERGE", "PROPOSED"), ("HOLD", "REFUSED")}
    assert fusing.aggregate(departments, PEOPLE) == fusing.propose(PEOPLE, now) == 0
