"""A small matter for tests: a mother whose identity comes from the base and whose marriage license replaces the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from basedb.identifiers import generate_citizen_id
from basedb.models import Person
from catalog.models import Binding, DataItem, Resource
from core.audit import Actor
from core.crypto import HmacAlgorithm
from core.ids import uuid7
from core.models import Department
from exchange.calls import admission, quota
from exchange.calls.terms import Caller, Signed
from exchange.matters import definition
from exchange.matters.asking import Ask
from exchange.matters.content import Content, Material, Party
from exchange.models import ConsumerSystem, Grant, Matter
from exchange.subject_keys import subject_key_of
from tests import factories
from tests.basedb.credit_facts import make_fact
from tests.factories import City

BORN = datetime(1990, 3, 4).date()
MOTHER, FATHER, STRANGER = (generate_citizen_id("990101", BORN, serial) for serial in (210, 211, 213))
MARRIAGE, BIRTH = "11100000000013514R001", "11100000000019737U001"
LICENSE_ITEMS = ("type_code", "identifier", "title", "number", "holder_name", "issuer", "issued_on", "valid_to", "face")
PARTIES = (
    Party(role="mother", title="母亲", kind="PERSON"),
    Party(role="father", title="父亲", kind="PERSON", is_required=False),
)
MATERIALS = (
    Material(code="identity", title="母亲身份证明", party="mother", source="DATASET", dataset="population.person",
             items=("name", "sex", "birth_on")),
    Material(code="marriage", title="结婚证", party="mother", source="LICENSE", type_code=MARRIAGE,
             items=("number", "issued_on", "face.登记机关")),
    Material(code="birth", title="出生医学证明", party="mother", source="LICENSE", type_code=BIRTH, items=("number",)),
    Material(code="father_identity", title="父亲身份证明", party="father", source="DATASET", dataset="population.person",
             items=("name",)),
    Material(code="photo", title="照片", party="mother", source="SUBMIT"),
)  # fmt: skip
CONTENT = Content(name="出生一件事", legal_basis="国办函〔2023〕1号", parties=PARTIES, materials=MATERIALS)


@dataclass
class Scene:
    """The cast: a matter in force, a system of the education bureau, resources on people and licenses."""

    city: City
    matter: Matter
    system: ConsumerSystem
    people: Resource
    licenses: Resource

    def grant(self, resource: Resource, fields: Sequence[str], **values: Any) -> Grant:
        user = self.city.people["education_operator"]
        return factories.make_grant(resource, self.system, user, **{"fields": list(fields), "masks": {}} | values)

    def actor(self) -> Actor:
        department = self.system.department
        return Actor(name=self.system.name, department_id=department.pk, department=department.name)

    def signed(self, now: datetime) -> Signed:
        caller = Caller(
            credential_id=0, key="", secret=b"", algorithm=HmacAlgorithm.SM3, is_revoked=False, valid_from=now, valid_to=now,
            system_id=self.system.pk, department_id=self.system.department_id, is_active=True,
        )  # fmt: skip
        uid = uuid7()
        return Signed(
            call_id=str(uid), caller=caller, mode="QUERY", path="", signed_ms=int(now.timestamp() * 1000), nonce=uid.hex,
            digest="0" * 64, client_ip="192.0.2.7",
        )  # fmt: skip


def ask(**values: Any) -> Ask:
    """A good request; what is given replaces its own."""
    usual: dict[str, Any] = {
        "matter": "birth", "case_number": "C-1", "parties": [("mother", MOTHER)], "purpose": "出生登记", "key": "k1",
    }  # fmt: skip
    return Ask(**usual | values)


def make_scene(city: City, now: datetime) -> Scene:
    """Publish the matter, mount people and licenses, start counters afresh."""
    restart_counters()
    matter = publish(city, "birth", CONTENT, now)
    people = mounted(city.police, "population.person", ("name", "sex", "birth_on", "address"))
    licenses = mounted(city.police, "license.license", LICENSE_ITEMS)
    return Scene(city, matter, factories.make_system(city.education), people, licenses)


def restart_counters() -> None:
    """Take away what Redis knows of calls, and start anew."""
    client = admission.client()
    for name in client.scan_iter(admission.key_of("*", "*")):
        client.delete(name)
    quota.rebuild()


def publish(city: City, code: str, content: Content, now: datetime) -> Matter:
    """Draft, submit and approve a matter of the police bureau."""
    operator, reviewer = city.actor("police_operator"), city.actor("reviewer")
    made = definition.draft(code=code, content=content, actor=operator, now=now)
    made = definition.submit(uid=made.uid, revision=made.revision, actor=operator, now=now)
    return definition.decide(uid=made.uid, revision=made.revision, is_approved=True, note="", actor=reviewer, now=now)


def mounted(provider: Department, dataset: str, items: Sequence[str]) -> Resource:
    """Return a published resource on a dataset with these items."""
    resource = factories.make_resource(provider, dataset=dataset)
    resource.items.all().delete()
    DataItem.objects.bulk_create(
        DataItem(resource=resource, position=place, name=name, title=name, data_type="C", grade="L3")
        for place, name in enumerate(items, start=1)
    )
    Binding.objects.filter(resource=resource).update(columns={name: name for name in items})
    return resource


def make_person(department: Department, citizen_id: str, **values: Any) -> Person:
    """Return a woman of the base."""
    usual: dict[str, Any] = {
        "name": "李明月", "sex": "2", "birth_on": BORN, "person_status": "0", "region_code": "320102", "address": "珠江路1号",
    }  # fmt: skip
    return Person.objects.create(
        citizen_id=citizen_id, subject_key=subject_key_of(citizen_id), source_department=department, source_record_id=1, run_id=1,
        **usual | values,
    )  # fmt: skip


def make_license(department: Department, type_code: str, holder: str, **values: Any) -> Any:
    """Return a license of the base."""
    usual: dict[str, Any] = {
        "type_code": type_code, "title": "结婚证", "holder_code": holder, "holder_code_type": "111", "issued_on": "20200101",
        "valid_to": None, "identifier": f"1.2.156.3005.2.{type_code}.{uuid7().hex[:8]}",
    }  # fmt: skip
    made = make_fact("license.license", department, **usual | values)
    type(made).objects.filter(pk=made.pk).update(subject_key=subject_key_of(holder), face={"登记机关": "民政局", "附注": "密"})
    made.refresh_from_db()
    return made


def without(content: Content, code: str) -> Content:
    """Return the content without a material."""
    return replace(content, materials=tuple(one for one in content.materials if one.code != code))
