"""Merges that meet each other, other names and other workers: nobody is mixed up, nobody vanishes, all of it can be taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from basedb.dictionary import PERSON
from basedb.fusion import merging
from basedb.fusion.rebuilding import rebuild
from basedb.models import DecisionKind, DecisionState, FusionConflict
from core.errors import Conflict, Invalid
from core.models import Notification
from tests.basedb.fusion.test_merging import merge, proposer, two_people, unmerge
from tests.basedb.fusion.world import World, golden, key, links, person, state
from tests.factories import City


def three_people(world: World) -> None:
    two_people(world)
    world.deliver("police", "c", 3, person(3, name="张伟"))
    world.project(run_id=1)


def test_record_of_another_name_under_a_merged_number_stays_apart(world: World, city: City) -> None:
    two_people(world)
    held = world.deliver("tax", "t", 2, person(2, name="李娜", household_head="丁"))
    world.project(run_id=1)
    merge(world, city)
    assert merging.apply_due(clock=world.tick) == 1
    assert (links()[held], golden()[key(1)]["household_head"]) == ((None, "HELD"), None)
    later = world.deliver("civil", "c", 2, person(2, name="王芳", household_head="戊"))
    same = world.deliver("police", "d", 2, person(2, name="張 偉"))
    world.project(run_id=1)
    assert (links()[held], links()[later], links()[same]) == ((None, "HELD"), (None, "HELD"), (key(1), "EXACT"))
    assert golden()[key(1)]["household_head"] is None
    task = FusionConflict.objects.exclude(state="RESOLVED").get(kind="IDENTITY")
    assert {held, later} < set(task.records)
    assert rebuild(dataset=PERSON, clock=world.tick, is_check=True).linked == 0


def test_number_nobody_vouches_for_is_not_the_one_that_is_kept(world: World, city: City) -> None:
    two_people(world)
    world.delete("police", "a")
    world.project(run_id=1)
    with pytest.raises(Invalid, match=r"kept_withdrawn"):
        merge(world, city)
    merge(world, city, target=2, other=1)
    assert merging.apply_due(clock=world.tick) == 1
    assert set(golden()) == {key(2)}


def test_merge_whose_kept_side_was_merged_away_meanwhile_goes_back(world: World, city: City) -> None:
    three_people(world)
    merge(world, city)
    second = merge(world, city, target=2, other=3)
    late = merging.merge_entities(
        dataset=PERSON.code, entity_key=key(2), other_key=key(3), reason="同一人", actor=proposer(city), now=world.tick()
    )
    assert merging.apply_due(clock=world.tick) == 1
    assert set(golden()) == {key(1), key(3)}, "nobody vanishes into an entity that is no more"
    second.refresh_from_db()
    assert second.state == DecisionState.REFUSED
    assert Notification.objects.filter(user=proposer(city).user_id, title__startswith="融合决定被退回").count() == 1
    with pytest.raises(Conflict):
        merging.confirm(uid=late.uid, actor=city.actor("reviewer"), now=world.tick())


def test_merges_on_top_of_each_other_are_taken_back_one_after_the_other(world: World, city: City) -> None:
    three_people(world)
    before = state()
    for target, other in ((2, 1), (3, 2)):
        merge(world, city, target=target, other=other)
        assert merging.apply_due(clock=world.tick) == 1
    assert set(golden()) == {key(3)}
    unmerge(world, city, target=3, other=2)
    assert set(golden()) == {key(2), key(3)}
    unmerge(world, city, target=2, other=1)
    assert state() == before


def test_rebuild_is_left_to_the_worker_that_has_begun_it(world: World, city: City) -> None:
    two_people(world)
    user = city.people["reviewer"]
    merging.queue(DecisionKind.REBUILD, dataset=PERSON.code, user_id=user.pk, now=world.now, due_at=world.now - timedelta(hours=1))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [f"fusion-rebuild:{PERSON.code}"])
        assert merging.apply_due(clock=world.tick) == 0
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    assert merging.apply_due(clock=world.tick) == 1
