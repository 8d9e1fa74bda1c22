"""Fusion of records into golden rows: authority, groups, doubt, withdrawal, names, and the short way."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from basedb.models import AuthorityRule, FusionConflict, Person
from tests.basedb.fusion.world import World, conflicts, golden, key, links, person, state


def rule(field: str, *collectors: str, **values: object) -> AuthorityRule:
    return AuthorityRule.objects.create(
        dataset="population.person", field=field, collectors=list(collectors), legal_basis="测试", effective=(None, None), **values
    )


def test_lone_lead_record_is_the_golden_row_by_either_way(world: World) -> None:
    world.deliver("police", "a", 1, person(1))
    done = world.project(run_id=1)
    assert (done.added, done.changed, done.linked) == (1, 0, 1)
    quick = state()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM basedb_crosswalk; DELETE FROM basedb_person")
    world.touched = {key(1)}
    world.project()
    assert state() == quick
    assert quick[0][key(1)]["name"] == "张1"


def test_projecting_again_changes_nothing(world: World) -> None:
    world.deliver("police", "a", 1, person(1))
    world.deliver("health", "b", 1, person(1, phone="13800000000"))
    world.project(run_id=1)
    before = list(Person.objects.values())
    world.touched = {key(1)}
    done = world.project(run_id=1)
    assert (done.added, done.changed, done.withdrawn, done.linked, done.conflicts) == (0, 0, 0, 0, 0)
    assert list(Person.objects.values()) == before


def test_supplement_adds_its_fields_and_makes_nobody(world: World) -> None:
    world.deliver("civil", "m1", 1, {"citizen_id": person(1)["citizen_id"], "marital_status": "20"})
    world.project(run_id=1)
    assert golden() == {}
    world.deliver("police", "a", 1, person(1))
    world.project(run_id=1)
    assert golden()[key(1)]["marital_status"] == "20"
    assert Person.objects.get().source_department == world.sources["police"].department


def test_responsible_department_wins_over_a_newer_value_and_the_field_is_in_doubt(world: World) -> None:
    world.deliver("police", "a", 1, person(1, address="甲路1号"))
    world.deliver("health", "b", 1, person(1, address="乙路2号"))
    world.project(run_id=1)
    row = golden()[key(1)]
    assert row["address"] == "甲路1号"
    assert Person.objects.get().doubtful == ["address"]
    task = FusionConflict.objects.get()
    assert (task.kind, task.field, task.owner, len(task.records)) == ("VALUE", "address", world.sources["police"].department, 2)
    assert task.due_at is not None
    assert task.due_at > world.now


def test_conflict_is_resolved_when_the_sources_agree_again(world: World) -> None:
    world.deliver("police", "a", 1, person(1, address="甲路1号"))
    world.deliver("health", "b", 1, person(1, address="乙路2号"))
    world.project(run_id=1)
    world.deliver("health", "b", 1, person(1, address="甲路1号"))
    world.project(run_id=1)
    assert conflicts() == set()
    assert FusionConflict.objects.get().resolved_at is not None
    assert Person.objects.get().doubtful == []


def test_same_key_with_another_name_never_merges(world: World) -> None:
    first = world.deliver("police", "a", 1, person(1, name="王伟"))
    other = world.deliver("health", "b", 1, person(1, name="李娜", phone="13900000000"))
    world.project(run_id=1)
    assert links() == {first: (key(1), "EXACT"), other: (None, "HELD")}
    assert golden()[key(1)]["phone"] is None
    task = FusionConflict.objects.get()
    assert (task.kind, sorted(task.records)) == ("IDENTITY", [first, other])


def test_spacing_dots_and_traditional_characters_make_no_other_name(world: World) -> None:
    world.deliver("police", "a", 1, person(1, name="张伟·买买提"))
    world.deliver("health", "b", 1, person(1, name="張偉 ・買買提"))
    world.project(run_id=1)
    assert {tier for _key, tier in links().values()} == {"EXACT"}
    assert conflicts() == set()


def test_former_name_agrees(world: World) -> None:
    world.deliver("police", "a", 1, person(1, name="王新", former_name="王旧"))
    world.deliver("health", "b", 1, person(1, name="王旧"))
    world.project(run_id=1)
    assert {tier for _key, tier in links().values()} == {"EXACT"}
    assert golden()[key(1)]["name"] == "王新"


def test_entity_no_lead_source_vouches_for_is_withdrawn_and_comes_back(world: World) -> None:
    world.deliver("police", "a", 1, person(1))
    world.deliver("civil", "m", 1, {"citizen_id": person(1)["citizen_id"], "marital_status": "10"})
    world.project(run_id=1)
    world.delete("police", "a")
    done = world.project(run_id=1)
    assert done.withdrawn == 1
    gone = Person.objects.get()
    assert gone.withdrawn_at is not None
    assert gone.version == 2
    world.deliver("police", "a2", 1, person(1))
    world.project(run_id=1)
    back = Person.objects.get()
    assert (back.withdrawn_at, back.version, back.marital_status) == (None, 3, "10")


def test_row_that_changes_its_identifier_leaves_the_old_entity(world: World) -> None:
    world.deliver("police", "a", 1, person(1))
    world.project(run_id=1)
    world.deliver("police", "a", 2, person(2))
    world.project(run_id=1)
    assert set(golden()) == {key(2)}


def test_fields_of_a_group_come_from_one_record(world: World) -> None:
    for field in ("region_code", "address"):
        rule(field, "HEALTH", "PUBLIC_SECURITY", group="residence")
    world.deliver("police", "a", 1, person(1, region_code="320102", address="甲路1号"))
    world.deliver("health", "b", 1, person(1, region_code="320104", address=""))
    world.project(run_id=1)
    row = golden()[key(1)]
    assert (row["region_code"], row["address"]) == ("320104", None)


def test_newest_majority_and_age_choose_as_their_rules_say(world: World) -> None:
    rule("phone", strategy="NEWEST")
    rule("household_head", strategy="MAJORITY")
    rule("ethnicity", "PUBLIC_SECURITY", max_age_days=365)
    old = world.now - timedelta(days=800)
    world.deliver("police", "a", 1, person(1, phone="1", household_head="甲", ethnicity="01"), since=old)
    world.deliver("health", "b", 1, person(1, phone="2", household_head="乙", ethnicity="02"))
    world.deliver("tax", "c", 1, {"citizen_id": person(1)["citizen_id"], "household_head": "乙"}, since=old)
    world.project(run_id=1)
    row = golden()[key(1)]
    assert (row["phone"], row["household_head"], row["ethnicity"]) == ("2", "乙", "02")
    assert "phone" not in Person.objects.get().doubtful
