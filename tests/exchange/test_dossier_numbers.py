"""Whose facts a dossier shows: those under its own number and merged ones, never those under a number that is somebody else's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from basedb.dictionary import PERSON
from basedb.dossier.entities import entity_of
from basedb.fusion import merging
from basedb.models import DataSource, EntityLegacyIdentifier, License, MatchTier, SourceRecord
from exchange.dossiers.opening import open_dossier
from exchange.dossiers.reading import Dossier, read_dossier, read_section
from exchange.dossiers.rights import DossierKind
from exchange.dossiers.showing import Section
from tests.basedb.credit_rows import COMPANY, good_row
from tests.basedb.fact_rows import GOOD, Row, citizen
from tests.exchange import dossier_scene as scene
from tests.exchange.dossier_scene import COMPARISON, FIRM, HEIR, ME, OTHER, SHE, key
from tests.factories import City

RENEWED = citizen(127)


def read(city: City, whose: str, known_at: datetime | None = None) -> Dossier:
    return read_dossier(
        kind=DossierKind.PERSON, entity_key=key(whose), actor=city.actor("reviewer"), purpose=COMPARISON, now=timezone.now(),
        known_at=known_at,
    )  # fmt: skip


def row(city: City, number: str, name: str, *, source: str, **values: Any) -> None:
    """One row of a clinic's or another's source; delivered again it is the next version of the same row."""
    values = {"department": city.education, "collector": "HEALTH", "is_lead": False} | values
    said: Row = scene.person(number, name) if values["is_lead"] else {"citizen_id": number, "name": name}
    scene.deliver(PERSON, [said], source=source, key="r1", **values)


def linked_by_hand(city: City, number: str) -> None:
    """A record without a number that a person linked to SHE comes with a number later."""
    DataSource.objects.create(
        code="clinic", title="clinic", dataset=PERSON.code, department=city.education, collector="HEALTH", is_lead=False,
        is_keyless=True,
    )  # fmt: skip
    row(city, "", "李小红", source="clinic")
    merging.link_record(
        chain=SourceRecord.objects.get(source__code="clinic").chain, entity_key=key(SHE), tier=MatchTier.MANUAL, score=None,
        rule_version="m1", reason="同一人", decided_by=city.people["reviewer"].pk, now=timezone.now(),
    )  # fmt: skip
    row(city, number, "李小红", source="clinic")


def schooled(city: City, number: str) -> None:
    known = GOOD["population.attribute"] | {"citizen_id": number}
    scene.deliver("population.attribute", [known], department=city.education, collector="EDUCATION")


def totals(dossier: Dossier) -> dict[str, int]:
    return {section.code: section.total for section in dossier.sections}


def nothing_of(dossier: Dossier) -> bool:
    """Nothing of what ME has: education, licenses, credit, an office, calls."""
    held, related = dossier.holdings, dossier.relations
    return (
        "population.attribute" not in totals(dossier)
        and held is not None
        and (held.license_count, held.credit) == (0, [])
        and related is not None
        and related.roles == []
        and dossier.uses == []
    )


def test_a_row_that_once_carried_anothers_number_brings_none_of_their_facts(city: City) -> None:
    scene.make_person(city)
    row(city, ME, "李小红", source="typed")
    row(city, SHE, "李小红", source="typed")
    dossier = read(city, SHE)
    assert {"市教育局"} & {other.department for value in dossier.identity for other in value.others}, "the row itself is hers"
    assert dossier.keys == [key(SHE)]
    assert nothing_of(dossier)


def test_a_record_linked_by_hand_with_anothers_number_brings_none_of_their_facts(city: City) -> None:
    scene.make_person(city)
    linked_by_hand(city, ME)
    assert read(city, SHE).keys == [key(SHE)]
    assert nothing_of(read(city, SHE))
    assert entity_of(PERSON, key(ME)) == key(ME)
    assert read(city, ME).keys == [key(ME)]


def test_facts_under_a_number_of_nobody_else_appear_until_somebody_has_it(city: City) -> None:
    scene.make_person(city)
    linked_by_hand(city, OTHER)
    schooled(city, OTHER)
    died: Row = {"citizen_id": OTHER, "vital_event": "20", "occurred_on": "20250301"}
    scene.deliver("population.vital_event", [died], department=city.education, source="hospital")
    dossier = read(city, SHE)
    assert set(dossier.keys) == {key(SHE), key(OTHER)}
    assert totals(dossier)["population.attribute"] == 1
    state = next(value.said for value in dossier.identity if value.name == "person_status")
    assert state is not None
    assert state.text == "有效", "the base does not take her for dead either"
    before = scene.moment_between()
    scene.deliver(PERSON, [scene.person(OTHER, "赵六")], department=city.police, source="second")
    assert read(city, SHE).keys == [key(SHE)]
    assert set(read(city, SHE, known_at=before).keys) == {key(SHE), key(OTHER)}, "as it was told then"


def test_an_earlier_number_stays_with_the_person_who_had_it(city: City) -> None:
    scene.make_person(city)
    row(city, OTHER, "赵六", source="second", is_lead=True, department=city.police, collector="PUBLIC_SECURITY")
    row(city, RENEWED, "赵六", source="second", is_lead=True, department=city.police, collector="PUBLIC_SECURITY")
    schooled(city, OTHER)
    assert totals(read(city, RENEWED))["population.attribute"] == 1
    linked_by_hand(city, OTHER)
    assert read(city, SHE).keys == [key(SHE)]
    assert set(read(city, RENEWED).keys) == {key(RENEWED), key(OTHER)}
    assert entity_of(PERSON, key(OTHER)) == key(RENEWED)


def test_a_merged_person_has_one_household_and_an_opening_is_told_once(city: City) -> None:
    scene.make_person(city)
    scene.deliver(PERSON, [scene.person(OTHER, "王建国")], department=city.education, source="second")
    member = GOOD["population.household_member"] | {"citizen_id": OTHER, "joined_on": "20010101"}
    scene.deliver("population.household_member", [member], department=city.police)
    merge = merging.merge_entities(
        dataset=PERSON.code, entity_key=key(ME), other_key=key(OTHER), reason="同一人两号",
        actor=city.actor("education_operator"), now=timezone.now(),
    )  # fmt: skip
    merging.confirm(uid=merge.uid, actor=city.actor("reviewer"), now=timezone.now())
    assert merging.apply_due(clock=timezone.now) == 1
    actor = city.actor("reviewer")
    assert open_dossier(kind=DossierKind.PERSON, identifier=OTHER, purpose=COMPARISON, actor=actor, now=timezone.now())
    dossier = read(city, ME)
    assert dossier.relations is not None
    assert dossier.uses is not None
    members = [line["key"] for line in dossier.relations.members]
    assert sorted(members) == sorted(key(who).hex() for who in (ME, SHE, OTHER))
    assert [use.is_dossier for use in dossier.uses].count(True) == 1


def section(city: City, whose: str, dataset: str) -> Section:
    return read_section(
        kind=DossierKind.ENTERPRISE, entity_key=key(whose), dataset=dataset, actor=city.actor("reviewer"), purpose=COMPARISON,
        now=timezone.now(),
    )  # fmt: skip


def test_of_a_license_the_word_of_its_issuer_stands_in_the_list_of_all_too(city: City) -> None:
    own = good_row("license.license", issuer=city.market.name, issuer_code=city.market.code)
    scene.deliver("license.license", [own], department=city.market)
    scene.deliver("license.license", [own | {"license_state": "07"}], department=city.centre)
    assert License.objects.get().license_state == "01"
    assert [line.department for line in section(city, COMPANY, "license.license").lines] == [city.market.name]


def test_an_old_number_stands_with_the_entity_the_base_has_it_of(city: City) -> None:
    old = "legal_entity.legacy_identifier"
    for code in (FIRM, HEIR):
        scene.deliver(old, [GOOD[old] | {"uscc": code}], department=city.market, key=code)
    assert EntityLegacyIdentifier.objects.get().uscc == HEIR
    assert [section(city, code, old).total for code in (FIRM, HEIR)] == [0, 1]
