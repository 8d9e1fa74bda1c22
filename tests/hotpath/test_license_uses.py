"""Ordinary calls on licenses are told to their holder, their issuer and the centre, beside what was presented; to nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from basedb.models import License, Person
from catalog.models import Binding, Resource
from exchange.license_statistics import measuring, reading
from exchange.license_uses import calls, lists
from exchange.license_uses.lists import Line
from exchange.models import Grant, Matter
from licenses.models import LicenseUse
from tests.hotpath.partner import Partner, make_partner, make_person
from tests.hotpath.scene import Scene
from tests.licenses import presented
from tests.licenses.presented import ITEMS, TYPE, answer, enter_person, new_code, read, scan

_sequences = iter(range(101, 900, 2))
FIELDS = ["title", "number", "holder_name"]


@dataclass
class Street:
    """Two holders, each with a license the market bureau issued; a system of the education bureau with a grant."""

    people: tuple[Person, Person]
    licenses: tuple[License, License]
    partner: Partner
    grant: Grant

    def query(self, *people: Person, **more: Any) -> Any:
        asked = [{"holder_code": person.citizen_id} for person in people]
        body = {"key": asked[0]} if len(people) == 1 else {"keys": asked}
        reply = self.partner.call(self.grant, "query", body | more)
        assert reply.status == 200, reply.body
        return reply


def lines_of(person: Person, **more: Any) -> list[Line]:
    return lists.of_holder(subject_key=bytes(person.subject_key), now=datetime.now(tz=UTC), **more).items


@pytest.fixture(scope="module")
def listed(scene: Scene) -> Resource:
    presented.make_type(scene.city.market)
    made = presented.make_resource(scene.city.market)
    columns = {name: name for name in [*presented.COLUMNS, "type_code"]}
    Binding.objects.filter(resource=made).update(columns=columns)
    return made


@pytest.fixture
def street(scene: Scene, listed: Resource) -> Street:
    first, second = (make_person(scene.city.police, next(_sequences), name=name) for name in ("王小明", "赵小红"))
    issuer = {"issuer": scene.city.market.name, "issuer_code": scene.city.market.code}
    held = tuple(presented.make_license(scene.city.market, person, **issuer) for person in (first, second))
    partner = make_partner(scene.city.education)
    clerk = scene.city.people["education_operator"]
    grant = presented.make_grant(listed, partner.system, clerk, fields=FIELDS, purpose="义务教育入学资格审核")
    return Street((first, second), (held[0], held[1]), partner, grant)


def test_a_query_is_told_to_its_holder_with_department_purpose_items_and_time(street: Street, scene: Scene) -> None:
    before = datetime.now(tz=UTC)
    street.query(street.people[0], context={"matter": "ENROLLMENT"})
    [line] = lines_of(street.people[0])
    assert (line.department, line.channel, line.purpose, line.matter) == (
        scene.city.education.name, "共享查询", "义务教育入学资格审核", "ENROLLMENT",
    )  # fmt: skip
    assert (line.is_call, line.is_found, line.types, len(line.items)) == (True, True, [], len(FIELDS))
    assert abs((line.at - before).total_seconds()) < 60
    assert lines_of(street.people[1]) == []
    assert not LicenseUse.objects.filter(subject_key=street.people[0].subject_key).exists()


def test_a_matter_of_the_list_is_told_by_its_name_and_not_by_a_draft_s(street: Street, scene: Scene) -> None:
    told = {"code": "ENROLLMENT", "legal_basis": "《义务教育法》第十二条", "department": scene.city.education}
    Matter.objects.create(number=1, name="入学一件事", state="PUBLISHED", published_at=datetime.now(tz=UTC), **told)
    Matter.objects.create(number=2, name="入学转学一件事", state="DRAFT", **told)
    street.query(street.people[0], context={"matter": "ENROLLMENT"})
    assert [line.matter for line in lines_of(street.people[0])] == ["入学一件事"]


def test_calls_with_many_keys_are_told_to_everyone_they_named_and_misses_are_told_as_such(street: Street, scene: Scene) -> None:
    street.query(*street.people)
    assert [[line.is_found for line in lines_of(person)] for person in street.people] == [[None], [None]]
    nobody = make_person(scene.city.police, next(_sequences), name="孙无证")
    street.query(nobody)
    assert [line.is_found for line in lines_of(nobody)] == [False]


def test_what_was_presented_is_told_once(street: Street) -> None:
    person = street.people[0]
    street.grant.fields = presented.COLUMNS
    street.grant.version += 1
    street.grant.save()
    token = enter_person(person, datetime.now(tz=UTC))
    code, uid = new_code(token)
    assert scan(street.partner, street.grant, code).status == 201
    answer(token, uid)
    assert read(street.partner, street.grant, uid).status == 200
    street.query(person)
    told = lines_of(person)
    assert [(line.is_call, line.channel) for line in told] == [(True, "共享查询"), (False, "亮证")]
    assert len(told[1].items) == len(ITEMS)


def test_pages_go_on_where_both_lists_stopped(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    monkeypatch.setattr(calls, "LOOKED_AT", 3)
    person = street.people[0]
    use = {"identifier": "1.2.3", "type_code": TYPE, "subject_key": person.subject_key, "channel": "COPY", "items": ["title"]}
    made = []
    for turn in range(7):
        if turn % 3:
            made.append(str(street.query(person).json["call_id"]))
        else:
            LicenseUse.objects.create(**use, matter=f"m{turn}", at=datetime.now(tz=UTC))
            made.append(f"m{turn}")
    shown, cursor = [], ""
    while True:
        page = lists.of_holder(subject_key=bytes(person.subject_key), now=datetime.now(tz=UTC), cursor=cursor)
        shown += [str(line.call_id) if line.is_call else line.matter for line in page.items]
        assert all(line.items == ["证照名称"] for line in page.items if not line.is_call)
        cursor = page.next
        if not cursor:
            break
    assert shown == made[::-1]


def test_the_issuer_sees_calls_about_its_holders_and_no_others(street: Street, scene: Scene) -> None:
    reply = street.query(street.people[0])
    now = datetime.now(tz=UTC)
    of_market = lists.of_department(actor=scene.city.actor("market_operator"), now=now).items
    assert str(of_market[0].call_id) == reply.json["call_id"]
    assert lists.of_department(actor=scene.city.actor("police_operator"), now=now, channel=lists.CALLS).items == []
    every = lists.of_department(actor=scene.city.actor("reviewer"), now=now, channel=lists.CALLS).items
    assert str(every[0].call_id) == reply.json["call_id"]
    assert lists.of_department(actor=scene.city.actor("reviewer"), now=now, channel="RECOGNIZED").items == []


def test_a_grant_limited_to_a_type_is_told_and_counted_under_it(street: Street, scene: Scene) -> None:
    street.grant.row_filter = [{"kind": "list", "item": "type_code", "values": [TYPE]}]
    street.grant.version += 1
    street.grant.save()
    street.query(street.people[0])
    street.query(*street.people)
    assert [len(line.types) for line in lines_of(street.people[0])] == [1, 1]
    before = {used.key: used.count for used in reading.used("channel", type_code=TYPE)}
    measuring.measure(now=datetime.now(tz=UTC))
    used = {used.key: used.count for used in reading.used("channel", type_code=TYPE)}
    assert used["CALL_QUERY"] - before.get("CALL_QUERY", 0) == 2


def test_the_pages_of_holder_and_issuer_show_the_call(street: Street, scene: Scene, client: Client) -> None:
    street.query(street.people[0])
    phone = Client()
    phone.cookies["holder_session"] = enter_person(street.people[0], datetime.now(tz=UTC))
    page = phone.get(reverse("portal:holder-uses")).content.decode()
    assert scene.city.education.name in page
    assert "义务教育入学资格审核" in page
    assert "共享查询" in page
    client.force_login(scene.city.people["market_operator"])
    shown = client.get(reverse("portal:license-use-list"))
    assert shown.status_code == 200
    assert escape("义务教育入学资格审核") in shown.content.decode()
    assert "王小明" not in shown.content.decode()
