"""The demo's credit files and licenses go through real plans; each broken row is refused by the rule its defect is named after."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from basedb.credit import records, shipped
from basedb.identifiers import generate_uscc
from basedb.models import (
    CreditAbnormal,
    CreditObjection,
    CreditPenalty,
    CreditPermit,
    CreditRepair,
    CreditShield,
    LegalEntity,
    License,
)
from core.calendar import today_in_shanghai
from core.models import Department
from demo import city as demo_city
from demo import credit
from exchange.models import AggregationRun, RejectedRow, RunState
from exchange.systems import key_ring

COUNT = 120


@pytest.fixture
def departments(db: None, settings: Any, tmp_path: Path) -> dict[str, Department]:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    for load in (shipped.load_catalog, shipped.load_tiers, shipped.load_license_types):
        load(apps)
    demo_city.load_divisions()
    found = demo_city.load_departments()
    demo_city.load_accounts(found, {})
    for number in range(COUNT):
        code = generate_uscc(number, region="990101")
        LegalEntity.objects.create(
            subject_key=key_ring().subject_key(code), uscc=code, name=f"第{number}公司", region_code="320102",
            registration_state="1", source_department=found[demo_city.MARKET], source_record_id=number, run_id=1,
        )  # fmt: skip
    return found


def test_files_of_the_demo_are_taken_in_and_their_defects_refused(departments: dict[str, Department], now: datetime) -> None:
    taken = credit.aggregate(departments, COUNT, now)
    assert set(AggregationRun.objects.values_list("state", flat=True)) == {RunState.SUCCEEDED}
    rules = set(RejectedRow.objects.values_list("rule", flat=True))
    assert rules
    assert rules <= credit.DEFECTS.keys()
    stored = [model._default_manager.count() for model in (CreditPermit, CreditPenalty, CreditAbnormal, License)]
    assert sum(stored) == taken == 4 * COUNT - RejectedRow.objects.count()
    assert stored[3] == COUNT, "wrong check characters of identifiers do not reject"
    assert credit.aggregate(departments, COUNT, now) == 0
    penalty = CreditPenalty.objects.order_by("id")[0]
    assert bytes(penalty.subject_key) == key_ring().subject_key(penalty.subject_code)
    assert penalty.fine is not None
    today = today_in_shanghai(now)
    shown = records.public_records("credit.penalty", subject_key=None, today=today)
    assert 0 < shown.count() <= stored[1]
    assert credit.work(now) == 4
    assert sorted(CreditRepair.objects.values_list("state", flat=True)) == ["ACCEPTED", "CHECKED", "SUBMITTED"]
    assert CreditShield.objects.count() == CreditObjection.objects.count() == 1
    assert credit.work(now) == 0
