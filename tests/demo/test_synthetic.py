"""The synthetic city: reproducible, about nobody, and dirty exactly where it says so."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from basedb.cleaning import clean_sql
from basedb.code_sets import CODE_SETS
from basedb.dictionary import ENTERPRISE, PERSON, Dataset
from basedb.rules import broken_rule_sql
from core.divisions import divisions
from demo.addresses import DISTRICTS, ROADS, streets
from demo.enterprises import EnterpriseRow, headed, registered_entities
from demo.people import PersonRow, residents
from demo.synthetic import ENTERPRISE_DEFECTS, PERSON_DEFECTS, enterprises, legal_entity_csv, people

COUNT = 1500
TODAY = date(2025, 11, 22)


def _broken_rules(dataset: Dataset, rows: list[PersonRow] | list[EnterpriseRow]) -> Counter[str | None]:
    """Stage the rows as text, clean them, and count the rows by the first rule they break."""
    columns = ", ".join(f"{name} text" for name in dataset.field_names)
    cleaned = ", ".join(f"{clean_sql(field, f'raw.{field.name}')} AS {field.name}" for field in dataset.fields)
    places = ", ".join(["%s"] * len(dataset.fields))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE raw ({columns}) ON COMMIT DROP")
        cursor.executemany(f"INSERT INTO raw VALUES ({places})", rows)
        broken = broken_rule_sql(dataset, today=TODAY)
        cursor.execute(f"SELECT {broken}, count(*) FROM (SELECT {cleaned} FROM raw) AS s GROUP BY 1")
        return Counter(dict(cursor.fetchall()))


def test_fields_are_those_of_the_contract() -> None:
    assert PersonRow._fields == PERSON.field_names
    assert EnterpriseRow._fields == ENTERPRISE.field_names


def test_same_seed_gives_the_same_city() -> None:
    assert people(500, seed=7) == people(500, seed=7)
    assert people(500, seed=7) != people(500, seed=8)
    heads = people(500, seed=7, dirty_share=0)
    assert enterprises(200, seed=7, representatives=heads) == enterprises(200, seed=7, representatives=heads)


def test_every_tenth_entity_is_headed_by_somebody_of_the_city() -> None:
    rows, citizens = enterprises(100, seed=7), {row.citizen_id: row.name for row in people(300, seed=7, dirty_share=0)}
    known = [row for row in headed(rows, people(300, seed=7, dirty_share=0)) if row.legal_representative_id]
    assert len(known) == 10
    assert all(citizens[row.legal_representative_id] == row.legal_representative for row in known)


def test_numbers_are_unique_and_carry_an_unassigned_division() -> None:
    assigned = {division.code for division in divisions() if division.level == "COUNTY"}
    rows = list(residents(COUNT, seed=1))
    assert len({row.citizen_id for row in rows}) == COUNT
    assert not {row.citizen_id[:6] for row in rows} & assigned
    entities = list(registered_entities(COUNT, seed=1))
    assert len({row.uscc for row in entities}) == len({row.name for row in entities}) == COUNT
    assert not {row.uscc[2:8] for row in entities} & assigned


def test_districts_and_streets_are_real() -> None:
    assert set(DISTRICTS) == {division.code for division in divisions("3201") if division.level == "COUNTY"}
    real = {division.code: division.name for division in divisions("3201")}
    assert all(real[street.code] == street.name for street in streets())
    assert all(street.roads == tuple(ROADS[street.district_code].split()) for street in streets())
    only = people(200, ["320102"], seed=1, dirty_share=0)
    assert {row.region_code[:6] for row in only} == {"320102"}
    assert all("玄武区" in row.address for row in only)


def test_codes_are_listed() -> None:
    rows = list(residents(COUNT, seed=2))
    assert {row.household_relation for row in rows} <= CODE_SETS["household_relation"].labels.keys()
    entities = list(registered_entities(COUNT, seed=2))
    assert {row.industry[0] for row in entities} <= CODE_SETS["industry"].labels.keys()


def test_faultless_rows_break_no_rule(db: None) -> None:
    assert _broken_rules(PERSON, list(residents(COUNT, seed=3))) == {None: COUNT}


def test_faultless_entities_break_no_rule(db: None) -> None:
    rows = list(registered_entities(COUNT, seed=3, representatives=list(residents(500, seed=3))))
    assert _broken_rules(ENTERPRISE, rows) == {None: COUNT}


def test_every_defect_of_people_is_found_and_nothing_else(db: None) -> None:
    share = len(PERSON_DEFECTS) * 5 / COUNT
    found = _broken_rules(PERSON, people(COUNT, seed=4, dirty_share=share))
    assert found == {None: COUNT - len(PERSON_DEFECTS) * 5} | dict.fromkeys(PERSON_DEFECTS, 5)


def test_every_defect_of_enterprises_is_found_and_nothing_else(db: None) -> None:
    share = len(ENTERPRISE_DEFECTS) * 5 / COUNT
    found = _broken_rules(ENTERPRISE, enterprises(COUNT, seed=4, dirty_share=share))
    assert found == {None: COUNT - len(ENTERPRISE_DEFECTS) * 5} | dict.fromkeys(ENTERPRISE_DEFECTS, 5)


def test_representatives_are_adults_of_the_city() -> None:
    heads = {row.citizen_id: row for row in residents(1000, seed=5)}
    rows = list(registered_entities(300, seed=5, representatives=list(heads.values())))
    for row in rows:
        head = heads[row.legal_representative_id]
        assert (head.name, head.person_status) == (row.legal_representative, "0")
        assert head.birth_on < "20030101"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_drop_file_reads_back_with_chinese_header(tmp_path: Path, encoding: str) -> None:
    rows = enterprises(100, seed=6)
    path = tmp_path / "entities.csv"
    legal_entity_csv(path, rows, encoding=encoding)
    with path.open(encoding=encoding, newline="") as file:
        header, *read = list(csv.reader(file))
    assert header[:2] == ["统一社会信用代码", "名称"]
    assert [EnterpriseRow(*row) for row in read] == rows
    assert [entry.name for entry in tmp_path.iterdir()] == ["entities.csv"]
