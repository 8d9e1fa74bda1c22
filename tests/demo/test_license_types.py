"""The demo's type catalogue: departments keep their types, one waits at its head, loading again changes nothing."""

from __future__ import annotations

from datetime import datetime

import pytest

from demo import city
from demo.licenses import types
from licenses.models import TypeState, TypeUse, TypeVersion
from licenses.types.publishing import faults_of, today


@pytest.mark.django_db
def test_types_are_kept_by_their_departments_and_some_are_at_work(now: datetime) -> None:
    city.load_divisions()
    departments = city.load_departments()
    city.load_accounts(departments, {})
    assert types.load(departments, now) == 85
    kept = TypeVersion.objects.filter(department=departments[city.POLICE]).values("code").distinct().count()
    assert kept == 12
    waiting = TypeVersion.objects.get(state=TypeState.DRAFT)
    assert waiting.code == types.FOOD
    assert waiting.submitted_at is not None
    assert faults_of(waiting) == []
    driving = TypeVersion.objects.get(code=types.DRIVING, effective__contains=today(now))
    assert driving.number == 2
    assert TypeUse.objects.filter(published_at=None).count() == 1
    versions = TypeVersion.objects.count()
    assert types.load(departments, now) == 85
    assert TypeVersion.objects.count() == versions
