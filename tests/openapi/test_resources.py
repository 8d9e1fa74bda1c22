"""The catalogue at the door for systems."""

import pytest
from django.test import Client

from catalog import search
from tests.factories import City, make_resource

LIST = "/openapi/v1/resources"


@pytest.fixture
def reader(client: Client, city: City) -> Client:
    client.force_login(city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_anonymous_callers_get_401(client: Client, db: None) -> None:
    assert client.get(LIST).status_code == 401


def test_search_pages_through_everything_once(reader: Client, city: City) -> None:
    for number in range(5):
        search.index(make_resource(city.police, title=f"户籍信息{number}"))
    found, after = [], ""
    while True:
        body = reader.get(LIST, {"q": "户籍", "limit": 2, "after": after}).json()
        found += [item["title"] for item in body["items"]]
        after = body["next"]
        if after is None:
            break
    assert sorted(found) == [f"户籍信息{number}" for number in range(5)]


@pytest.mark.parametrize(
    "query", ["grade=L9", "unknown=1", "limit=0", "limit=x", "provider=x", "after=x", "q=" + "x" * 101, "q=%00"]
)
def test_wrong_parameters_are_named(reader: Client, query: str) -> None:
    answer = reader.get(f"{LIST}?{query}")
    assert answer.status_code == 422
    assert query.split("=", maxsplit=1)[0] in answer.json()["details"]


def test_an_entry_shows_its_items_and_a_foreign_draft_does_not_exist(reader: Client, city: City) -> None:
    resource = make_resource(city.police)
    body = reader.get(f"{LIST}/{resource.uid}").json()
    assert [item["name"] for item in body["items"]] == ["citizen_id", "name", "sex", "address"]
    assert body["is_mounted"] is True
    draft = make_resource(city.police, published=False)
    answer = reader.get(f"{LIST}/{draft.uid}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "resource.not_found"
