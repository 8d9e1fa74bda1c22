"""Rules of people's and entities' facts: each defect is named by its own rule, links keep no number, masks hide keys."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb import links
from basedb.code_sets import CODE_SETS
from basedb.dictionary import BY_SUBJECT, DATASETS, DataType, Kind, Source, Subject
from basedb.dictionary.population_facts import ATTRIBUTES
from basedb.identifiers import (
    citizen_id_upgraded_sql,
    citizen_id_valid,
    generate_citizen_id,
    upgrade_citizen_id,
)
from basedb.ingest import broken_rule
from basedb.masking import Mask, mask_sql, mask_value
from catalog import mounting
from tests.basedb.conftest import Evaluate
from tests.basedb.fact_rows import GOOD, ME, RING, SHE, Row, citizen, uscc

TODAY = date(2025, 11, 22)
DEFECTS: list[tuple[str, Row, str]] = [
    ("population.name_usage", {"citizen_id": ME[:-1] + ("1" if ME[-1] != "1" else "2")}, "citizen_id.check_digit"),
    ("population.name_usage", {"name_kind": "7"}, "name_kind.code"),
    ("population.name_usage", {"used_to": "19700101"}, "used_to.before_start"),
    ("population.identifier", {"paper_number": "1234567"}, "paper_number.form"),
    ("population.identifier", {"person_paper": "516", "paper_number": "H1234567"}, "paper_number.form"),
    ("population.identifier", {"person_paper": "111", "paper_number": SHE}, "paper_number.not_own"),
    ("population.identifier", {"person_paper": "119", "paper_number": "990101810506121"}, "paper_number.not_upgradable"),
    ("population.identifier", {"expires_on": "20190101"}, "expires_on.before_start"),
    ("population.household", {"household_number": "户1"}, "household_number.format"),
    ("population.household", {"head_key": "990101198005061219"}, "head_key.format"),
    ("population.household", {"dissolved_on": "20000101", "set_up_on": "20010101"}, "dissolved_on.before_start"),
    ("population.household_member", {"household_relation": "丈夫"}, "household_relation.format"),
    ("population.household_member", {"left_on": "20040101"}, "left_on.before_start"),
    ("population.residence", {"moved_in_on": "19790101"}, "moved_in_on.before_birth"),
    ("population.residence", {"moved_out_on": "20040101"}, "moved_out_on.before_start"),
    ("population.vital_event", {"vital_event": "99"}, "vital_event.code"),
    ("population.vital_event", {"vital_event": "20", "occurred_on": "19791231"}, "occurred_on.before_birth"),
    ("population.vital_event", {"vital_event": "10", "occurred_on": "19800507"}, "occurred_on.birth_mismatch"),
    ("population.vital_event", {"registered_on": "20050519"}, "registered_on.before_event"),
    ("population.vital_event", {"partner_key": None}, "partner_key.missing"),
    ("population.attribute", {"attribute_value": "99"}, "attribute_value.code"),
    ("population.attribute", {"attribute_kind": "SHOE_SIZE"}, "attribute_kind.code"),
    ("population.attribute", {"valid_to": "20010101"}, "valid_to.before_start"),
    ("legal_entity.change", {"uscc": "919901010000471100"}, "uscc.check_digit"),
    ("legal_entity.branch", {"parent_key": None}, "parent_key.required"),
    ("legal_entity.branch", {"closed_on": "20090101"}, "closed_on.before_start"),
    ("legal_entity.officer", {"person_key": "12345"}, "person_key.format"),
    ("legal_entity.officer", {"left_on": "20090101"}, "left_on.before_start"),
    ("legal_entity.shareholder", {"share_ratio": "100.5"}, "share_ratio.format"),
    ("legal_entity.qualification", {"qualification_state": "9"}, "qualification_state.code"),
    ("legal_entity.annual_report", {"submitted_on": "20231201"}, "submitted_on.before_year_end"),
    ("legal_entity.annual_report", {"report_state": "3"}, "report_state.mismatch"),
    ("legal_entity.annual_report", {"employee_count": "1.5"}, "employee_count.format"),
    ("legal_entity.tax_registration", {"ended_on": "20200101"}, "tax_state.mismatch"),
    ("legal_entity.insurance_registration", {"ended_on": "20200101"}, "insurance_state.mismatch"),
    ("legal_entity.legacy_identifier", {"legacy_number": "32010000001234"}, "legacy_number.form"),
    ("legal_entity.legacy_identifier", {"legacy_kind": "2", "legacy_number": "123456789"}, "legacy_number.not_inside"),
    ("legal_entity.succession", {"succession_kind": "8"}, "succession_kind.code"),
]


@pytest.mark.parametrize("code", GOOD)
def test_good_fact_breaks_no_rule(db: None, code: str) -> None:
    assert broken_rule(DATASETS[code], GOOD[code], today=TODAY) is None


@pytest.mark.parametrize(("code", "defect", "rule"), DEFECTS)
def test_defect_of_a_fact_is_named(db: None, code: str, defect: Row, rule: str) -> None:
    assert broken_rule(DATASETS[code], GOOD[code] | defect, today=TODAY) == rule


def test_every_fact_of_people_and_entities_has_a_good_row() -> None:
    facts = {
        code
        for code, dataset in DATASETS.items()
        if dataset.kind is Kind.FACT and dataset.base_database in ("population", "legal_entity")
    }
    assert facts == GOOD.keys()


def test_old_paper_number_of_fifteen_digits_agrees_with_the_new_one(db: None) -> None:
    old = ME[:6] + ME[8:17]
    row = GOOD["population.identifier"] | {"person_paper": "119", "paper_number": old}
    assert broken_rule(DATASETS["population.identifier"], row, today=TODAY) is None


def test_organization_code_stands_inside_the_unified_code(db: None) -> None:
    row = GOOD["legal_entity.legacy_identifier"]
    row = row | {"legacy_kind": "2", "legacy_number": (row["uscc"] or "")[8:17]}
    assert broken_rule(DATASETS["legal_entity.legacy_identifier"], row, today=TODAY) is None


born = st.dates(date(1900, 1, 1), date(1999, 12, 31))


@given(born, st.integers(0, 995))
def test_old_number_is_upgraded_to_the_one_it_came_from(day: date, serial: int) -> None:
    number = generate_citizen_id("990101", day, serial)
    old = number[:6] + number[8:17]
    assert upgrade_citizen_id(old) == number
    assert citizen_id_valid(upgrade_citizen_id(old))


@given(born, st.integers(0, 995))
def test_link_has_the_same_key_for_the_old_and_the_new_number(day: date, serial: int) -> None:
    field = DATASETS["legal_entity.officer"].field("person_key")
    number = generate_citizen_id("990101", day, serial)
    keys = {links.sealed(field, text, RING.subject_key) for text in (number, number.lower(), f" {number[:6]}-{number[6:]} ")}
    keys.add(links.sealed(field, number[:6] + number[8:17], RING.subject_key))
    assert keys == {RING.subject_key(number).hex()}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(born, st.integers(0, 999)), min_size=1, max_size=20))
def test_old_numbers_are_upgraded_alike_in_sql(evaluate: Evaluate, people: list[tuple[date, int]]) -> None:
    numbers = [generate_citizen_id("990101", day, serial) for day, serial in people]
    olds = [number[:6] + number[8:17] for number in numbers]
    mixed: list[str | None] = [*olds, *numbers, "0" + olds[0][1:], "A" + olds[0][1:], None, ""]
    assert evaluate(citizen_id_upgraded_sql("v"), mixed) == [text if text is None else upgrade_citizen_id(text) for text in mixed]


anything = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(anything)
def test_link_is_sealed_once_and_never_twice(text: str) -> None:
    for code, name in (("legal_entity.officer", "person_key"), ("legal_entity.shareholder", "holder_key")):
        field = DATASETS[code].field(name)
        once = links.sealed(field, text, RING.subject_key)
        assert links.sealed(field, once, RING.subject_key) == once
        assert once == text or len(once or "") == 32


def test_link_tells_people_from_entities_and_takes_passports() -> None:
    assert links.identifier_of(Subject.PERSON, citizen(1)) == citizen(1)
    assert links.identifier_of(Subject.PERSON, uscc(1)) is None
    assert links.identifier_of(Subject.LEGAL_ENTITY, citizen(1)) is None
    assert links.identifier_of(Subject.EITHER, uscc(1)) == uscc(1)
    assert links.identifier_of(Subject.PERSON, "ea1234567") == "EA1234567"
    assert links.identifier_of(Subject.PERSON, citizen(1)[:-1] + "?") is None


def test_each_attribute_has_a_department_and_a_code_set() -> None:
    assert ATTRIBUTES.keys() == CODE_SETS["attribute_kind"].labels.keys()
    assert all(code_set in CODE_SETS and source is not Source.OTHER for source, code_set in ATTRIBUTES.values())


def test_facts_about_people_and_entities_are_offered_beside_their_master_rows() -> None:
    offered = {dataset.code for dataset in mounting.datasets()}
    assert {"population.person", "legal_entity.enterprise"} <= BY_SUBJECT.keys() <= offered
    assert GOOD.keys() - offered == {"population.household"}  # known by its number, which is nobody's


LINKS = [(dataset, field) for dataset in DATASETS.values() for field in dataset.fields if field.data_type is DataType.SUBJECT]


def test_keys_of_others_are_hidden_by_default() -> None:
    assert LINKS
    assert {field.mask for _dataset, field in LINKS} == {Mask.HIDDEN}
    assert {str(field.grade) for _dataset, field in LINKS} == {"L3"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(anything | st.none(), min_size=1, max_size=10))
def test_masks_of_sensitive_facts_show_no_whole_value(evaluate: Evaluate, texts: list[str | None]) -> None:
    fields = [f for d in DATASETS.values() if d.code in GOOD for f in d.fields if str(f.grade) >= "L3" and f.mask is not Mask.NONE]
    for mask in {field.mask for field in fields}:
        shown = [mask_value(mask, text) for text in texts]
        assert evaluate(mask_sql(mask, "v"), texts) == shown
        if mask in (Mask.HIDDEN, Mask.CITIZEN_ID, Mask.NAME):
            assert all(seen != text for seen, text in zip(shown, texts, strict=True) if text and "*" not in text)
