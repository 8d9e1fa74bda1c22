"""The catalogue for harvesters: DCAT that a machine can read on its own, walked to the end, and nothing the catalogue hides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import jsonschema
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Binding, DataItem, Resource, ResourceVersion, ShareAttribute, UpdateCycle
from core.models import User
from openapi.dcat import ACCESS_RIGHTS, FREQUENCIES
from openapi.dcat_schema import CATALOG
from tests import factories
from tests.hotpath.refused import now
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]

URL = "/openapi/v1/catalog.jsonld"
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
XSD = "http://www.w3.org/2001/XMLSchema#"
EU = "http://publications.europa.eu/resource/authority"
MOST_QUERIES = 9


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reader(scene: Scene) -> Client:
    return signed_in(scene.city.people["education_operator"])


def read(client: Client, url: str = URL) -> dict[str, Any]:
    answer = client.get(url, headers={"Accept": "application/ld+json"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/ld+json"
    told: dict[str, Any] = answer.json()
    jsonschema.validate(told, CATALOG, format_checker=jsonschema.FormatChecker())
    return told


def pages(client: Client, **asked: Any) -> Iterator[dict[str, Any]]:
    url = f"{URL}?{urlencode(asked)}"
    while url:
        told = read(client, url)
        yield told
        following = urlsplit(told["view"].get("next", ""))
        url = f"{following.path}?{following.query}" if following.path else ""


def entry_of(client: Client, resource: Resource) -> dict[str, Any]:
    """Return the expanded dataset of a resource out of the whole walk."""
    found = [one for told in pages(client, limit=500) for one in expanded(told)[f"{DCAT}dataset"]]
    matching: list[dict[str, Any]] = [one for one in found if one[f"{DCT}identifier"] == [{"@value": resource.code}]]
    assert len(matching) == 1
    return matching[0]


def expanded(document: dict[str, Any]) -> dict[str, Any]:
    """Expand by the inline context as JSON-LD 1.1 does; a key or prefix the context does not know is an error, not dropped."""
    context = document["@context"]

    def iri(short: str) -> str:
        prefix, colon, rest = short.partition(":")
        if prefix in context and colon:
            return f"{context[prefix]}{rest}"
        assert prefix in ("http", "https", "urn"), short
        return short

    def value(given: Any, term: dict[str, str]) -> list[Any]:
        if term.get("@container") == "@language":
            texts = [(tag, text) for tag, some in given.items() for text in (some if isinstance(some, list) else [some])]
            return [{"@value": text, "@language": tag} for tag, text in texts]
        members = [one for inner in (given if isinstance(given, list) else [given]) for one in single(inner, term)]
        return [{"@list": members}] if term.get("@container") == "@list" else members

    def single(given: Any, term: dict[str, str]) -> list[Any]:
        if isinstance(given, dict):
            return [node(given)]
        if term.get("@type") == "@id":
            return [{"@id": iri(given)}]
        return [{"@value": given} | ({"@type": iri(term["@type"])} if "@type" in term else {})]

    def node(given: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, inner in given.items():
            if context.get(name) == "@id":
                told["@id"] = iri(inner)
            elif context.get(name) == "@type":
                told["@type"] = [iri(one) for one in (inner if isinstance(inner, list) else [inner])]
            elif name != "@context":
                term = context[name] if isinstance(context[name], dict) else {"@id": context[name]}
                told[iri(term["@id"])] = value(inner, term)
        return told

    return node(document)


def test_an_entry_is_a_dataset_with_its_publisher_rights_cycle_place_and_service(scene: Scene, reader: Client) -> None:
    resource, police = scene.resource, scene.city.police
    Resource.objects.filter(pk=resource.pk).update(keywords="户籍、人口 常住")
    DataItem.objects.filter(resource=resource, name="sex").update(standard="GB/T 2261.1")
    ResourceVersion.objects.create(resource=resource, version=1, snapshot={}, published_at=now() - timedelta(days=30))
    entry = entry_of(reader, resource)
    address = f"{settings.PUBLIC_URL}/openapi/v1/resources/{resource.uid}"
    assert (entry["@id"], entry["@type"]) == (address, [f"{DCAT}Dataset"])
    assert entry[f"{DCT}title"] == [{"@value": resource.title, "@language": "zh"}]
    assert [one["@value"] for one in entry[f"{DCAT}keyword"]] == ["户籍", "人口", "常住"]
    (publisher,) = entry[f"{DCT}publisher"]
    assert publisher["@type"] == ["http://xmlns.com/foaf/0.1/Agent", "http://www.w3.org/ns/org#Organization"]
    assert (publisher["@id"], publisher[f"{DCT}identifier"]) == (f"urn:uuid:{police.uid}", [{"@value": police.code}])
    assert entry[f"{DCT}accrualPeriodicity"] == [{"@id": f"{EU}/frequency/DAILY", "@type": [f"{DCT}Frequency"]}]
    assert entry[f"{DCT}accessRights"] == [{"@id": f"{EU}/access-right/RESTRICTED", "@type": [f"{DCT}RightsStatement"]}]
    assert entry[f"{DCT}rights"][0][f"{DCT}description"] == [{"@value": "依法履职需要", "@language": "zh"}]
    assert entry[f"{DCT}spatial"][0][f"{DCT}identifier"] == [{"@value": resource.region.code}]
    (issued,), (modified,) = entry[f"{DCT}issued"], entry[f"{DCT}modified"]
    assert issued["@type"] == modified["@type"] == f"{XSD}dateTime"
    assert issued["@value"] < modified["@value"]
    (columns,) = entry[f"{DCT}conformsTo"][0]["http://www.w3.org/ns/csvw#column"]
    assert [one["http://www.w3.org/ns/csvw#name"][0]["@value"] for one in columns["@list"]][:3] == ["citizen_id", "name", "sex"]
    assert columns["@list"][2][f"{DCT}conformsTo"][0][f"{DCT}identifier"] == [{"@value": "GB/T 2261.1"}]
    assert columns["@list"][0]["http://www.w3.org/ns/csvw#datatype"] == [{"@id": f"{XSD}string"}]
    services = [one for told in pages(reader) for one in expanded(told)[f"{DCAT}service"]]
    (service,) = [one for one in services if one[f"{DCAT}servesDataset"] == [{"@id": address}]]
    assert entry[f"{DCAT}distribution"][0][f"{DCAT}accessService"] == [{"@id": service["@id"]}]
    described = urlsplit(service[f"{DCAT}endpointDescription"][0]["@id"])
    assert reader.get(f"{described.path}?{described.query}").status_code == 200


def test_the_document_is_a_catalogue_and_a_view_of_a_collection_and_fetches_nothing(reader: Client) -> None:
    told = read(reader, f"{URL}?limit=1")
    assert all(isinstance(term, dict) or ":" in term or term.startswith("@") for term in told["@context"].values())
    whole = expanded(told)
    assert whole["@type"] == [f"{DCAT}Catalog", f"{HYDRA}Collection"]
    assert {one["@language"] for one in whole[f"{DCT}title"]} == {"zh", "en"}
    assert whole[f"{DCT}publisher"][0][f"{DCT}identifier"]
    (view,) = whole[f"{HYDRA}view"]
    assert view["@type"] == [f"{HYDRA}PartialCollectionView"]
    assert whole[f"{HYDRA}totalItems"] == [{"@value": Resource.objects.published().count(), "@type": f"{XSD}integer"}]


def test_every_cycle_and_share_attribute_has_its_term() -> None:
    assert set(FREQUENCIES) == set(UpdateCycle.values)
    assert set(ACCESS_RIGHTS) == set(ShareAttribute.values)


def test_a_withheld_entry_is_listed_with_its_basis_and_without_a_way_to_call_it(scene: Scene, reader: Client) -> None:
    withheld = factories.make_resource(scene.city.police, share_attribute="WITHHELD", withheld_basis="依法不予共享")
    entry = entry_of(reader, withheld)
    assert entry[f"{DCT}accessRights"][0]["@id"] == f"{EU}/access-right/NON_PUBLIC"
    assert entry[f"{DCT}rights"][0][f"{DCT}description"][0]["@value"] == "依法不予共享"
    assert f"{DCAT}distribution" not in entry
    services = [one["identifier"] for told in pages(reader) for one in told["service"]]
    assert withheld.code not in services


def test_an_unmounted_entry_has_no_service_and_counts_as_changed_once_it_is_mounted(scene: Scene, reader: Client) -> None:
    entry = factories.make_resource(scene.city.police, published_at=now() - timedelta(days=9))
    Binding.objects.filter(resource=entry).delete()
    assert f"{DCAT}distribution" not in entry_of(reader, entry)
    since = now() - timedelta(days=1)
    assert entry.code not in [one["identifier"] for told in pages(reader, modified_since=since) for one in told["dataset"]]
    Binding.objects.create(resource=entry, dataset="population.person", columns={}, mounted_at=now())
    assert f"{DCAT}distribution" in entry_of(reader, entry)
    assert entry.code in [one["identifier"] for told in pages(reader, modified_since=since) for one in told["dataset"]]


def test_nothing_the_catalogue_hides_is_told(scene: Scene, reader: Client) -> None:
    hidden: dict[str, Any] = {"secrecy_assessment": "内部评估意见甲", "personal_information_assessment": "内部评估意见乙"}
    shown = factories.make_resource(scene.city.police, drafted_by=scene.city.people["police_operator"], **hidden)
    Binding.objects.filter(resource=shown).update(columns={"name": "secret_column"})
    drafts = [factories.make_resource(scene.city.police, published=False, title="未发布的草稿")]
    drafts += [factories.make_resource(scene.city.police, state="WITHDRAWN", title="已经下线的目录")]
    for who in ("police_operator", "reviewer"):
        client = signed_in(scene.city.people[who])
        told = json.dumps(list(pages(client, limit=500)), ensure_ascii=False)
        assert str(shown.uid) in told
        people = [scene.city.people["police_operator"].username, scene.partner.system.name, str(scene.grant().uid)]
        for text in (*hidden.values(), *(draft.title for draft in drafts), *people, "secret_column", "population.person"):
            assert text not in told


def test_systems_that_sign_read_it_and_strangers_do_not(scene: Scene) -> None:
    url = f"{URL}?limit=1"
    signed = Client().get(url, headers=scene.partner.headers(url, b"", method="GET"))
    assert signed.status_code == 200, signed.content
    assert len(signed.json()["dataset"]) == 1
    other = Client().get(URL, headers=scene.partner.headers(url, b"", method="GET"))
    assert (other.status_code, other.json()["code"]) == (401, "auth.bad_signature")
    nobody = Client().get(URL)
    assert (nobody.status_code, nobody.json()["code"], nobody["Content-Type"]) == (
        401,
        "account.sign_in_required",
        "application/json; charset=utf-8",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modified_since", "yesterday"),
        ("modified_since", ""),
        ("modified_since", "2026-13-01T00:00:00Z"),
        ("modified_since", "2026-01-01T00:00:00 08:00"),
        ("modified_since", "9999-12-31T23:59:59-12:00"),
        ("limit", "501"),
        ("limit", "0"),
        ("after", "made-up"),
        ("page", "2"),
    ],
)
def test_a_wrong_parameter_is_named(reader: Client, name: str, value: str) -> None:
    answer = reader.get(URL, {name: value})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["details"]) == [name]


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "2026-01-01", "2026-01-01T08:00:00", "2026-01-01T00:00:00.5+08:00"])
def test_moments_of_iso_8601_are_understood(reader: Client, since: str) -> None:
    assert read(reader, f"{URL}?{urlencode({'modified_since': since})}")["totalItems"] >= 1


def test_five_thousand_entries_are_walked_once_each_in_constant_queries(scene: Scene, reader: Client) -> None:
    provider, at = scene.city.market, now()
    shared: dict[str, Any] = {
        "provider": provider,
        "region": provider.region,
        "classification": "101001",
        "update_cycle": "DAILY",
        "share_attribute": "UNCONDITIONAL",
        "sharing_modes": ["QUERY"],
        "grade": "L2",
        "state": "PUBLISHED",
        "version": 1,
    }
    entries = [
        Resource(title=f"目录{number}", code=f"900002/{number:06d}", published_at=at - timedelta(hours=number), **shared)
        for number in range(5_000)
    ]
    Resource.objects.bulk_create(entries)
    item: dict[str, Any] = {"position": 1, "name": "name", "title": "名称", "data_type": "C", "grade": "L2"}
    DataItem.objects.bulk_create([DataItem(resource=entry, **item) for entry in entries])
    Binding.objects.bulk_create(
        [Binding(resource=entry, dataset="x.y", mounted_at=at - timedelta(days=999)) for entry in entries[::2]]
    )
    read(reader, f"{URL}?limit=1")
    for size in (1, 500):
        with CaptureQueriesContext(connection) as asked:
            read(reader, f"{URL}?limit={size}")
        assert len(asked) <= MOST_QUERIES, [one["sql"][:120] for one in asked]
    found = [one["identifier"] for told in pages(reader, limit=500) for one in told["dataset"]]
    assert len(found) == len(set(found)) == Resource.objects.published().count() >= 5_000
    recent = list(pages(reader, limit=500, modified_since=at - timedelta(hours=999, minutes=30)))
    codes = {one["identifier"] for told in recent for one in told["dataset"] if one["identifier"].startswith("900002/")}
    assert codes == {entry.code for entry in entries[:1_000]}
    assert {told["totalItems"] for told in recent} == {sum(len(told["dataset"]) for told in recent)}
    Resource.objects.filter(code__startswith="900002/").delete()
