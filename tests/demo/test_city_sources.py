"""The sources of the city at full scale: their numbers, their dirt, and that a seed means the same city again."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection
from psycopg2.extras import execute_values

from basedb.cleaning import clean_sql
from basedb.dictionary import DATASETS
from basedb.identifiers import citizen_id_valid, uscc_organization_valid, uscc_valid
from basedb.rules import broken_rule_sql
from core.divisions import divisions
from demo.city import load_divisions
from demo.city_scale import counts, credit, entities, files, licenses, people, places
from demo.city_scale.making import Making, TooSmall, check_disk, digests, from_environment, make, stands

SHARE = 0.0005
SCHEMA = f"city_{os.environ.get('PYTEST_DB_SUFFIX', 'platform')}"
TODAY = date(2025, 11, 22)
COUNTS = counts.counts_of(SHARE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Making]:
    making = from_environment(COUNTS, tmp_path_factory.mktemp("drop"), schema=SCHEMA, say=lambda _text: None)
    make(making)
    yield making
    making.run("DROP SCHEMA {schema} CASCADE")


def _rows(made: Making, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(made.owner_url)) as link, link.cursor() as cursor:
        cursor.execute(query.format(schema=made.schema))
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _broken(dataset_code: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Counter[str | None]:
    """Clean rows as the platform does and count them by the first rule they break."""
    dataset = DATASETS[dataset_code]
    cleaned = ", ".join(
        (clean_sql(field, f"raw.{field.name}") if field.name in columns else "NULL::text") + f" AS {field.name}"
        for field in dataset.fields
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS raw; CREATE TEMP TABLE raw ({', '.join(f'{name} text' for name in columns)}) ON COMMIT DROP"
        )
        execute_values(cursor.cursor, "INSERT INTO raw VALUES %s", rows)
        cursor.execute(
            f"SELECT {broken_rule_sql(dataset, today=TODAY)}, count(*) FROM (SELECT {cleaned} FROM raw OFFSET 0) s GROUP BY 1"
        )
        return Counter(dict(cursor.fetchall()))


def test_the_whole_city_has_the_published_numbers() -> None:
    whole = counts.counts_of(1)
    assert (whole.people, whole.entities, whole.licenses, whole.credit_records) == (4_120_000, 677_000, 2_190_000, 10_000_000)
    assert (whole.addresses, whole.parcels) == (100_000, 50_000)
    by_type = whole.licenses_by_type()
    assert len(by_type) == 85
    assert by_type[:2] == [546_000, 435_000]
    assert sum(by_type) == whole.licenses
    assert min(by_type) > 0
    assert sum(whole.credit().values()) == whole.credit_records
    assert [kind.name for kind in licenses.kinds(whole)][:2] == ["不动产登记证明", "不动产权证书"]


def test_two_in_a_hundred_are_broken_and_one_disagrees_exactly() -> None:
    whole = counts.counts_of(1)
    assert sum(people.SOIL.broken(whole.people).values()) * 50 == whole.people
    assert sum(entities.SOIL.broken(whole.entities).values()) * 50 == whole.entities
    differing = whole.disagreements()
    assert (differing["marriages"] + differing["phones"] + differing["names"]) * 100 == whole.people
    assert differing["taxpayers"] * 100 == whole.entities


def test_a_share_of_the_city_keeps_whole_blocks() -> None:
    assert all(count % counts.BLOCK == 0 for count in (COUNTS.people, COUNTS.entities, COUNTS.licenses, COUNTS.credit_records))
    with pytest.raises(ValueError, match="share"):
        counts.counts_of(2)


def test_a_disk_too_small_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(TooSmall, match="GB needed"):
        check_disk(tmp_path / "not" / "there", counts.counts_of(1), bytes_per_row=10**7)


def test_a_city_of_another_size_does_not_stand(made: Making, tmp_path: Path) -> None:
    assert stands(made)
    larger = counts.counts_of(SHARE * 2)
    assert not stands(Making(made.owner_url, tmp_path, larger, schema=SCHEMA))
    assert not stands(Making(made.owner_url, tmp_path, COUNTS, schema=f"{SCHEMA}_nowhere"))


def test_same_seed_gives_the_same_city(made: Making, tmp_path: Path) -> None:
    again = Making(made.owner_url, tmp_path, made.counts, seed=made.seed, schema=f"{SCHEMA}_again", workers=1)
    other = Making(made.owner_url, tmp_path / "other", made.counts, seed=2, schema=f"{SCHEMA}_other")
    try:
        make(again)
        make(other)
        assert digests(again) == digests(made)
        assert [path.read_bytes() for path in _files(again)] == [path.read_bytes() for path in _files(made)]
        assert digests(other)["public_security_resident"] != digests(made)["public_security_resident"]
    finally:
        again.run("DROP SCHEMA {schema} CASCADE")
        other.run("DROP SCHEMA IF EXISTS {schema} CASCADE")


def _files(made: Making) -> list[Path]:
    return sorted(made.folder.glob("city_*/*"))


def test_numbers_never_collide_and_carry_unassigned_divisions(made: Making) -> None:
    assigned = {division.code for division in divisions() if division.level == "COUNTY"}
    found = _rows(made, "SELECT citizen_id FROM {schema}.social_security_insured")
    numbers = [number for (number,) in found]
    assert len(set(numbers)) == len(numbers) == COUNTS.second_sources()["workers"]
    assert all(citizen_id_valid(number) and number[:6] not in assigned for number in numbers)
    codes = [code for (code,) in _rows(made, "SELECT uscc FROM {schema}.tax_taxpayer")]
    assert len(set(codes)) == len(codes)
    assert all(uscc_valid(code) and uscc_organization_valid(code) and code[2:8] not in assigned for code in codes)
    # Division and sequence alone tell people apart, so that the whole city has room.
    assert counts.PEOPLE <= 9_800 * 500


def test_each_defect_of_people_breaks_its_rule_and_nothing_else(made: Making, db: None) -> None:
    columns = people.COLUMNS
    rows = _rows(made, f"SELECT {', '.join(columns)} FROM {{schema}}.public_security_resident WHERE row_id <= {COUNTS.people}")
    wanted = people.SOIL.broken(COUNTS.people)
    assert _broken("population.person", columns, rows) == Counter(wanted | {None: COUNTS.people - sum(wanted.values())})


def test_each_defect_of_entities_breaks_its_rule_in_both_encodings(made: Making, db: None) -> None:
    rows, seen = [], set()
    for path in sorted((made.folder / files.ENTITY_FOLDER).glob("*.csv")):
        for encoding in ("utf-8", "gb18030"):
            try:
                text = path.read_bytes().decode(encoding)
            except UnicodeDecodeError:
                continue
            seen.add(encoding)
            header, *lines = list(csv.reader(text.splitlines()))
            assert header == list(files.titles("legal_entity.enterprise", entities.COLUMNS).values())
            rows += [tuple(line) for line in lines]
            break
    assert seen == {"utf-8", "gb18030"}
    wanted = entities.SOIL.broken(COUNTS.entities)
    assert _broken("legal_entity.enterprise", entities.COLUMNS, rows) == Counter(
        wanted | {None: COUNTS.entities - sum(wanted.values())}
    )


@pytest.mark.parametrize("kind", credit.kinds(COUNTS), ids=lambda kind: str(kind.name))
def test_each_defect_of_credit_records_breaks_its_rule(made: Making, db: None, kind: credit.CreditKind) -> None:
    rows = _rows(made, f"SELECT {', '.join(kind.columns)} FROM {{schema}}.{kind.table} ORDER BY row_id")
    found = _broken(f"credit.{kind.name}", kind.columns, rows)
    assert len(rows) == kind.count
    assert set(found) - {None} <= set(credit.soil(kind.name).defects)
    assert abs(sum(count for rule, count in found.items() if rule) - kind.count // 50) <= 1


def test_each_defect_of_licenses_breaks_its_rule(made: Making, db: None) -> None:
    tables = [licenses.table_of(department) for department in licenses.DEPARTMENTS]
    query = " UNION ALL ".join(f"SELECT {', '.join(licenses.COLUMNS)} FROM {{schema}}.{table}" for table in tables)
    rows = _rows(made, query)
    assert len(rows) == COUNTS.licenses
    found = _broken("license.license", licenses.COLUMNS, rows)
    assert set(found) - {None} <= set(licenses.SOIL.defects)
    # A type whose licenses never end has no end to put before its start.
    assert COUNTS.licenses // 50 * 0.85 <= sum(count for rule, count in found.items() if rule) <= COUNTS.licenses // 50


def test_each_defect_of_places_breaks_its_rule(made: Making, db: None) -> None:
    load_divisions()
    for dataset, columns, table, soil, count in (
        ("geo.address", places.ADDRESS_COLUMNS, "public_security_address", places.ADDRESS_SOIL, COUNTS.addresses),
        ("geo.parcel", places.PARCEL_COLUMNS, "natural_resources_parcel", places.PARCEL_SOIL, COUNTS.parcels),
    ):
        rows = _rows(made, f"SELECT {', '.join(columns)} FROM {{schema}}.{table}")
        found = _broken(dataset, columns, rows)
        wanted = soil.broken(count)
        assert found == Counter(wanted | {None: count - sum(wanted.values())})


def test_second_departments_disagree_as_often_as_they_should(made: Making) -> None:
    differing = COUNTS.disagreements()
    [(marriages, phones, names)] = _rows(
        made,
        """SELECT
            (SELECT count(*) FROM {schema}.civil_affairs_marriage m JOIN good g USING (citizen_id)
                WHERE m.marital_status <> g.marital_status),
            (SELECT count(*) FROM {schema}.social_security_insured i JOIN good g USING (citizen_id)
                WHERE i.phone IS DISTINCT FROM g.phone),
            (SELECT count(*) FROM {schema}.social_security_insured i JOIN good g USING (citizen_id)
                WHERE i.name <> rtrim(g.name, ' 　') AND g.name !~ '\ufffd' AND btrim(g.name) <> '')
        """.replace("good g", "{schema}.public_security_resident g"),
    )
    # Those whose row at the police is broken cannot be compared; the rest disagree exactly.
    assert differing["marriages"] * 0.85 <= marriages <= differing["marriages"]
    assert differing["phones"] * 0.6 <= phones <= differing["phones"]
    assert differing["names"] * 0.5 <= names <= differing["names"]


def test_some_rows_come_long_after_they_were_true_and_some_come_twice(made: Making) -> None:
    [(late, rows)] = _rows(
        made,
        "SELECT count(*) FILTER (WHERE updated_at::date - effective_on >= 200), count(*) FROM {schema}.public_security_resident",
    )
    assert late * counts.LATE_EVERY == COUNTS.people
    assert rows == COUNTS.people + COUNTS.people // counts.DUPLICATE_EVERY
