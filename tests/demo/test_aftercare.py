"""The demo's story leaves something to see on each page of what follows a grant."""

from __future__ import annotations

from typing import Any

import pytest

from core import working_days
from demo import city
from demo.management.commands.load_demo import Command
from exchange.models import Alert, BreakGlass, Disposal, LegalHold, UsageRecord


@pytest.mark.django_db
def test_the_story_leaves_something_on_each_page(settings: Any) -> None:
    settings.BREAK_GLASS_ALLOWED = True
    city.load_divisions()
    working_days.load_holidays([2025, 2026, 2027])
    departments = city.load_departments()
    city.load_accounts(departments, {})
    Command().tell_story(departments)
    for kind in (Alert, BreakGlass, Disposal, LegalHold, UsageRecord):
        assert kind.objects.count() == 1, kind
