"""People, households and entities for the tests of thematic databases."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from basedb.models import Attribute, CreditPenalty, Household, HouseholdMember, LegalEntity, License, ThematicDataset
from basedb.thematic import definitions, refreshing
from basedb.thematic.definitions import Draft
from basedb.thematic.shipped import shipped
from core.models import Department
from tests.basedb.fact_rows import uscc
from tests.basedb.test_quality import NOW, person
from tests.factories import City

_KEYS = count(10_000)


def fact(model: Any, subject_key: bytes, department: Department, **values: Any) -> Any:
    serial = next(_KEYS)
    return model.objects.create(
        subject_key=subject_key, source_department=department, source_record_id=serial, run_id=1,
        row_key=serial.to_bytes(16, "big"), **values,
    )  # fmt: skip


def household(city: City, serial: int, *attributes: tuple[str, str], region: str = "320102") -> bytes:
    """A household of a head and one member; attributes are the member's. Returns the head's key."""
    head = person(city, serial, region_code=region)
    member = person(city, serial + 500, region_code=region)
    number = f"9901{serial:08d}"
    fact(
        Household, serial.to_bytes(16, "little"), city.police,
        household_number=number, household_kind="1", head_key=head.subject_key, region_code=region,
    )  # fmt: skip
    for one, relation in ((head, "02"), (member, "10")):
        fact(
            HouseholdMember, one.subject_key, city.police,
            citizen_id=one.citizen_id, household_number=number, household_relation=relation,
        )  # fmt: skip
    for kind, value in attributes:
        fact(
            Attribute, member.subject_key, city.education,
            citizen_id=member.citizen_id, attribute_kind=kind, attribute_value=value, valid_from=date(2025, 1, 1),
        )  # fmt: skip
    return bytes(head.subject_key)


def enterprise(
    city: City, serial: int, *, penalties: tuple[date, ...] = (), license_until: date | None = None, name: str = "演示企业"
) -> bytes:
    key = next(_KEYS).to_bytes(16, "big")
    code = uscc(serial)
    LegalEntity.objects.create(
        subject_key=key, source_department=city.market, source_record_id=serial, run_id=1, uscc=code, name=name,
        entity_kind="91", region_code="320102", established_on=date(2010, 1, 1), registration_state="1",
    )  # fmt: skip
    for number, day in enumerate(penalties):
        fact(
            CreditPenalty, key, city.market, subject_name="演示", subject_category="法人", subject_code=code,
            document_number=f"{serial}-{number}", item_code="0202", decided_on=day, authority="市生态环境局",
            authority_code="113201000000000000", region_code="320102", violation=f"违法{day}", facts="事实", basis="依据",
            penalty_category="罚款", content="罚款", fine=1,
        )  # fmt: skip
    if license_until:
        fact(
            License, key, city.market, type_code="X" * 18 + "001", title="排污许可证", number=str(serial), holder_name="演示",
            holder_code=code, holder_code_type="001", issuer="市生态环境局", issued_on=date(2020, 1, 1), valid_to=license_until,
            region_code="320102", license_state="01",
        )  # fmt: skip
    return key


def approved(city: City, draft: Draft | str, author: str = "education_operator") -> ThematicDataset:
    """A definition in force, not yet refreshed."""
    given = shipped()[draft] if isinstance(draft, str) else draft
    made = definitions.propose(draft=given, actor=city.actor(author), now=NOW)
    return definitions.approve(uid=made.uid, actor=city.actor("reviewer"), now=NOW)


def refresh(definition: ThematicDataset, now: Any = NOW) -> Any:
    """Refresh once and return what it counted."""
    definition.refresh_from_db()
    queued = refreshing._queue(definition, now)
    assert queued is not None
    refreshing.work(refresh_uid=queued.uid, clock=lambda: now)
    queued.refresh_from_db()
    return queued
