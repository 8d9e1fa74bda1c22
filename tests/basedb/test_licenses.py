"""Licenses in bulk: taken in leniently, marked for review by sets, read for the dossier in one query."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from basedb import licenses
from basedb.credit import shipped
from basedb.holdings_of import all_holdings
from basedb.models import LegalEntity, License, LicenseMark, LicenseType, Person
from tests.basedb.credit_facts import key_of, make_fact
from tests.basedb.credit_rows import BUREAU, CITIZEN, COMPANY, good_row
from tests.basedb.fact_rows import collect
from tests.factories import City

LICENSE = "license.license"
GOOD = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
KNOWN_TYPE = "11100000MB0143028R001"


@pytest.fixture(autouse=True)
def types(db: None) -> None:
    shipped.load_license_types(apps)


def open_marks() -> set[tuple[str, str]]:
    numbers = dict(License.objects.values_list("row_key", "number"))
    return {(numbers[mark.row_key], mark.kind) for mark in LicenseMark.objects.filter(closed_at=None)}


def test_shipped_types_are_eighty_five_with_codes_of_the_standard(db: None) -> None:
    assert LicenseType.objects.count() == 85
    assert {len(code) for code in LicenseType.objects.values_list("code", flat=True)} == {21}
    assert LicenseType.objects.filter(code=KNOWN_TYPE).exists()


def test_wrong_identifiers_and_undefined_types_are_marked_not_refused(city: City, now: datetime) -> None:
    make_fact(LICENSE, city.market, number="A", identifier=GOOD)
    make_fact(LICENSE, city.market, number="B", identifier=GOOD[:-1] + "V")
    make_fact(LICENSE, city.market, number="C", identifier=None, type_code="1" * 21)
    assert licenses.review(now=now) == {"IDENTIFIER": 1, "UNKNOWN_TYPE": 1, "HOLDER_DEAD": 0, "HOLDER_CANCELLED": 0}
    assert open_marks() == {("B", "IDENTIFIER"), ("C", "UNKNOWN_TYPE")}
    assert sum(licenses.review(now=now).values()) == 0, "a second look says nothing new"
    License.objects.filter(number="B").update(identifier=GOOD)
    licenses.review(now=now)
    assert open_marks() == {("C", "UNKNOWN_TYPE")}


def _stored(model: Any, city: City, code: str, **values: Any) -> None:
    model.objects.create(
        subject_key=key_of(code), source_department=city.police, source_record_id=1, run_id=1, region_code="320102", **values
    )


def test_live_licenses_of_the_dead_and_the_cancelled_are_marked(city: City, now: datetime) -> None:
    today = now.date()
    _stored(Person, city, CITIZEN, citizen_id=CITIZEN, name="王建国", sex="1", birth_on=date(1980, 5, 6), person_status="9")
    _stored(LegalEntity, city, COMPANY, uscc=COMPANY, name="南京示例科技有限公司", registration_state="4")
    mine = {"holder_code": CITIZEN, "holder_code_type": "111"}
    make_fact(LICENSE, city.police, number="LIVE", valid_to=None, **mine)
    make_fact(LICENSE, city.police, number="ENDS_TODAY", valid_to=f"{today:%Y%m%d}", **mine)
    make_fact(LICENSE, city.police, number="EXPIRED", valid_to=f"{today - timedelta(days=2):%Y%m%d}", **mine)
    make_fact(LICENSE, city.police, number="REVOKED", license_state="07", **mine)
    make_fact(LICENSE, city.market, number="COMPANY", valid_to=None)
    licenses.review(now=now)
    dead = {("LIVE", "HOLDER_DEAD"), ("ENDS_TODAY", "HOLDER_DEAD")}
    assert open_marks() == dead | {("COMPANY", "HOLDER_CANCELLED")}
    Person.objects.update(person_status="0")
    licenses.review(now=now)
    assert open_marks() == {("COMPANY", "HOLDER_CANCELLED")}


def test_end_of_a_holder_finds_the_live_licenses(city: City) -> None:
    assert LICENSE in {holding.code for holding in all_holdings()}
    kept = make_fact(LICENSE, city.market, valid_to=None)
    make_fact(LICENSE, city.market, license_state="04")
    with connection.cursor() as cursor:
        cursor.execute(licenses.HOLDING.live_sql)
        assert [(bytes(row[1]), row[2]) for row in cursor.fetchall()] == [(bytes(kept.row_key), city.market.pk)]


def test_licenses_of_a_holder_come_in_one_query_live_ones_first(city: City, now: datetime) -> None:
    make_fact(LICENSE, city.market, number="OLD", valid_to="20200101", type_code=KNOWN_TYPE)
    make_fact(LICENSE, city.market, number="LAST_DAY", valid_to="20251001")
    make_fact(LICENSE, city.market, number="GONE", withdrawn_at=now)
    with CaptureQueriesContext(connection) as queries:
        found = licenses.licenses_of(subject_key=key_of(COMPANY), today=date(2025, 10, 1))
    assert len(queries) == 1
    assert [(line["number"], line["state"], line["is_live"]) for line in found] == [
        ("LAST_DAY", "01", True),
        ("OLD", "EXPIRED", False),
    ]
    assert licenses.licenses_of(subject_key=key_of(COMPANY), today=date(2025, 10, 2))[0]["state"] == "EXPIRED"


def test_what_the_issuer_itself_delivers_goes_before_what_others_say_of_the_license(city: City) -> None:
    own = good_row(LICENSE, issuer=city.market.name, issuer_code=city.market.code)
    relayed = good_row(LICENSE, issuer="某县市场监督管理局", issuer_code=BUREAU, license_state="07")

    def standing() -> tuple[str, str]:
        return License.objects.values_list("issuer", "license_state").get(withdrawn_at=None)

    collect(LICENSE, [relayed], department=city.centre)
    assert standing() == ("某县市场监督管理局", "07"), "nobody else says anything"
    collect(LICENSE, [own], department=city.market)
    collect(LICENSE, [relayed | {"title": "营业执照副本"}], department=city.centre)
    assert standing() == (city.market.name, "01"), "the later word of another changes nothing"
    collect(LICENSE, [own | {"license_state": "07"}], department=city.market)
    collect(LICENSE, [relayed | {"license_state": "01"}], department=city.centre)
    assert standing() == (city.market.name, "07"), "nor brings it back what its issuer revoked"
    collect(LICENSE, [own | {"license_state": "06"}], department=city.market)
    assert standing() == (city.market.name, "06")
    collect(LICENSE, [relayed | {"license_state": "02"}], department=city.centre)
    assert standing() == ("某县市场监督管理局", "02"), "what moved away is another's to tell"


def test_an_issuer_without_a_code_is_known_by_its_name(city: City) -> None:
    own = good_row(LICENSE, issuer=city.market.name, issuer_code=None)
    collect(LICENSE, [own], department=city.market)
    collect(LICENSE, [good_row(LICENSE, license_state="04")], department=city.centre)
    assert License.objects.get().source_department == city.market
    collect(LICENSE, [own], department=city.market, gone=True)
    assert License.objects.get(withdrawn_at=None).source_department == city.centre, "its record ended: the next best stands"
