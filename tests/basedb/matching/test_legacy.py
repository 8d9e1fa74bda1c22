"""Old numbers: a record keyed by one belongs to its owner when the names agree; otherwise a person is asked."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.db import connection

from basedb.code_sets_legal_entity import BUSINESS_NUMBER
from basedb.dictionary import ENTERPRISE, PERSON
from basedb.identifiers import generate_uscc
from basedb.matching.legacy import VERSION, kinds_of
from basedb.models import Crosswalk, DataSource, EntityLegacyIdentifier, Identifier, LegalEntity, MatchCandidate
from core.models import Department
from tests.basedb.fusion.world import RING, World, citizen, golden, key, links, make_source
from tests.basedb.matching.test_running import known, match
from tests.factories import City

PASSPORT, NUMBER = "414", "E12345678"
USCC = generate_uscc(1, region="320102")


def hold(source: DataSource, row_key: str, values: dict[str, str], at: datetime) -> int:
    """Take a row without an identifier as ingest does; return its chain."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO basedb_sourcerecord (id, chain, source_id, source_key, run_id, row_hash, payload, valid, known)"
            " SELECT n, n, %s, %s, 1, '', %s::jsonb, tstzrange(%s, NULL), tstzrange(%s, NULL)"
            " FROM nextval(pg_get_serial_sequence('basedb_sourcerecord', 'id')) n RETURNING chain",
            [source.pk, row_key, json.dumps(values), at, at],
        )
        chain = int(cursor.fetchone()[0])
    Crosswalk.objects.create(chain=chain, dataset=source.dataset, tier="HELD", rule_version="test", linked=(at, None))
    return chain


@pytest.fixture
def visitors(world: World, city: City) -> DataSource:
    """A source whose rows are keyed by a passport, and somebody who has one."""
    known(world)
    Identifier.objects.create(
        row_key=b"1", subject_key=key(1), source_department=city.police, source_record_id=0, run_id=1, citizen_id=citizen(1),
        person_paper=PASSPORT, paper_number=NUMBER,
    )  # fmt: skip
    return make_source("visitors", city.education, "EDUCATION", is_lead=False, is_keyless=True, row_key_kind=PASSPORT)


def test_passport_with_an_agreeing_name_links_and_another_name_asks(world: World, visitors: DataSource) -> None:
    chain = hold(visitors, "e-12345678", {"name": "張偉強", "household_head": "张大"}, world.tick())
    stranger = hold(visitors, NUMBER, {"name": "李娜"}, world.tick())
    nobody = hold(visitors, "E99999999", {"name": "张伟强"}, world.tick())
    match(world)
    assert links()[chain] == (key(1), "LEGACY")
    assert Crosswalk.objects.get(chain=chain, linked__upper_inf=True).rule_version == VERSION
    assert golden()[key(1)]["household_head"] == "张大"
    assert (links()[stranger], links()[nobody]) == ((None, "HELD"), (None, "HELD"))
    asked = MatchCandidate.objects.get(state="OPEN")
    assert (asked.chain, asked.tier, [reason["level"] for reason in asked.why]) == (stranger, "LEGACY", ["exact", "else"])
    before = list(MatchCandidate.objects.order_by("id").values())
    match(world)
    assert list(MatchCandidate.objects.order_by("id").values()) == before


def test_number_of_two_people_links_nobody(world: World, visitors: DataSource, city: City) -> None:
    known(world, 2)
    Identifier.objects.create(
        row_key=b"2", subject_key=key(2), source_department=city.police, source_record_id=0, run_id=1, citizen_id=citizen(2),
        person_paper=PASSPORT, paper_number=NUMBER,
    )  # fmt: skip
    chain = hold(visitors, NUMBER, {"name": "张伟强"}, world.tick())
    match(world)
    assert links()[chain][1] == "HELD"


def test_rules_do_not_link_by_likeness_what_an_old_number_contradicts(world: World, visitors: DataSource) -> None:
    known(world, 2, name="李娜", sex="2", birth_on="19910101", phone="13900000002")
    told = {"name": "李娜", "sex": "2", "birth_on": "19910101", "phone": "13900000002", "region_code": "320102"}
    chain = hold(visitors, NUMBER, told, world.tick())
    match(world)
    assert links()[chain][1] == "HELD"
    assert sorted(MatchCandidate.objects.filter(chain=chain, state="OPEN").values_list("tier", flat=True)) == ["LEGACY", "PROBABLE"]


def test_business_number_links_an_enterprise_whose_name_agrees(world: World, city: City) -> None:
    entity_of(city.market)
    source = DataSource.objects.create(
        code="tax.old", title="税务", dataset=ENTERPRISE.code, department=city.market, collector="TAX", is_lead=False,
        is_keyless=True, row_key_kind=BUSINESS_NUMBER,
    )  # fmt: skip
    same = hold(source, "320102000000001", {"name": "南京甲乙（集团）有限公司"}, world.tick())
    other = hold(source, " 320102000000001", {"name": "南京丙丁有限公司"}, world.tick())
    match(world)
    found = links()
    assert found[same] == (RING.subject_key(USCC), "LEGACY")
    assert found[other] == (None, "HELD")
    assert MatchCandidate.objects.get(state="OPEN").chain == other


def entity_of(department: Department) -> None:
    """An enterprise that had a business number."""
    common = {"subject_key": RING.subject_key(USCC), "source_department": department, "source_record_id": 0, "run_id": 1}
    LegalEntity.objects.create(
        **common, uscc=USCC, name="南京甲乙(集团)有限公司", entity_kind="1", region_code="320102", established_on="2001-01-01",
        registration_state="1",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT decode(md5(concat_ws(chr(31), %s, %s)), 'hex')", [BUSINESS_NUMBER, "320102000000001"])
        row_key = bytes(cursor.fetchone()[0])
    EntityLegacyIdentifier.objects.create(
        **common, row_key=row_key, uscc=USCC, legacy_kind=BUSINESS_NUMBER, legacy_number="320102000000001"
    )


def test_old_numbers_are_those_of_the_code_sets() -> None:
    assert PASSPORT in kinds_of(PERSON.code)
    assert BUSINESS_NUMBER in kinds_of(ENTERPRISE.code)
    assert kinds_of("population.residence") == {}
