"""The state machine of a person and what a death sets going: refused moves, one announcement, withdrawal."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from basedb.code_sets import CODE_SETS
from basedb.dictionary import PERSON
from basedb.ingest import message_of
from basedb.models import (
    LifeEvent,
    LifeEventKind,
    LifeEventNotice,
    LifeEventSubscription,
    Person,
    ReviewMark,
)
from basedb.rules.stored import DEAD, FINAL, MOVES, VALID, may_follow
from core.models import Notification
from tests.basedb.fact_rows import GOOD, ME, Row, citizen, collect
from tests.factories import City

STATES = sorted(CODE_SETS["person_status"].labels)
BORN: Row = {
    "citizen_id": ME, "name": "王建国", "sex": "1", "birth_on": "19800506", "person_status": "0", "region_code": "320102",
}  # fmt: skip
DIED: Row = {"citizen_id": ME, "vital_event": "20", "occurred_on": "20250301", "certificate_number": "S1"}
BENEFIT: Row = {"citizen_id": ME, "attribute_kind": "HARDSHIP", "attribute_value": "1", "valid_from": "20200101"}


def register(city: City, state: str = "0", **values: str) -> list[str]:
    """The police deliver the person; return the rules of rejected rows."""
    return collect(PERSON, [BORN | {"person_status": state} | values], department=city.police)[1]


def test_moves_cover_every_state() -> None:
    assert MOVES.keys() == set(STATES)
    assert all(not MOVES[state] for state in FINAL)


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_no_path_leaves_death_or_cancellation(path: list[str]) -> None:
    state, was_final = VALID, False
    for wanted in path:
        if may_follow(state, wanted):
            state = wanted
        was_final = was_final or state in FINAL
    assert (state in FINAL) == was_final


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_correction_only_takes_a_final_state_back_to_valid(old: str, new: str) -> None:
    extra = may_follow(old, new, is_correction=True) and not may_follow(old, new)
    assert extra == (old in FINAL and new == VALID)


@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", STATES)
def test_intake_refuses_what_the_table_refuses(city: City, old: str, new: str) -> None:
    assert register(city, old) == []
    refused = register(city, new, name="王建国" if old == new else "王建国 ")
    assert refused == ([] if may_follow(old, new, is_correction=True) else ["person_status.transition"])


def test_old_number_of_fifteen_digits_is_the_same_person(city: City) -> None:
    register(city)
    collect("population.vital_event", [DIED | {"citizen_id": ME[:6] + ME[8:17]}], department=city.education)
    assert Person.objects.get().person_status == DEAD


def test_another_department_cannot_bring_the_dead_back(city: City) -> None:
    register(city, DEAD)
    _counts, refused = collect(PERSON, [BORN], department=city.education, collector="EDUCATION", source="school", is_lead=False)
    assert refused == ["person_status.transition"]
    assert "只能由责任部门更正" in message_of(PERSON.code, refused[0])


def test_death_reported_by_the_hospital_is_laid_over_the_person(city: City) -> None:
    register(city)
    collect("population.vital_event", [DIED], department=city.education)
    person = Person.objects.get()
    assert (person.person_status, person.died_on) == (DEAD, date(2025, 3, 1))
    register(city, address="搬家")  # a later row of the police changes nothing about that
    assert Person.objects.get().person_status == DEAD


def test_person_who_comes_after_the_death_is_dead_too(city: City) -> None:
    collect("population.vital_event", [DIED], department=city.education)
    register(city)
    assert Person.objects.get().person_status == DEAD


def test_same_death_is_announced_once(city: City) -> None:
    register(city)
    for _ in range(2):
        collect("population.vital_event", [DIED], department=city.education)
    collect("population.vital_event", [DIED | {"occurred_on": "20250302"}], department=city.police, source="police.deaths")
    assert [(event.kind, event.turn) for event in LifeEvent.objects.all()] == [("20", 1)]


def test_death_no_department_reports_any_more_is_taken_back(city: City) -> None:
    register(city)
    collect("population.attribute", [BENEFIT], department=city.education, collector="CIVIL_AFFAIRS")
    collect("population.vital_event", [DIED], department=city.education)
    collect("population.vital_event", [DIED | {"occurred_on": "20250302"}], department=city.police, source="police.deaths")
    assert ReviewMark.objects.filter(closed_at=None, holding="population.benefit").count() == 1
    collect("population.vital_event", [DIED], department=city.education, gone=True)
    assert Person.objects.get().person_status == DEAD
    collect(
        "population.vital_event", [DIED | {"occurred_on": "20250302"}], department=city.police, source="police.deaths", gone=True
    )
    assert Person.objects.values_list("person_status", "died_on").get() == ("0", None)
    assert [event.turn for event in LifeEvent.objects.order_by("id")] == [1, 2]
    assert not ReviewMark.objects.filter(closed_at=None).exists()
    collect("population.vital_event", [DIED], department=city.education)
    assert [event.turn for event in LifeEvent.objects.order_by("id")] == [1, 2, 3]
    assert Person.objects.get().person_status == DEAD


def test_benefit_that_comes_after_the_death_is_marked_and_cleared_when_it_ends(city: City) -> None:
    register(city)
    collect("population.vital_event", [DIED], department=city.education)
    collect("population.attribute", [BENEFIT], department=city.education, collector="CIVIL_AFFAIRS")
    assert ReviewMark.objects.filter(closed_at=None).count() == 1
    collect("population.attribute", [BENEFIT | {"attribute_value": "9"}], department=city.education)
    assert ReviewMark.objects.filter(closed_at=None).count() == 0


def test_subscribed_department_is_told_and_others_are_not(city: City) -> None:
    LifeEventSubscription.objects.create(
        department=city.police, kind=LifeEventKind.DEATH, legal_basis="户口登记条例第八条", created_at=timezone.now()
    )
    register(city)
    collect("population.vital_event", [DIED], department=city.education)
    collect("population.vital_event", [DIED], department=city.education)
    assert list(LifeEventNotice.objects.values_list("department_id", flat=True)) == [city.police.pk]
    told = Notification.objects.filter(user__department=city.police)
    assert {note.path for note in told} == {"/life-events/"}
    assert not any(ME in note.title + note.body for note in told)


def test_kinds_nobody_wants_are_not_announced(city: City) -> None:
    collect(
        "population.vital_event",
        [{"citizen_id": ME, "vital_event": "10", "occurred_on": "19800506"}],
        department=city.education,
    )
    assert not LifeEvent.objects.exists()


def test_what_was_known_before_somebody_subscribed_is_no_news_to_them(city: City) -> None:
    born: Row = {"citizen_id": ME, "vital_event": "10", "occurred_on": "19800506"}
    collect("population.vital_event", [born], department=city.education)
    for kind in (LifeEventKind.BIRTH, LifeEventKind.MARRIAGE):
        LifeEventSubscription.objects.create(department=city.police, kind=kind, legal_basis="测试", created_at=timezone.now())
    wedding = GOOD["population.vital_event"]
    collect("population.vital_event", [wedding], department=city.market)
    assert [event.kind for event in LifeEvent.objects.all()] == [LifeEventKind.MARRIAGE]
    collect("population.vital_event", [wedding], department=city.market, gone=True)
    LifeEventSubscription.objects.update(created_at=timezone.now())
    collect("population.vital_event", [wedding], department=city.market)
    assert [event.turn for event in LifeEvent.objects.order_by("id")] == [1, 2, 3], "what was told is kept true"


def test_events_are_never_changed(city: City) -> None:
    collect("population.vital_event", [DIED], department=city.education)
    with pytest.raises(Exception, match=r"append-only|refused|denied"), connection.cursor() as cursor:
        cursor.execute("UPDATE basedb_lifeevent SET turn = 2")


def test_attribute_comes_from_its_department_only(city: City) -> None:
    rows = [BENEFIT, BENEFIT | {"attribute_kind": "EDUCATION", "attribute_value": "20"}]
    _counts, refused = collect("population.attribute", rows, department=city.education, collector="CIVIL_AFFAIRS")
    assert refused == ["attribute_kind.responsible"]


def test_person_is_in_one_household_at_a_time(city: City) -> None:
    row = {"citizen_id": citizen(1), "household_number": "A001", "household_relation": "02", "joined_on": "20200101"}
    moved = row | {"household_number": "A002", "joined_on": "20240101"}
    collect("population.household_member", [row], department=city.police)
    collect("population.household_member", [moved], department=city.police)
    with connection.cursor() as cursor:
        cursor.execute("SELECT household_number FROM basedb_householdmember WHERE withdrawn_at IS NULL")
        assert cursor.fetchall() == [("A002",)]
        cursor.execute("SELECT count(*) FROM basedb_sourcerecord WHERE payload->>'household_number' = 'A001'")
        assert cursor.fetchone()[0] > 0
