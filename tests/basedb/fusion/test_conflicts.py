"""Conflicts are the task of one department; an answer settles or announces a correction; rules change by versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from basedb.dictionary import PERSON
from basedb.fusion import conflicts, merging, rule_versions
from basedb.fusion.conflicts import Verdict
from basedb.fusion.reading import read_entity
from basedb.fusion.rule_versions import Proposal
from basedb.fusion.survivorship import plan_of, rules_at
from basedb.models import AuthorityRule, FusionConflict, MatchTier, Person
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, Notification
from tests.basedb.fusion.world import World, key, person
from tests.factories import City


@pytest.fixture
def conflict(world: World) -> FusionConflict:
    """The police and health disagree about an address."""
    world.deliver("police", "a", 1, person(1, address="南京市玄武区甲路1号"))
    world.deliver("health", "b", 1, person(1, address="南京市秦淮区乙路2号"))
    world.project(run_id=1)
    return FusionConflict.objects.get()


def test_only_the_department_and_the_overseers_see_it_and_only_the_department_sees_values(
    conflict: FusionConflict, city: City, world: World
) -> None:
    for name in ("police_operator", "police_head", "reviewer", "auditor", "security_admin"):
        assert conflicts.find(conflict.uid, city.actor(name)) == conflict
    for name in ("education_operator", "market_head", "system_admin"):
        with pytest.raises(NotFound):
            conflicts.find(conflict.uid, city.actor(name))
    shown = conflicts.sides(conflict, actor=city.actor("police_operator"), now=world.now)
    assert [side.value for side in shown] == ["南京市玄武区甲路1号", "南京市秦淮区乙路2号"]
    assert AuditEntry.objects.filter(action="fusion_conflict.opened").count() == 1
    assert conflicts.subject_of(conflict, city.actor("police_operator")) == f"张1 {person(1)['citizen_id']}"
    assert conflicts.subject_of(conflict, city.actor("reviewer")).startswith("张* 990101****")
    masked = conflicts.sides(conflict, actor=city.actor("reviewer"), now=world.now)
    assert [side.value for side in masked] == ["南京市玄武区******", "南京市秦淮区******"]
    assert AuditEntry.objects.filter(action="fusion_conflict.opened").count() == 1


def test_clock_runs_ten_working_days(conflict: FusionConflict) -> None:
    assert conflict.due_at is not None
    assert timedelta(days=12) < conflict.due_at - conflict.opened_at < timedelta(days=30)
    assert conflict.due_at.astimezone(SHANGHAI).hour == 0


def test_confirmed_value_is_in_doubt_no_longer_until_something_new_arrives(
    conflict: FusionConflict, city: City, world: World
) -> None:
    conflicts.answer(
        uid=conflict.uid, verdict=Verdict.CONFIRMED, text="已核对户籍档案", actor=city.actor("police_operator"), now=world.tick()
    )
    assert Person.objects.get().doubtful == ["address"]  # the worker has not been there
    assert merging.apply_due(clock=world.tick) == 1
    assert Person.objects.get().doubtful == []
    read = read_entity(PERSON, key(1))
    assert read is not None
    assert read.doubtful == []
    told = Notification.objects.filter(user=city.people["education_operator"])
    assert [note.title for note in told] == ["市公安局已核实，请更正本部门来源数据：住址"]
    with pytest.raises(Conflict):
        conflicts.answer(
            uid=conflict.uid, verdict=Verdict.CONFIRMED, text="再来", actor=city.actor("police_operator"), now=world.tick()
        )
    world.deliver("health", "b", 1, person(1, address="南京市秦淮区丙路3号"))
    world.project(run_id=1)
    assert Person.objects.get().doubtful == ["address"]
    assert FusionConflict.objects.count() == 2


def test_value_stays_in_doubt_while_the_correction_is_on_its_way(conflict: FusionConflict, city: City, world: World) -> None:
    conflicts.answer(
        uid=conflict.uid, verdict=Verdict.CORRECTING, text="本部门有误", actor=city.actor("police_operator"), now=world.tick()
    )
    world.touched = {key(1)}
    world.project(run_id=1)
    assert Person.objects.get().doubtful == ["address"]
    world.deliver("police", "a", 1, person(1, address="南京市秦淮区乙路2号"))
    world.project(run_id=1)
    conflict.refresh_from_db()
    assert (conflict.state, Person.objects.get().doubtful) == ("RESOLVED", [])


def test_others_cannot_answer_and_an_answer_says_something(conflict: FusionConflict, city: City, world: World) -> None:
    for name, error in [("police_head", Forbidden), ("reviewer", Forbidden), ("education_operator", NotFound)]:
        with pytest.raises(error):
            conflicts.answer(uid=conflict.uid, verdict=Verdict.CONFIRMED, text="对", actor=city.actor(name), now=world.now)
    with pytest.raises(Invalid):
        conflicts.answer(uid=conflict.uid, verdict=Verdict.CONFIRMED, text="  ", actor=city.actor("police_operator"), now=world.now)
    conflict.refresh_from_db()
    assert conflict.state == "OPEN"


def test_operators_are_reminded_of_what_waits(conflict: FusionConflict, city: City, world: World) -> None:
    assert conflicts.remind(now=world.now + timedelta(days=60)) == 1
    note = Notification.objects.get(user=city.people["police_operator"])
    assert note.title == "有 1 张校核单待核实，其中 1 张已逾期"


def proposal(world: World, **values: object) -> Proposal:
    made = Proposal(PERSON.code, ("address",), ("HEALTH",), "AUTHORITY", None, "《测试办法》第一条", world.now + timedelta(days=1))
    return replace(made, **values)  # type: ignore[arg-type]


def test_preview_counts_what_a_rule_would_change_and_writes_nothing(conflict: FusionConflict, city: City, world: World) -> None:
    world.deliver("police", "c", 2, person(2))
    world.project(run_id=1)
    found = rule_versions.preview(proposal=proposal(world), actor=city.actor("reviewer"), now=world.now)
    assert (found.entities, found.changed, found.is_sample) == (1, 1, False)
    same = rule_versions.preview(
        proposal=proposal(world, collectors=("PUBLIC_SECURITY",)), actor=city.actor("reviewer"), now=world.now
    )
    assert same.changed == 0
    assert not AuthorityRule.objects.exists()


def test_new_version_ends_the_old_one_and_values_follow_when_it_takes_effect(
    conflict: FusionConflict, city: City, world: World
) -> None:
    reviewer = city.actor("reviewer")
    assert rule_versions.load_standard(now=world.now) > 10
    assert rule_versions.load_standard(now=world.now) == 0
    rule_versions.add(proposal=proposal(world), actor=reviewer, now=world.now)
    assert merging.apply_due(clock=world.tick) == 0
    assert Person.objects.get().address == "南京市玄武区甲路1号"
    before = world.tick()
    world.now += timedelta(days=2)
    assert merging.apply_due(clock=world.tick) == 1
    assert Person.objects.get().address == "南京市秦淮区乙路2号"
    then = read_entity(PERSON, key(1), known_at=before)
    assert then is not None
    assert then.values["address"].value == "南京市玄武区甲路1号"
    with pytest.raises(Invalid):
        rule_versions.add(proposal=proposal(world, effective_from=before), actor=reviewer, now=world.now)
    with pytest.raises(Forbidden):
        rule_versions.add(proposal=proposal(world), actor=city.actor("police_operator"), now=world.now)
    with pytest.raises(Invalid) as refused:
        rule_versions.add(
            proposal=proposal(world, collectors=("NOBODY",), legal_basis=" ", fields=("nothing",)), actor=reviewer, now=world.now
        )
    assert set(refused.value.details) == {"collectors", "legal_basis", "fields"}


def confirm(conflict: FusionConflict, city: City, world: World) -> None:
    conflicts.answer(
        uid=conflict.uid, verdict=Verdict.CONFIRMED, text="已核对户籍档案", actor=city.actor("police_operator"), now=world.tick()
    )
    assert merging.apply_due(clock=world.tick) == 1


def test_confirming_settles_nothing_that_was_linked_afterwards(conflict: FusionConflict, city: City, world: World) -> None:
    waiting = world.deliver("tax", "t", None, {"name": "张1", "address": "南京市鼓楼区丁路4号"})
    confirm(conflict, city, world)
    assert Person.objects.get().doubtful == []
    merging.link_record(
        chain=waiting, entity_key=key(1), tier=MatchTier.PROBABLE, score=Decimal("0.999"), rule_version="m1", reason="",
        decided_by=None, now=world.tick(),
    )  # fmt: skip
    read = read_entity(PERSON, key(1))
    assert read is not None
    assert Person.objects.get().doubtful == read.doubtful == ["address"]
    assert waiting in FusionConflict.objects.exclude(state="RESOLVED").get().records


def test_correction_after_which_the_sources_still_differ_is_asked_about_again(
    conflict: FusionConflict, city: City, world: World
) -> None:
    conflicts.answer(
        uid=conflict.uid, verdict=Verdict.CORRECTING, text="本部门有误", actor=city.actor("police_operator"), now=world.tick()
    )
    for said, expected in (({"phone": "13800000000"}, "ANSWERED"), ({"address": "南京市玄武区丙路3号"}, "OPEN")):
        world.deliver("police", "a", 1, person(1, **({"address": "南京市玄武区甲路1号"} | said)))
        world.project(run_id=1)
        conflict.refresh_from_db()
        assert conflict.state == expected
    assert conflicts.remind(now=world.now) == 1


def test_department_that_is_to_correct_finds_its_row_and_sees_no_value_of_others(
    conflict: FusionConflict, city: City, world: World
) -> None:
    education = city.actor("education_operator")
    with pytest.raises(NotFound):
        conflicts.find(conflict.uid, education)
    confirm(conflict, city, world)
    assert Notification.objects.get(user=city.people["education_operator"]).path == f"/fusion/conflicts/{conflict.uid}/"
    found = conflicts.find(conflict.uid, education)
    shown = conflicts.sides(found, actor=education, now=world.now)
    assert [(side.value, side.source_key) for side in shown] == [("南京市玄武区******", ""), ("南京市秦淮区乙路2号", "b")]
    assert conflicts.subject_of(found, education).startswith("张* 990101****")
    assert not conflicts.may_answer(found, education)
    assert conflicts.is_asked_to_correct(found, education)
    for name in ("market_operator", "system_admin"):
        with pytest.raises(NotFound):
            conflicts.find(conflict.uid, city.actor(name))


def test_nothing_is_confirmed_that_came_after_somebody_looked(conflict: FusionConflict, city: City, world: World) -> None:
    seen = conflicts.revision_of(conflict)
    world.deliver("health", "b", 1, person(1, address="南京市秦淮区丙路3号"))
    world.project(run_id=1)
    with pytest.raises(Conflict, match=r"revision\.stale"):
        conflicts.answer(
            uid=conflict.uid, verdict=Verdict.CONFIRMED, text="对", actor=city.actor("police_operator"), now=world.tick(),
            revision=seen,
        )  # fmt: skip
    conflict.refresh_from_db()
    assert conflict.state == "OPEN"


def test_fields_an_older_group_leaves_behind_keep_their_rule(city: City, world: World) -> None:
    reviewer, day = city.actor("reviewer"), timedelta(days=1)
    first = proposal(world, fields=("region_code", "address"), collectors=("HEALTH",), effective_from=world.now + day)
    second = proposal(world, fields=("region_code", "phone"), collectors=("TAX",), effective_from=world.now + 2 * day)
    for made in (first, second):
        rule_versions.add(proposal=made, actor=reviewer, now=world.now)
    plan = plan_of(PERSON, rules_at(PERSON, world.now + 3 * day))
    together = {tuple(field.name for field in choice.fields): choice.rule.collectors for choice in plan.choices}
    assert (together[("region_code", "phone")], together[("address",)]) == (("TAX",), ("HEALTH",))
