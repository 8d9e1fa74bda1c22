"""The desk: who sees what, refusals stick, links of people and of rules come apart without a trace in golden rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.utils import timezone

from basedb.dictionary import PERSON
from basedb.fusion import merging
from basedb.matching import desk
from basedb.matching.reading import still_waiting
from basedb.models import Crosswalk, DataSource, FusionDecision, MatchCandidate, MatchTier, SourceRecord
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from tests.basedb.fact_rows import ME, RING, Row, collect
from tests.basedb.fusion.test_merging import merge, proposer
from tests.basedb.fusion.world import World, golden, key, links, state
from tests.basedb.matching.test_running import KNOWN, known, match, nameless
from tests.factories import City


@pytest.fixture
def pair(world: World) -> MatchCandidate:
    """A pair a person is asked about: the names sound alike."""
    known(world)
    nameless(world, name="张玮强", household_head="张大")
    match(world)
    return MatchCandidate.objects.get()


def decide(act: str, pair: MatchCandidate, city: City, world: World) -> MatchCandidate:
    done: MatchCandidate = getattr(desk, act)(uid=pair.uid, reason="已电话核实", actor=city.actor("reviewer"), now=world.tick())
    return done


def test_accepted_pair_is_linked_by_the_worker_and_undone_without_a_trace(world: World, city: City, pair: MatchCandidate) -> None:
    before = state()
    decide("accept", pair, city, world)
    assert state() == before
    assert desk.apply_due(clock=world.tick) == 1
    assert links()[pair.chain] == (key(1), "MANUAL")
    link = Crosswalk.objects.get(chain=pair.chain, linked__upper_inf=True)
    assert (link.decided_by, link.reason, link.rule_version) == (city.people["reviewer"], "已电话核实", pair.model_version)
    assert golden()[key(1)]["household_head"] == "张大"
    decide("undo", pair, city, world)
    assert desk.apply_due(clock=world.tick) == 1
    assert state() == before
    assert desk.apply_due(clock=world.tick) == 0
    match(world)
    assert state() == before
    assert not MatchCandidate.objects.filter(state="OPEN").exists()
    actions = list(AuditEntry.objects.filter(action__startswith="match_candidate").order_by("id").values_list("action", flat=True))
    assert actions == ["match_candidate.decided", "match_candidate.applied"] * 2


def test_link_of_the_rules_is_undone_and_not_made_again(world: World, city: City) -> None:
    known(world)
    nameless(world, household_head="张大")
    before = state()
    match(world)
    assert state() != before
    decide("undo", MatchCandidate.objects.get(), city, world)
    desk.apply_due(clock=world.tick)
    assert state() == before
    match(world)
    assert state() == before


def test_refused_pair_is_not_proposed_again_until_either_side_says_something_else(
    world: World, city: City, pair: MatchCandidate
) -> None:
    decide("refuse", pair, city, world)
    match(world)
    assert not MatchCandidate.objects.filter(state="OPEN").exists()
    nameless(world, name="张玮强", household_head="张二")  # nothing that is compared
    match(world)
    assert not MatchCandidate.objects.filter(state="OPEN").exists()
    known(world, phone="13900000003")
    match(world)
    assert MatchCandidate.objects.filter(state="OPEN").count() == 1


def test_values_are_shown_to_the_centre_and_the_source_and_masked_for_others(
    world: World, city: City, pair: MatchCandidate
) -> None:
    def told(name: str) -> tuple[str, str]:
        found = desk.lines(pair, actor=city.actor(name), now=world.now)
        line = next(line for line in found if line.title == "联系电话")
        return line.record, line.entity

    phone, hidden = KNOWN["phone"], "138****0001"
    assert told("reviewer") == (phone, phone)
    assert told("education_operator") == (phone, hidden)  # the source's department
    assert told("auditor") == (hidden, hidden)
    assert AuditEntry.objects.filter(action="match_candidate.opened").count() == 2
    for name in ("police_operator", "market_head", "system_admin"):
        with pytest.raises(NotFound):
            desk.find(pair.uid, city.actor(name))


def test_only_a_reviewer_decides_once_and_with_a_reason(world: World, city: City, pair: MatchCandidate) -> None:
    for name, error in [("education_operator", Forbidden), ("auditor", Forbidden), ("police_operator", NotFound)]:
        with pytest.raises(error):
            desk.accept(uid=pair.uid, reason="是", actor=city.actor(name), now=world.now)
    with pytest.raises(Invalid):
        desk.accept(uid=pair.uid, reason=" ", actor=city.actor("reviewer"), now=world.now)
    with pytest.raises(Conflict):
        decide("undo", pair, city, world)
    decide("refuse", pair, city, world)
    for act in ("accept", "refuse"):
        with pytest.raises(Conflict):
            decide(act, pair, city, world)


def test_record_that_changed_since_it_was_judged_cannot_be_accepted(world: World, city: City, pair: MatchCandidate) -> None:
    nameless(world, name="李娜", birth_on="19910101")
    with pytest.raises(Conflict):
        decide("accept", pair, city, world)
    match(world)
    pair.refresh_from_db()
    assert pair.state == "SUPERSEDED"


def let_go(chain: int, city: City, world: World, *acts: Callable[..., FusionDecision]) -> None:
    """A second reviewer proposes, the reviewer confirms, the worker carries it out."""
    for act in acts:
        proposal = act(chain=chain, reason="待核实", actor=proposer(city), now=world.tick())
        merging.confirm(uid=proposal.uid, actor=city.actor("reviewer"), now=world.tick())
        assert merging.apply_due(clock=world.tick) == 1


def test_link_of_the_rules_that_people_held_and_let_go_is_made_again(world: World, city: City) -> None:
    known(world)
    chain = nameless(world)
    match(world)
    let_go(chain, city, world, merging.hold, merging.release)
    match(world)
    assert links()[chain] == (key(1), "PROBABLE")
    assert list(MatchCandidate.objects.order_by("id").values_list("state", flat=True)) == ["SUPERSEDED", "ACCEPTED"]


def test_link_of_a_person_that_was_let_go_is_put_before_a_person_again(world: World, city: City, pair: MatchCandidate) -> None:
    decide("accept", pair, city, world)
    match(world)  # between the decision and the worker a run leaves the pair alone
    desk.apply_due(clock=world.tick)
    assert links()[pair.chain] == (key(1), "MANUAL")
    let_go(pair.chain, city, world, merging.release)
    match(world)
    decide("accept", MatchCandidate.objects.get(state="OPEN"), city, world)
    desk.apply_due(clock=world.tick)
    assert links()[pair.chain] == (key(1), "MANUAL")


def test_link_is_undone_where_its_entity_was_merged_into_another(world: World, city: City, pair: MatchCandidate) -> None:
    decide("accept", pair, city, world)
    desk.apply_due(clock=world.tick)
    known(world, 2)
    merge(world, city, target=2, other=1)
    assert merging.apply_due(clock=world.tick) == 1
    decide("undo", pair, city, world)
    desk.apply_due(clock=world.tick)
    assert links()[pair.chain] == (None, "HELD")


def test_record_is_not_linked_to_an_entity_that_is_no_more(world: World, city: City, pair: MatchCandidate) -> None:
    known(world, 2)
    merge(world, city, target=2, other=1)
    assert merging.apply_due(clock=world.tick) == 1
    with pytest.raises(Conflict, match=r"entity_changed"):
        decide("accept", pair, city, world)


def test_record_that_lost_its_identifier_waits_again_when_its_link_ends(city: City) -> None:
    DataSource.objects.create(
        code="visits", title="就诊", dataset=PERSON.code, department=city.education, collector="HEALTH", is_lead=False,
        is_keyless=True,
    )  # fmt: skip
    one: Row = {**KNOWN, "citizen_id": ME, "person_status": "0", "birth_on": ME[6:14]}
    collect(PERSON, [one], department=city.police)
    for said in ({"citizen_id": ME}, {"phone": "13900000009"}):
        collect(PERSON, [{"name": one["name"], **said}], department=city.education, source="visits", key="v1")
    chain = SourceRecord.objects.filter(source__code="visits").values_list("chain", flat=True)[0]
    assert links()[chain] == (None, "HELD")
    merging.link_record(
        chain=chain, entity_key=RING.subject_key(ME), tier=MatchTier.PROBABLE, score=Decimal("0.999"), rule_version="m1",
        reason="", decided_by=None, now=timezone.now(),
    )  # fmt: skip
    merging.part_record(chain=chain, rule_version="m1", reason="", now=timezone.now())
    assert still_waiting(PERSON.code, [chain]).keys() == {chain}
