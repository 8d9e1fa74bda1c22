"""License types over REST: lists by pages, one type with its face, the uses in force; bad parameters are refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.test import Client

from licenses.types import entrusting, uses
from licenses.types.publishing import today
from tests.factories import City
from tests.licenses.types_scene import draft_type, load_shipped, next_version, proposed_use, published_type

PATH = "/openapi/v1/license-types"


def signed_in(city: City, name: str) -> Client:
    client = Client()
    client.force_login(city.people[name])
    return client


def test_types_are_listed_page_by_page(city: City, now: datetime) -> None:
    load_shipped(city.centre, now)
    client, codes, after = signed_in(city, "market_operator"), [], ""
    while True:
        answer = client.get(PATH, {"limit": 40, "after": after}).json()
        codes += [item["code"] for item in answer["items"]]
        after = answer["next"]
        if after is None:
            break
    assert len(codes) == len(set(codes)) == 85
    assert codes == sorted(codes)
    found = client.get(PATH, {"standing": "LAID_OUT", "q": "不动产"}).json()["items"]
    assert {item["name"] for item in found} == {"不动产权证书", "不动产登记证明"}
    for wrong in ({"standing": "x"}, {"colour": "red"}, {"after": "x"}, {"limit": "0"}):
        assert client.get(PATH, wrong).status_code == 422, wrong


def test_a_type_is_answered_with_its_face_in_the_version_asked_for(city: City, now: datetime) -> None:
    first = published_type(city, now)
    next_version(city, first.code, now, days=3)
    client = signed_in(city, "education_operator")
    answer = client.get(f"{PATH}/{first.code}").json()
    assert (answer["number"], answer["license_type_state"], answer["effective_from"]) == (1, "PUBLISHED", today(now).isoformat())
    assert answer["rulebook"][0] == {
        "name": "name", "title": "姓名", "item_kind": "TEXT", "length": 50, "required": True, "codes": "", "choices": [],
        "grade": "L2", "mask": "NAME", "source": "population.person.name",
    }  # fmt: skip
    assert answer["layout"]["width"] == 100
    later = client.get(f"{PATH}/{first.code}", {"number": 2}).json()
    assert later["effective_from"] == (today(now) + timedelta(days=3)).isoformat()
    assert client.get(f"{PATH}/{first.code}", {"number": 3}).status_code == 404
    assert client.get(f"{PATH}/{draft_type(city, now).code}").status_code == 404


def test_only_uses_in_force_are_answered(city: City, now: datetime) -> None:
    version = published_type(city, now)
    use = proposed_use(city, version, now)
    proposed_use(city, version, now, matter="别的")
    client = signed_in(city, "education_operator")
    assert client.get(f"{PATH[:-1]}-uses").json()["items"] == []
    uses.publish(uid=use.uid, actor=city.actor("police_head"), now=now)
    answer = client.get(f"{PATH[:-1]}-uses", {"code": version.code, "matter": "资格核验"}).json()["items"]
    assert [(one["items"], one["department"]["name"]) for one in answer] == [(["name", "level"], "市公安局")]
    before = (today(now) - timedelta(days=1)).isoformat()
    assert client.get(f"{PATH[:-1]}-uses", {"on": before}).json()["items"] == []
    assert client.get(f"{PATH[:-1]}-uses", {"code": "short"}).status_code == 422


def test_the_offices_of_a_type_are_answered_for_a_day(city: City, now: datetime) -> None:
    version, earlier = published_type(city, now), now - timedelta(days=9)
    head, operator = city.actor("police_head"), city.actor("police_operator")
    given = {"type_code": version.code, "basis": "《试验条例》第二条", "actor": operator}
    open_one = entrusting.propose(**given, department=city.market.uid, now=now)
    client = signed_in(city, "education_operator")
    offices = "/openapi/v1/license-type-offices"
    assert client.get(offices).json() == {"items": [], "next": None}
    entrusting.confirm(uid=open_one.uid, actor=head, now=now)
    ended = entrusting.propose(**given, department=city.education.uid, now=now)
    entrusting.confirm(uid=ended.uid, actor=head, now=earlier)
    entrusting.end(uid=ended.uid, reason="收回", actor=head, now=now - timedelta(days=5))
    (item,) = client.get(offices, {"code": version.code}).json()["items"]
    assert (item["department"]["code"], item["region_code"], item["basis"]) == (city.market.code, "3201", given["basis"])
    assert (item["effective_from"], item["effective_to"]) == (today(now).isoformat(), None)
    then = client.get(offices, {"on": (today(now) - timedelta(days=7)).isoformat()}).json()["items"]
    assert [one["department"]["code"] for one in then] == [city.education.code]
    assert client.get(offices, {"code": "x"}).status_code == 422
    assert client.get(f"{PATH}/{version.code}").json()["is_repeatable"] is False
