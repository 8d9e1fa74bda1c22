"""Two aggregation runs bring rows of one dataset, and their checks find the same wrong at the same moment."""

from __future__ import annotations

from datetime import datetime

import pytest

from basedb.models import CheckState, QualityCheck, QualityTask, RuleKind
from basedb.quality import checking
from core.ids import uuid7
from tests.basedb.test_quality import PEOPLE, person, rule
from tests.factories import City
from tests.races.test_deaths import overlapping
from tests.races.test_decisions import town

__all__ = ["town"]


@pytest.mark.django_db(transaction=True)
def test_two_checks_that_find_the_same_wrong_share_one_task(town: City, now: datetime) -> None:
    person(town, 1, run_id=7)
    person(town, 2, run_id=8)
    rule("former", RuleKind.REQUIRED, "former_name")
    first, second = (QualityCheck.objects.create(dataset=PEOPLE, queued_at=now, run_id=run, batch=uuid7()).uid for run in (7, 8))
    overlapping(
        lambda: checking.work(check_uid=first, clock=lambda: now), lambda: checking.work(check_uid=second, clock=lambda: now)
    )
    assert set(QualityCheck.objects.values_list("state", flat=True)) == {CheckState.DONE}
    assert QualityTask.objects.get().open_count == 2
