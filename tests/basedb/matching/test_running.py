"""Matching of records without an identifier: which tier a pair gets, what never happens, and doing it again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from basedb.matching.features import swapped
from basedb.matching.running import match_records
from basedb.matching.scoring import VERSION
from basedb.models import Crosswalk, MatchCandidate, SourceRecord
from tests.basedb.fusion.test_properties import FEW, undone
from tests.basedb.fusion.world import World, golden, key, links, person, state

PROBABLE, ASKED, HELD = "PROBABLE", "ASKED", "HELD"
KNOWN = {
    "name": "张伟强",
    "sex": "1",
    "birth_on": "19800506",
    "region_code": "320102",
    "address": "南京市玄武区珠江路1号",
    "phone": "13800000001",
}


def known(world: World, serial: int = 1, **values: str) -> None:
    world.deliver("police", f"p{serial}", serial, person(serial, **(KNOWN | values)))
    world.project(run_id=1)


def nameless(world: World, row: str = "n", **values: str) -> int:
    chain = world.deliver("health", row, None, {name: text for name, text in (KNOWN | values).items() if text})
    world.project(run_id=1)
    return chain


def match(world: World) -> Any:
    return match_records(clock=world.tick)


def tier_of(chain: int) -> str:
    if links()[chain][1] != HELD:
        return links()[chain][1]
    return ASKED if MatchCandidate.objects.filter(chain=chain, state="OPEN").exists() else HELD


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({}, PROBABLE),
        ({"name": "張偉強"}, PROBABLE),  # traditional characters
        ({"name": "张玮强"}, ASKED),  # another character that sounds alike
        ({"birth_on": "19800605"}, PROBABLE),  # day and month exchanged
        ({"birth_on": "19800605", "phone": "", "address": ""}, PROBABLE),
        ({"address": "南京市秦淮区中华路9号", "region_code": "320104"}, PROBABLE),  # moved, same phone
        ({"address": "南京市秦淮区中华路9号", "phone": "13900000002"}, PROBABLE),  # rare name, birth date
        ({"phone": "", "address": "", "region_code": ""}, PROBABLE),
        ({"name": "张伟刚"}, ASKED),  # a twin: same birth, address and phone, another name
        ({"name": "张伟刚", "phone": "", "address": ""}, HELD),
        ({"birth_on": "20080311"}, ASKED),  # father and son of the same name, address and phone
        ({"birth_on": "20080311", "phone": "", "address": ""}, HELD),
        ({"name": "李娜", "sex": "2", "birth_on": "19910101"}, HELD),  # only the phone and the address
        ({"birth_on": "", "phone": "", "address": ""}, HELD),  # a name alone never links
    ],
)
def test_pair_gets_its_tier(world: World, said: dict[str, str], tier: str) -> None:
    known(world)
    chain = nameless(world, **said)
    match(world)
    assert tier_of(chain) == tier


def test_common_name_with_the_same_birth_date_is_a_persons_to_decide(world: World) -> None:
    known(world)
    with connection.cursor() as cursor:  # so many bear the name
        cursor.execute(
            "INSERT INTO basedb_person (subject_key, version, source_record_id, source_department_id, run_id, citizen_id, name,"
            " sex, birth_on, person_status, region_code)"
            " SELECT decode(md5(n::text), 'hex'), 1, 0, source_department_id, 1, '', name, sex,"
            " DATE '1930-01-01' + n::int, '0', '320199' FROM basedb_person, generate_series(1, 5000) n"
        )
    chain = nameless(world, phone="", address="", region_code="")
    match(world)
    assert tier_of(chain) == ASKED


def test_two_people_alike_are_both_put_before_a_person(world: World) -> None:
    known(world)
    known(world, 3, phone="13900000009", address="南京市鼓楼区某路3号")
    chain = nameless(world)
    match(world)
    assert tier_of(chain) == ASKED
    assert MatchCandidate.objects.filter(chain=chain, state="OPEN").count() == 2


def test_link_keeps_score_model_and_why_without_values(world: World) -> None:
    known(world)
    chain = nameless(world, household_head="张大")
    match(world)
    link = Crosswalk.objects.get(chain=chain, linked__upper_inf=True)
    assert (link.tier, link.rule_version, bytes(link.entity_key or b"")) == ("PROBABLE", VERSION, key(1))
    assert link.score is not None
    assert Decimal("0.995") <= link.score <= 1
    candidate = MatchCandidate.objects.get()
    assert (candidate.state, candidate.model_version, candidate.score) == ("ACCEPTED", VERSION, link.score)
    told = {reason["comparison"]: reason["level"] for reason in candidate.why}
    assert told == dict.fromkeys(("name", "birth", "sex", "phone", "address", "region"), "exact")
    assert all(set(reason) == {"comparison", "level", "weight"} for reason in candidate.why)
    assert golden()[key(1)]["household_head"] == "张大"


def test_matching_again_writes_nothing(world: World) -> None:
    known(world)
    for row, said in enumerate(({}, {"name": "张玮强"}, {"name": "李娜", "birth_on": "19910101"})):
        nameless(world, str(row), **said)
    match(world)
    before = state(), list(MatchCandidate.objects.order_by("id").values()), Crosswalk.objects.count()
    done = match(world)
    assert (done.linked, done.asked, done.superseded) == (0, 0, 0)
    assert (state(), list(MatchCandidate.objects.order_by("id").values()), Crosswalk.objects.count()) == before


def test_changed_record_is_matched_anew(world: World) -> None:
    known(world)
    chain = nameless(world)
    match(world)
    nameless(world, name="李娜", sex="2", birth_on="19910101")
    match(world)
    assert tier_of(chain) == HELD
    nameless(world)
    match(world)
    assert tier_of(chain) == PROBABLE
    assert list(MatchCandidate.objects.order_by("id").values_list("state", flat=True)) == ["SUPERSEDED", "ACCEPTED"]


def test_record_that_gets_an_identifier_follows_it(world: World) -> None:
    known(world)
    chain = nameless(world)
    match(world)
    world.deliver("health", "n", 2, person(2, **KNOWN))
    world.project(run_id=1)
    assert links()[chain] == (key(2), "EXACT")
    match(world)
    assert MatchCandidate.objects.get().state == "SUPERSEDED"
    assert links()[chain] == (key(2), "EXACT")


SAID = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["张伟强", "張偉強", "张玮强", "李娜"]),
        "birth_on": st.sampled_from(["19800506", "19800605", "19910101"]),
        "phone": st.sampled_from(["13800000001", "13900000002", ""]),
        "address": st.sampled_from([KNOWN["address"], "南京市秦淮区中华路9号", ""]),
    }
)


@FEW
@given(
    rows=st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from([None, None, 1, 2]), SAID), min_size=1, max_size=6)
)
def test_rules_never_link_a_record_to_an_entity_of_another_identifier(
    world: World, rows: list[tuple[str, int | None, dict[str, str]]]
) -> None:
    with undone():
        known(world)
        known(world, 2, name="李娜", sex="2", birth_on="19910101", phone="13900000002")
        for row, serial, said in rows:
            values = {**KNOWN, **said} if serial is None else person(serial, **(KNOWN | said))
            world.deliver("health", row, serial, values)
            world.project(run_id=1)
            match(world)
        names = {bytes(subject): name for subject, name in _names()}
        for chain, (entity, tier) in links().items():
            record = SourceRecord.objects.get(chain=chain, known__upper_inf=True, valid__upper_inf=True)
            if record.subject_key is not None:
                assert entity in (None, bytes(record.subject_key))
            elif tier == PROBABLE:
                assert names[entity or b""][0] == record.payload["name"].replace("張", "张")[0]
        world.touched = set()


def _names() -> list[tuple[bytes, str]]:
    return [(subject, row["name"]) for subject, row in golden().items()]


@pytest.mark.parametrize(
    ("day", "other"), [("19800506", "19800605"), ("19800505", None), ("19800525", None), ("20001201", "20000112")]
)
def test_day_and_month_are_exchanged_where_that_is_another_date(day: str, other: str | None) -> None:
    assert swapped(day) == other
