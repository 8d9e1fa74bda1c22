"""A person and an enterprise with everything a dossier tells, delivered by several departments through the real door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from basedb.dictionary import ENTERPRISE, PERSON
from basedb.models import SourceRecord
from exchange.dossiers.rights import Purpose, Reason
from exchange.systems import key_ring
from tests.basedb.credit_facts import make_fact
from tests.basedb.fact_rows import GOOD, Row, citizen, collect, uscc
from tests.exchange.call_rows import recorded
from tests.factories import City, make_grant, make_resource, make_system

ME, SHE, OTHER = citizen(121), citizen(122), citizen(125)
FIRM, CHILD_FIRM, HEIR = uscc(4711), uscc(4713), uscc(4714)
PHONE, ADDRESS = "13800000000", "示意路一号"
MATTER = "BJ-2026-001"
COMPARISON, FOR_MATTER = Purpose(Reason.COMPARISON, MATTER), Purpose(Reason.MATTER, MATTER)


def key(identifier: str) -> bytes:
    return key_ring().subject_key(identifier)


def person(citizen_id: str, name: str, **values: str) -> Row:
    sex = "1" if int(citizen_id[16]) % 2 else "2"
    row: Row = {
        "citizen_id": citizen_id, "name": name, "sex": sex, "birth_on": citizen_id[6:14], "person_status": "0",
        "region_code": "320102",
    }  # fmt: skip
    return row | values


def deliver(dataset: Any, rows: list[Row], **values: Any) -> None:
    _counts, rejected = collect(dataset, rows, ring=key_ring(), **values)
    assert rejected == []


def make_person(city: City) -> bytes:
    """Police lead, the market bureau plays a second source that contradicts; facts, a license, a penalty, a call."""
    me = person(ME, "王建国", address=ADDRESS, phone=PHONE, ethnicity="01")
    deliver(PERSON, [me, person(SHE, "李小红")], department=city.police)
    other = {"citizen_id": ME, "name": "王建国", "address": "另一路二号"}
    deliver(PERSON, [other], department=city.market, collector="CIVIL_AFFAIRS", source="civil", is_lead=False)
    number = GOOD["population.household"]["household_number"]
    deliver("population.household", [GOOD["population.household"] | {"head_key": key(ME).hex()}], department=city.police)
    members: list[Row] = [
        {"citizen_id": who, "household_number": number, "household_relation": relation, "joined_on": "20050101"}
        for who, relation in ((ME, "01"), (SHE, "10"))
    ]
    deliver("population.household_member", members, department=city.police)
    for name in ("name_usage", "identifier", "residence"):
        deliver(f"population.{name}", [GOOD[f"population.{name}"] | {"citizen_id": ME}], department=city.police)
    event = GOOD["population.vital_event"] | {"citizen_id": ME, "partner_key": key(SHE).hex()}
    deliver("population.vital_event", [event], department=city.education, collector="CIVIL_AFFAIRS")
    schooling = [
        {"citizen_id": ME, "attribute_kind": "EDUCATION", "attribute_value": "20", "valid_from": f"{year}0701"}
        for year in (2002, 2003)
    ]
    deliver("population.attribute", [dict(row) for row in schooling], department=city.education, collector="EDUCATION")
    officer: Row = {"uscc": FIRM, "person_key": key(ME).hex(), "officer_role": "01", "appointed_on": "20100101"}
    deliver("legal_entity.officer", [officer], department=city.market)
    _hold(city, ME, 3)
    return key(ME)


def make_enterprise(city: City) -> bytes:
    firms: list[Row] = [
        {
            "uscc": code,
            "name": name,
            "entity_kind": "91",
            "region_code": "320102",
            "established_on": "20100101",
            "registration_state": "1",
        }
        for code, name in ((FIRM, "示例甲有限公司"), (CHILD_FIRM, "示例甲有限公司分公司"), (HEIR, "示例乙有限公司"))
    ]
    deliver(ENTERPRISE, firms, department=city.market)
    branch: Row = {"uscc": CHILD_FIRM, "parent_key": key(FIRM).hex(), "branch_kind": "1", "opened_on": "20110101"}
    deliver("legal_entity.branch", [branch], department=city.market)
    succession: Row = {"uscc": CHILD_FIRM, "successor_key": key(HEIR).hex(), "succession_kind": "1", "effective_on": "20240101"}
    taken_over: Row = succession | {"uscc": FIRM, "successor_key": key(CHILD_FIRM).hex(), "effective_on": "20230101"}
    deliver("legal_entity.succession", [succession, taken_over], department=city.market)
    for name in ("change", "qualification", "annual_report", "tax_registration", "legacy_identifier"):
        deliver(f"legal_entity.{name}", [GOOD[f"legal_entity.{name}"] | {"uscc": FIRM}], department=city.market)
    _hold(city, FIRM, 2)
    return key(FIRM)


def _hold(city: City, identifier: str, count: int) -> None:
    """Licenses, penalties and answered calls of somebody."""
    for number in range(count):
        for dataset in ("license.license", "credit.penalty"):
            fact = make_fact(dataset, city.market, **({"number": f"{identifier[:8]}{number}"} if dataset[0] == "l" else {}))
            type(fact).objects.filter(pk=fact.pk).update(subject_key=key(identifier))
    resource = make_resource(city.police)
    grant = make_grant(resource, make_system(city.education), city.people["education_operator"])
    at = timezone.now() - timedelta(minutes=5)
    recorded(grant, at, count=count, rows=1, subject=key(identifier), matter="入学报名")


def moment_between() -> datetime:
    """A moment after everything delivered so far was known and before anything later."""
    at = timezone.now()
    assert not SourceRecord.objects.filter(known__startswith__gt=at).exists()
    return at
