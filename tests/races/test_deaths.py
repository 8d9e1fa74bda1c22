"""A death and what it concerns arrive at the same moment, in two transactions that do not see each other's rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.db import transaction

from basedb.dictionary import PERSON
from basedb.models import Person, ReviewMark
from basedb.rules.stored import DEAD
from tests.basedb.fact_rows import collect
from tests.basedb.test_person_states import BENEFIT, BORN, DIED
from tests.factories import City
from tests.races.test_decisions import at_once, town

__all__ = ["town"]


def overlapping(first: Callable[[], Any], second: Callable[[], Any]) -> None:
    """Let the second begin when the first has written and before it commits."""
    written = Event()

    def early() -> None:
        with transaction.atomic():
            first()
            written.set()
            time.sleep(1)

    def late() -> None:
        assert written.wait(10)
        second()

    assert at_once(early, late) == [None, None]


@pytest.mark.django_db(transaction=True)
def test_person_added_while_their_death_arrives_is_dead(town: City) -> None:
    overlapping(
        lambda: collect(PERSON, [BORN], department=town.police),
        lambda: collect("population.vital_event", [DIED], department=town.education),
    )
    assert Person.objects.get().person_status == DEAD


@pytest.mark.django_db(transaction=True)
def test_benefit_added_while_a_death_arrives_is_marked(town: City) -> None:
    collect(PERSON, [BORN], department=town.police)
    overlapping(
        lambda: collect("population.vital_event", [DIED], department=town.education),
        lambda: collect("population.attribute", [BENEFIT], department=town.market, collector="CIVIL_AFFAIRS"),
    )
    assert ReviewMark.objects.filter(closed_at=None).count() == 1
