"""The face of a draft filled in from the base databases: under a grant, with a record, marked, and never against it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Resource
from core.ids import uuid7
from exchange.models import CallRecord, Grant
from licenses.models import HolderKind, IssuingDraft, TypeVersion
from tests import factories
from tests.factories import City
from tests.hotpath.partner import make_person
from tests.licenses.issuing_scene import card_type

pytestmark = pytest.mark.django_db
RULEBOOK = [
    {"name": "first_name", "title": "男方姓名", "source": "population.person.name"},
    {"name": "second_name", "title": "女方姓名", "source": "population.person.name"},
    {"name": "born", "title": "男方出生日期", "kind": "DATE", "source": "population.person.birth_on"},
    {"name": "phone", "title": "联系电话", "source": "population.person.phone"},
    {"name": "place", "title": "登记地点"},
]


@pytest.fixture
def version(city: City) -> TypeVersion:
    return card_type(city, holder_kind=HolderKind.PERSON, holders_at_most=2, rulebook=RULEBOOK)


@pytest.fixture
def operator(city: City, client: Client) -> Client:
    client.force_login(city.people["market_operator"])
    return client


def resource_of(city: City) -> Resource:
    made = factories.make_resource(city.police)
    made.binding.columns = {name: name for name in ("citizen_id", "name", "birth_on", "phone")}
    made.binding.save()
    return made


def granted(city: City, resource: Resource, **values: Any) -> Grant:
    fields = {"fields": ["name", "birth_on", "phone"], "masks": {"phone": "PHONE"}, "purpose": "婚姻登记办证核验"}
    return factories.make_grant(resource, factories.make_system(city.market), city.people["market_operator"], **fields | values)


def press(operator: Client, version: TypeVersion, *codes: str, **typed: str) -> Any:
    given = {f"holder_{number}_code": code for number, code in enumerate(codes, start=1)}
    given |= {"submission": uuid7().hex, "action": "prefill", "holder_1_name": "张三", "region_code": "320102"}
    return operator.post(reverse("portal:license-draft-new", args=[version.code]), given | typed)


def test_items_with_a_source_are_filled_in_holder_by_holder_and_marked(city: City, operator: Client, version: TypeVersion) -> None:
    grant = granted(city, resource_of(city))
    husband, wife = make_person(city.police, 11, name="张三"), make_person(city.police, 12, name="李四")
    assert "从基础库预填照面" in operator.get(reverse("portal:license-draft-new", args=[version.code])).content.decode()
    answer = press(operator, version, husband.citizen_id, wife.citizen_id, face_place="玄武区")
    assert answer.status_code == 200
    form = answer.context["form"]
    assert [form[f"face_{name}"].value() for name in ("first_name", "second_name", "born")] == ["张三", "李四", "1980-05-17"]
    assert form["face_place"].value() == "玄武区"
    assert not form["face_phone"].value()  # masked in the grant: nothing half hidden stands on a license
    page = answer.content.decode()
    assert "婚姻登记办证核验" in page
    assert "“联系电话”不在授权的信息项之内" in page
    assert IssuingDraft.objects.count() == 0
    records = CallRecord.objects.filter(grant_id=grant.pk, outcome="call.answered")
    officer = f"user-{city.people['market_operator'].pk}"
    assert {(one.credential_id, one.officer, bytes(one.subject_key or b"")) for one in records} == {
        (0, officer, bytes(husband.subject_key)), (0, officer, bytes(wife.subject_key)),
    }  # fmt: skip


def test_without_a_grant_a_code_or_a_hit_nothing_is_filled_in_and_the_page_says_why(
    city: City, operator: Client, version: TypeVersion
) -> None:
    person = make_person(city.police, 11)
    assert "没有“" in press(operator, version, person.citizen_id).content.decode()
    assert CallRecord.objects.count() == 0
    assert "请先填写持证主体代码" in press(operator, version).content.decode()
    assert "持证主体代码有误" in press(operator, version, "320102198001010000").content.decode()
    granted(city, resource_of(city), region_prefix="320104")
    assert "授权范围内没有查到持证主体" in press(operator, version, person.citizen_id).content.decode()


def test_a_type_without_sources_has_no_button(city: City, operator: Client) -> None:
    plain = card_type(city)
    assert "从基础库预填照面" not in operator.get(reverse("portal:license-draft-new", args=[plain.code])).content.decode()
