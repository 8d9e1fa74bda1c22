"""What tests of issuing need: people and companies in the base databases, a type of the market bureau, drafts on their way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from basedb.identifiers import generate_citizen_id, generate_uscc
from basedb.models import LegalEntity, Person
from core.models import Department
from licenses import subject_keys
from licenses.issuing import drafts
from licenses.models import HolderKind, IssuingDraft, License, TypeVersion, ValidityKind
from licenses.sealing import keys
from tests.factories import City
from tests.licenses.sealed import TYPE_CODE, make_type

_numbers = count(1)
PERSON_TYPE = f"{TYPE_CODE[:18]}901"
REGION = "320102"


def make_person(department: Department, **values: Any) -> Person:
    """Return somebody in the base, alive unless told otherwise."""
    number = next(_numbers)
    code = generate_citizen_id("990101", date(1980, 1, 1) + timedelta(days=number), 121)
    defaults: dict[str, Any] = {
        "citizen_id": code, "name": f"王小{number}", "sex": "1", "birth_on": date(1980, 1, 1), "person_status": "0",
        "region_code": REGION, "source_department": department, "source_record_id": number, "run_id": 1,
        "subject_key": subject_keys.subject_key(code),
    }  # fmt: skip
    return Person.objects.create(**defaults | values)


def make_company(department: Department, **values: Any) -> LegalEntity:
    """Return a registered enterprise."""
    number = next(_numbers)
    code = generate_uscc(number, region="990101")
    defaults: dict[str, Any] = {
        "uscc": code, "name": f"南京示例{number}面馆有限公司", "region_code": REGION, "registration_state": "1",
        "source_department": department, "source_record_id": number, "run_id": 1, "subject_key": subject_keys.subject_key(code),
    }  # fmt: skip
    return LegalEntity.objects.create(**defaults | values)


def food_type(city: City, **values: Any) -> TypeVersion:
    """Return the food permit of the market bureau, laid out; keys to sign with are there."""
    keys.prepare(now=datetime.now().astimezone())
    return make_type(values.pop("department", city.market), **values)


def card_type(city: City, **values: Any) -> TypeVersion:
    """Return a type for people without a layout, of which a person holds one."""
    keys.prepare(now=datetime.now().astimezone())
    plain: dict[str, Any] = {
        "code": PERSON_TYPE, "name": "试验上岗证", "holder_kind": HolderKind.PERSON, "validity_kind": ValidityKind.MONTHS,
        "validity_months": 24, "layout": {}, "rulebook": [{"name": "trade", "title": "工种", "required": True}],
    }  # fmt: skip
    return make_type(values.pop("department", city.market), **plain | values)


def values_of(holder: Any, **values: Any) -> dict[str, Any]:
    """Return what an operator types in for a holder."""
    is_person = isinstance(holder, Person)
    face = {"trade": "电工"} if is_person else {"premises": "南京市玄武区太平北路 1 号", "scope": "热食类食品制售"}
    given: dict[str, Any] = {
        "holders": [{"name": holder.name, "code": holder.citizen_id if is_person else holder.uscc}],
        "region_code": REGION,
        "face": face,
    }
    if not is_person:
        given |= {"valid_from": "2026-01-15", "valid_to": "2031-01-14"}
    return given | values


def drafted(city: City, version: TypeVersion, holder: Any, now: datetime, **values: Any) -> IssuingDraft:
    """Return a draft of the market operator."""
    return drafts.make(type_code=version.code, values=values_of(holder, **values), actor=city.actor("market_operator"), now=now)


def to_sign(city: City, version: TypeVersion, holder: Any, now: datetime, **values: Any) -> IssuingDraft:
    """Return a draft at the head's desk."""
    draft = drafted(city, version, holder, now, **values)
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=city.actor("market_operator"), now=now)
    assert draft.state == "TO_SIGN", draft.findings
    return draft


def issued(city: City, version: TypeVersion, holder: Any, now: datetime, **values: Any) -> License:
    """Return an issued license."""
    draft = to_sign(city, version, holder, now, **values)
    return drafts.sign(uid=draft.uid, revision=draft.revision, actor=city.actor("market_head"), now=now)
