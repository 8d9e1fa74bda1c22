"""What must hold whatever is delivered: rebuild equals incremental, the short way equals the long one, no order matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from basedb.dictionary import PERSON
from basedb.fusion.names import normalized, normalized_sql
from basedb.fusion.reading import read_entity
from basedb.fusion.rebuilding import rebuild
from basedb.models import AuthorityRule, Crosswalk
from tests.basedb.conftest import Evaluate
from tests.basedb.fusion.world import World, forget_everything_computed, golden, key, links, person, state

FEW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
NAMES = st.sampled_from(["张伟", "張 偉", "李娜"])
VALUES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "address": st.sampled_from(["", "甲路1号", "乙路2号"]),
        "region_code": st.sampled_from(["320102", "320104"]),
        "phone": st.sampled_from(["", "1", "2", "3"]),
        "household_head": st.sampled_from(["", "甲", "乙"]),
        "former_name": st.sampled_from(["", "李娜"]),
    }
)
STEP = st.tuples(
    st.sampled_from(["police", "health", "civil", "tax", "delete"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from([1, 2, 3]),
    VALUES,
    st.booleans(),
)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside did not."""
    mark = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(mark)


def make_rules() -> None:
    for field, collectors, values in [
        ("region_code", ["HEALTH", "PUBLIC_SECURITY"], {"group": "residence"}),
        ("address", ["HEALTH", "PUBLIC_SECURITY"], {"group": "residence"}),
        ("phone", [], {"strategy": "NEWEST"}),
        ("household_head", ["TAX"], {"strategy": "MAJORITY", "max_age_days": 100}),
    ]:
        AuthorityRule.objects.create(
            dataset=PERSON.code, field=field, collectors=collectors, legal_basis="测试", effective=(None, None), **values
        )


def play(world: World, steps: list[tuple[Any, ...]], *, run_id: int | None) -> None:
    for source, row, serial, values, projected in steps:
        if source == "delete":
            world.delete("police", row)
        else:
            delivered = person(serial, **values)
            if not world.sources[source].is_lead:
                delivered = {name: text for name, text in delivered.items() if name in ("citizen_id", "phone", "household_head")}
            world.deliver(source, row, serial, delivered)
        if projected:
            world.project(run_id=run_id)
    world.project(run_id=run_id)


@FEW
@given(steps=st.lists(STEP, min_size=1, max_size=10), has_rules=st.booleans(), is_quick=st.booleans())
def test_rebuilding_from_records_gives_what_batches_gave(
    world: World, steps: list[tuple[Any, ...]], has_rules: bool, is_quick: bool
) -> None:
    with undone():
        if has_rules:
            make_rules()
        play(world, steps, run_id=1 if is_quick else None)
        batches = state()
        assert rebuild(dataset=PERSON, clock=world.tick, is_check=True).added == 0
        forget_everything_computed()
        rebuild(dataset=PERSON, clock=world.tick, part=1)
        assert state() == batches
        world.touched = set()


@FEW
@given(st.permutations(["police", "health", "civil", "tax"]), st.booleans())
def test_order_of_delivery_does_not_matter_where_authority_decides(world: World, order: list[str], is_together: bool) -> None:
    with undone():
        for place, source in enumerate(order):
            values = person(1, address=f"{source}路", household_head=source)
            values["phone"] = source
            AuthorityRule.objects.get_or_create(
                dataset=PERSON.code,
                field="phone",
                defaults={"collectors": ["TAX", "HEALTH"], "legal_basis": "测试", "effective": (None, None)},
            )
            world.deliver(source, str(place), 1, values)
            if not is_together:
                world.project(run_id=1)
        world.project(run_id=1)
        row = golden()[key(1)]
        assert (row["phone"], row["address"], row["household_head"]) == ("tax", "police路", "police")


@FEW
@given(st.permutations(["health", "civil", "tax"]), st.booleans())
def test_order_of_delivery_does_not_matter_where_nobody_leads_a_name(world: World, order: list[str], is_together: bool) -> None:
    names = {"health": "张伟", "civil": "李娜", "tax": "張 偉"}
    with undone():
        chains = {}
        for source in order:
            chains[world.deliver(source, "1", 1, person(1, name=names[source]))] = source
            if not is_together:
                world.project(run_id=1)
        world.project(run_id=1)
        held = {chains[link.chain] for link in Crosswalk.objects.filter(chain__in=chains, linked__upper_inf=True, entity_key=None)}
        first = min(names, key=lambda source: world.sources[source].pk)
        assert held == {source for source in names if normalized(names[source]) != normalized(names[first])}
        world.touched = set()


@FEW
@given(steps=st.lists(STEP, min_size=1, max_size=8))
def test_records_with_one_key_and_two_names_never_share_an_entity(world: World, steps: list[tuple[Any, ...]]) -> None:
    with undone():
        play(world, [(*step[:3], step[3] | {"former_name": ""}, step[4]) for step in steps], run_id=1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT x.entity_key, array_agg(r.payload ->> 'name') FROM basedb_crosswalk x JOIN basedb_sourcerecord r"
                " ON r.chain = x.chain WHERE upper_inf(x.linked) AND upper_inf(r.known) AND upper_inf(r.valid)"
                " AND r.payload ? 'name' AND x.entity_key IS NOT NULL GROUP BY 1"
            )
            for _key, names in cursor.fetchall():
                assert len({normalized(name) for name in names}) == 1


@FEW
@given(steps=st.lists(STEP, min_size=1, max_size=8))
def test_what_is_read_for_now_is_the_golden_row_and_what_was_told_is_told_again(world: World, steps: list[tuple[Any, ...]]) -> None:
    with undone():
        told: list[tuple[Any, dict[bytes, Any]]] = []
        for step in steps:
            play(world, [step], run_id=1)
            told.append((world.tick(), _read_all(world, None)))
            rows = golden()
            for subject, values in told[-1][1].items():
                assert {name: _plain(rows[subject][name]) for name in values} == values
            assert set(rows) == set(told[-1][1])
        for moment, answers in told:
            assert _read_all(world, moment) == answers


def _read_all(world: World, known_at: Any) -> dict[bytes, dict[str, str | None]]:
    found = {}
    for serial in (1, 2, 3):
        read = read_entity(PERSON, key(serial), known_at=known_at)
        if read is not None and read.is_vouched:
            found[key(serial)] = {name: value.value for name, value in read.values.items()}
    return found


def _plain(value: Any) -> str | None:
    return value.strftime("%Y%m%d") if hasattr(value, "strftime") else value


def test_periods_of_a_chain_and_links_of_a_chain_cannot_overlap(world: World) -> None:
    chain = world.deliver("police", "a", 1, person(1))
    world.project(run_id=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Crosswalk.objects.create(
            chain=chain, dataset=PERSON.code, entity_key=key(2), tier="MANUAL", rule_version="x", linked=(world.now, None)
        )
    copy = (
        "INSERT INTO basedb_sourcerecord (chain, source_id, source_key, run_id, row_hash, subject_key, payload, valid, known)"
        " SELECT chain, source_id, 'x', 1, '', subject_key, payload, tstzrange(%s, %s), known FROM basedb_sourcerecord"
    )
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(copy, [world.now, world.now + timedelta(days=1)])


def test_correction_of_the_past_is_told_from_what_was_told(world: World) -> None:
    start = world.now
    world.deliver("police", "a", 1, person(1, address="甲路1号"), since=start - timedelta(days=900))
    world.project(run_id=1)
    then = world.tick()
    world.deliver("police", "a", 1, person(1, address="乙路2号"), since=start - timedelta(days=100))
    world.project(run_id=1)

    def address(as_of: Any, known_at: Any) -> str | None:
        read = read_entity(PERSON, key(1), as_of=as_of, known_at=known_at)
        return read.values["address"].value if read else None

    day = timedelta(days=1)
    assert address(None, None) == "乙路2号"
    assert address(start - 50 * day, None) == "乙路2号"
    assert address(start - 200 * day, None) == "甲路1号"
    assert address(start - 50 * day, then) == "甲路1号"
    assert address(start - 50 * day, start - day) is None


@pytest.mark.usefixtures("db")
def test_names_are_normalized_alike_in_both_languages(evaluate: Evaluate) -> None:
    names = ["张三", "張三", " 阿依古丽·买买提 ", "ＡＢＣ（１）", "abc(1)", "王-二", "", "龍門科技 有限公司", "100%"]
    assert evaluate(normalized_sql("v").replace("%", "%%"), list(names)) == [normalized(name) for name in names]
    assert normalized("張偉") == normalized("张伟") != normalized("章伟")


def test_candidates_are_shown_with_source_date_and_rule(world: World) -> None:
    make_rules()
    world.deliver("police", "a", 1, person(1, address="甲路1号"))
    world.deliver("health", "b", 1, person(1, address="乙路2号"))
    world.project(run_id=1)
    read = read_entity(PERSON, key(1))
    assert read is not None
    assert read.doubtful == ["address"]
    value = read.values["address"]
    assert value.value == "乙路2号"
    assert value.chosen is not None
    assert (value.chosen.department, value.rule.legal_basis) == ("市教育局", "测试")
    assert [(other.value, other.is_chosen) for other in value.candidates] == [("甲路1号", False), ("乙路2号", True)]
    assert len(links()) == 2
