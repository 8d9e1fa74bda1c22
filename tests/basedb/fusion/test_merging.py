"""Merging: two people, nothing lost, feeds hear of it, and later records follow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from basedb.dictionary import PERSON
from basedb.fusion import merging
from basedb.fusion.projecting import Projected
from basedb.fusion.rebuilding import rebuild
from basedb.matching.reading import still_waiting
from basedb.models import DecisionState, FusionDecision, MatchTier, Person, VitalEvent
from basedb.rules.stored import DEAD
from core.accounts import actor_of
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, User
from core.roles import Role
from tests.basedb.fact_rows import Row, collect
from tests.basedb.fusion.test_properties import FEW, STEP, play, undone
from tests.basedb.fusion.world import World, forget_everything_computed, golden, key, links, person, project_keys, state
from tests.factories import City, make_user

Steps = list[tuple[object, ...]]


def two_people(world: World) -> tuple[int, int]:
    first = world.deliver("police", "a", 1, person(1, name="张伟", address="甲路1号"))
    second = world.deliver("health", "b", 2, person(2, name="张伟", phone="13800000000"))
    world.project(run_id=1)
    return first, second


def proposer(city: City) -> Actor:
    """A second reviewer, who may propose about everybody."""
    user = User.objects.filter(username="proposer").first() or make_user("proposer", city.centre, Role.REVIEWER)
    return actor_of(user)


def merge(world: World, city: City, target: int = 1, other: int = 2) -> FusionDecision:
    proposal = merging.merge_entities(
        dataset=PERSON.code, entity_key=key(target), other_key=key(other), reason="同一人两号",
        actor=proposer(city), now=world.tick(),
    )  # fmt: skip
    return merging.confirm(uid=proposal.uid, actor=city.actor("reviewer"), now=world.tick())


def unmerge(world: World, city: City, target: int = 1, other: int = 2) -> None:
    proposal = merging.unmerge(
        dataset=PERSON.code, entity_key=key(target), other_key=key(other), reason="并错了",
        actor=proposer(city), now=world.tick(),
    )  # fmt: skip
    merging.confirm(uid=proposal.uid, actor=city.actor("reviewer"), now=world.tick())
    assert merging.apply_due(clock=world.tick) == 1


def test_merge_waits_for_a_second_person_and_for_the_worker(world: World, city: City) -> None:
    two_people(world)
    before = state()
    decision = merge(world, city)
    assert state() == before
    assert merging.apply_due(clock=world.tick) == 1
    assert set(golden()) == {key(1)}
    assert golden()[key(1)]["phone"] == "13800000000"
    assert golden()[key(1)]["citizen_id"] == person(1)["citizen_id"]
    decision.refresh_from_db()
    assert decision.state == DecisionState.APPLIED
    assert merging.apply_due(clock=world.tick) == 0
    names = list(AuditEntry.objects.filter(action__startswith="fusion_decision").values_list("action", flat=True))
    assert names == ["fusion_decision.proposed", "fusion_decision.confirmed", "fusion_decision.applied"]


def test_unmerge_gives_back_what_was_there_and_feeds_hear_of_both(world: World, city: City) -> None:
    two_people(world)
    before, versions = state(), dict(Person.objects.values_list("citizen_id", "version"))
    merge(world, city)
    merging.apply_due(clock=world.tick)
    merged = dict(Person.objects.values_list("citizen_id", "version"))
    unmerge(world, city)
    assert state() == before
    after = dict(Person.objects.values_list("citizen_id", "version"))
    assert all(versions[one] < merged[one] < after[one] for one in versions)


@FEW
@given(steps=st.lists(STEP, min_size=2, max_size=8), later=st.lists(STEP, max_size=3))
def test_unmerge_is_lossless_whatever_was_delivered_before_and_between(
    world: World, city: City, steps: Steps, later: Steps
) -> None:
    with undone():
        play(world, steps, run_id=1)
        if key(1) not in golden() or key(2) not in {entity for entity, _tier in links().values()}:
            return
        merge(world, city)
        merging.apply_due(clock=world.tick)
        together = state()
        with undone():
            forget_everything_computed()
            rebuild(dataset=PERSON, clock=world.tick)
            assert state() == together
        play(world, later, run_id=1)
        unmerge(world, city)
        apart = state()
        forget_everything_computed()
        rebuild(dataset=PERSON, clock=world.tick)
        assert state() == apart
        assert all(entity in (None, key(1), key(2), key(3)) for entity, _tier in links().values())
        world.touched = set()


def test_later_record_of_a_merged_key_follows(world: World, city: City) -> None:
    two_people(world)
    merge(world, city)
    merging.apply_due(clock=world.tick)
    chain = world.deliver("tax", "t", 2, {"citizen_id": person(2)["citizen_id"], "household_head": "丁"})
    world.project(run_id=1)
    assert links()[chain] == (key(1), "EXACT")
    unmerge(world, city)
    assert links()[chain] == (key(2), "EXACT")


def test_nobody_confirms_alone(world: World, city: City) -> None:
    two_people(world)
    reviewer = city.actor("reviewer")
    own = merging.merge_entities(
        dataset=PERSON.code, entity_key=key(1), other_key=key(2), reason="同一人", actor=reviewer, now=world.tick()
    )
    with pytest.raises(Forbidden):
        merging.confirm(uid=own.uid, actor=reviewer, now=world.tick())
    with pytest.raises((Forbidden, NotFound)):
        merging.confirm(uid=own.uid, actor=city.actor("police_operator"), now=world.tick())
    with pytest.raises(Conflict):
        merging.merge_entities(
            dataset=PERSON.code, entity_key=key(1), other_key=key(2), reason="再来", actor=reviewer, now=world.tick()
        )
    with pytest.raises(Invalid):
        merging.hold(chain=min(links()), reason=" ", actor=reviewer, now=world.tick())
    with pytest.raises(IntegrityError), transaction.atomic():
        FusionDecision.objects.update(state="CONFIRMED", decided_by=reviewer.user_id)
    second = make_user("reviewer2", city.centre, Role.REVIEWER)
    assert merging.refuse(uid=own.uid, actor=actor_of(second), now=world.tick()).state == DecisionState.REFUSED
    assert set(golden()) == {key(1), key(2)}


def test_departments_propose_about_those_alone_they_deliver(world: World, city: City) -> None:
    first, second = two_people(world)
    police, education = city.actor("police_operator"), city.actor("education_operator")
    for act in (merging.merge_entities, merging.unmerge):
        for who in (police, education):
            with pytest.raises(NotFound):
                act(dataset=PERSON.code, entity_key=key(1), other_key=key(2), reason="同一人", actor=who, now=world.tick())
    for who, chain in ((police, second), (education, first)):
        with pytest.raises(NotFound):
            merging.hold(chain=chain, reason="待核实", actor=who, now=world.tick())
    third = world.deliver("police", "c", 2, person(2, name="张伟"))
    world.project(run_id=1)
    merging.merge_entities(
        dataset=PERSON.code, entity_key=key(1), other_key=key(2), reason="同一人", actor=police, now=world.tick()
    )
    merging.hold(chain=third, reason="待核实", actor=police, now=world.tick())
    assert FusionDecision.objects.filter(state=DecisionState.PROPOSED).count() == 2


def test_held_record_leaves_its_entity_and_comes_back_when_released(world: World, city: City) -> None:
    _first, second = two_people(world)
    before = state()
    for act in (merging.hold, merging.release):
        proposal = act(chain=second, reason="待核实", actor=city.actor("education_operator"), now=world.tick())
        merging.confirm(uid=proposal.uid, actor=city.actor("reviewer"), now=world.tick())
        merging.apply_due(clock=world.tick)
        if act is merging.hold:
            assert set(golden()) == {key(1)}
            assert links()[second] == (None, "HELD")
            assert rebuild(dataset=PERSON, clock=world.tick, is_check=True).linked == 0
    assert state() == before


def test_record_without_an_identifier_waits_for_matching_again_when_it_is_released(world: World, city: City) -> None:
    world.deliver("police", "a", 1, person(1, name="张伟"))
    chain = world.deliver("civil", "c", None, {"name": "张伟"})
    world.project(run_id=1)
    for act in (merging.hold, merging.release):
        proposal = act(chain=chain, reason="待核实", actor=proposer(city), now=world.tick())
        merging.confirm(uid=proposal.uid, actor=city.actor("reviewer"), now=world.tick())
        assert merging.apply_due(clock=world.tick) == 1
        assert links()[chain] == (None, "HELD")
    assert still_waiting(PERSON.code, [chain]).keys() == {chain}


def test_death_stays_over_an_entity_that_a_record_of_a_merged_key_changes(world: World, city: City) -> None:
    two_people(world)
    merge(world, city)
    assert merging.apply_due(clock=world.tick) == 1
    VitalEvent.objects.create(
        row_key=key(1), subject_key=key(1), source_department=city.education, source_record_id=1, run_id=1,
        citizen_id=person(1)["citizen_id"], vital_event="20", occurred_on=date(2025, 3, 1),
    )  # fmt: skip
    project_keys([key(1)], run_id=None, now=world.tick())
    assert golden()[key(1)]["person_status"] == DEAD
    world.deliver("health", "b", 2, person(2, name="张伟", phone="13900000000"))
    world.project(run_id=2)
    assert (golden()[key(1)]["phone"], golden()[key(1)]["person_status"]) == ("13900000000", DEAD)
    assert rebuild(dataset=PERSON, clock=world.tick, is_check=True) == Projected()


def test_death_under_a_merged_number_is_the_death_of_the_person_who_stays(world: World, city: City) -> None:
    two_people(world)
    died: Row = {"citizen_id": person(2)["citizen_id"], "vital_event": "20", "occurred_on": "20250301"}
    merge(world, city)
    assert merging.apply_due(clock=world.tick) == 1
    collect("population.vital_event", [died], department=city.education)
    assert (golden()[key(1)]["person_status"], golden()[key(1)]["died_on"]) == (DEAD, date(2025, 3, 1))
    assert rebuild(dataset=PERSON, clock=world.tick, is_check=True) == Projected()
    unmerge(world, city)
    assert {subject: row["person_status"] for subject, row in golden().items()} == {key(1): "0", key(2): DEAD}
    merge(world, city)
    assert merging.apply_due(clock=world.tick) == 1
    assert golden()[key(1)]["person_status"] == DEAD, "the death was known before the two were one"
    collect("population.vital_event", [died], department=city.education, gone=True)
    assert (golden()[key(1)]["person_status"], golden()[key(1)]["died_on"]) == ("0", None)
    assert rebuild(dataset=PERSON, clock=world.tick, is_check=True) == Projected()


def test_linked_record_adds_to_the_entity_it_was_matched_with_until_it_has_an_identifier_of_its_own(world: World) -> None:
    world.deliver("police", "a", 1, person(1, name="张伟", address="甲路1号"))
    second = world.deliver("health", "b", None, person(2, name="张伟", phone="13800000000", citizen_id=""))
    world.project(run_id=1)
    merging.link_record(
        chain=second, entity_key=key(1), tier=MatchTier.PROBABLE, score=Decimal("0.97"), rule_version="m1", reason="",
        decided_by=None, now=world.tick(),
    )  # fmt: skip
    assert golden()[key(1)]["phone"] == "13800000000"
    world.deliver("health", "b", None, person(2, name="张伟", phone="13900000000", citizen_id=""))
    world.project(run_id=1)
    assert golden()[key(1)]["phone"] == "13900000000"
    world.deliver("health", "b", 2, person(2, name="张伟", phone="13900000000"))
    world.project(run_id=1)
    assert (links()[second], golden()[key(1)]["phone"]) == ((key(2), "EXACT"), None)
    with pytest.raises(ValueError, match="people only"):
        merging.link_record(
            chain=second, entity_key=key(1), tier=MatchTier.PROBABLE, score=Decimal("0.97"), rule_version="m1", reason="",
            decided_by=None, now=world.tick(),
        )  # fmt: skip
