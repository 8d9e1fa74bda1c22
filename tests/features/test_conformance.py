"""The abstract tests of what the service claims to conform to, by the names the standards give them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from exchange.features.documents import CONFORMANCE
from exchange.models import Grant
from tests.features.scene import Scene

ROOT = "/openapi/v1/ogc"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CGCS2000 = "http://www.opengis.net/def/crs/EPSG/0/4490"


@pytest.fixture(scope="module")
def grant(scene: Scene) -> Grant:
    return scene.grant()


@pytest.fixture
def browser(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.city.people["police_operator"])
    return client


def read(client: Client, path: str, **parameters: str) -> dict[str, Any]:
    reply = client.get(path, parameters)
    assert reply.status_code == 200, reply.content
    told: dict[str, Any] = json.loads(reply.content)
    return told


def test_core_root_op_and_success() -> None:
    told = read(Client(), f"{ROOT}/")
    rels = {link["rel"] for link in told["links"]}
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= rels
    for link in told["links"]:
        if link["rel"] != "data":
            assert Client().get(link["href"]).status_code == 200


def test_core_conformance_names_every_class_once() -> None:
    told = read(Client(), f"{ROOT}/conformance")
    assert told["conformsTo"] == list(dict.fromkeys(CONFORMANCE))


def test_oas30_definition_is_complete_in_itself() -> None:
    reply = Client().get(f"{ROOT}/api")
    assert reply["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    told = json.loads(reply.content)
    assert told["openapi"].startswith("3.0")

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            return [value for name, value in node.items() if name == "$ref"] + [r for v in node.values() for r in references(v)]
        return [r for v in node for r in references(v)] if isinstance(node, list) else []

    found = references(told)
    assert found
    for reference in found:
        _, _, part, name = reference.split("/")
        assert reference.startswith("#/components/"), reference
        assert name in told["components"][part]


def test_core_collections_and_collection_list_what_may_be_read(scene: Scene, browser: Client) -> None:
    told = read(browser, f"{ROOT}/collections")
    assert {one["title"] for one in told["collections"]} == {scene.parcels.title, scene.addresses.title, scene.zones.title}
    for one in told["collections"]:
        assert read(browser, f"{ROOT}/collections/{one['id']}") == one
        assert {"self", "items"} <= {link["rel"] for link in one["links"]}
        assert one["crs"][0] == CRS84
        assert one["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4490"


def test_a_system_reads_the_documents_of_the_layers_it_was_granted(scene: Scene, grant: Grant) -> None:
    path = f"{ROOT}/collections/{grant.uid}/queryables"
    headers = scene.partner.headers(path, b"", method="GET")
    reply = Client().get(path, headers=headers)
    assert reply.status_code == 200, reply.content
    assert set(json.loads(reply.content)["properties"]) == set(grant.fields)
    other = f"{ROOT}/collections/{scene.parcels.uid}"
    assert Client().get(other, headers=scene.partner.headers(other, b"", method="GET")).status_code == 404


BAD = {
    "core: query-param-unknown": ({"foo": "bar"}, "foo"),
    "core: query-param-invalid, limit nought": ({"limit": "0"}, "limit"),
    "core: query-param-invalid, limit negative": ({"limit": "-1"}, "limit"),
    "core: query-param-invalid, limit no number": ({"limit": "ten"}, "limit"),
    "core: query-param-invalid, limit in other digits": ({"limit": "１"}, "limit"),
    "core: bbox of three numbers": ({"bbox": "1,2,3"}, "bbox"),
    "core: bbox of words": ({"bbox": "a,b,c,d"}, "bbox"),
    "core: bbox with nan": ({"bbox": "nan,1,2,3"}, "bbox"),
    "core: bbox upside down": ({"bbox": "118,33,119,32"}, "bbox"),
    "core: bbox off the globe": ({"bbox": "118,32,119,95"}, "bbox"),
    "core: datetime of a word": ({"datetime": "zzz"}, "datetime"),
    "core: datetime of no day": ({"datetime": "2026-02-30"}, "datetime"),
    "core: datetime open on both sides": ({"datetime": "../.."}, "datetime"),
    "core: datetime backwards": ({"datetime": "2026-02-02/2026-01-01"}, "datetime"),
    "core: datetime of three": ({"datetime": "2026-01-01/2026-01-02/2026-01-03"}, "datetime"),
    "crs: crs-uri not in the list": ({"crs": "http://www.opengis.net/def/crs/EPSG/0/3857"}, "crs"),
    "crs: bbox-crs not in the list": ({"bbox-crs": "EPSG:4490"}, "bbox-crs"),
    "filter: filter-lang not offered": ({"filter-lang": "cql2-json"}, "filter-lang"),
    "paging: a key of nobody": ({"after": "xyz"}, "after"),
    "queryables: a number that is none": ({"area": "many"}, "area"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_parameters_are_refused_by_name(scene: Scene, grant: Grant, browser: Client, name: str) -> None:
    asked, told = BAD[name]
    reply = scene.get(grant, **asked)
    assert reply.status == 400, reply.body
    assert list(reply.json["details"]) == [told]
    assert not any(value in reply.body.decode() for value in asked.values() if len(value) > 4)
    by_hand = browser.get(f"{ROOT}/collections/{scene.parcels.uid}/items", asked)
    assert by_hand.status_code == 400
    assert json.loads(by_hand.content)["details"] == reply.json["details"]


def test_core_query_param_unknown_holds_for_every_document(scene: Scene, browser: Client) -> None:
    layer = f"{ROOT}/collections/{scene.parcels.uid}"
    paths = [
        f"{ROOT}/",
        f"{ROOT}/conformance",
        f"{ROOT}/api",
        f"{ROOT}/collections",
        layer,
        f"{layer}/queryables",
        f"{layer}/tiles",
    ]
    for path in [*paths, f"{layer}/tiles/WebMercatorQuad", f"{layer}/tiles/WebMercatorQuad/14/6643/13598"]:
        reply = browser.get(path, {"foo": "bar"})
        assert (reply.status_code, json.loads(reply.content)["code"]) == (400, "features.unknown_parameter"), path


def test_core_a_parameter_stands_once(scene: Scene, grant: Grant) -> None:
    reply = scene.follow(f"{ROOT}/collections/{grant.uid}/items", "limit=1&limit=2")
    assert (reply.status, reply.json["details"]) == (400, {"limit": "stands_twice"})


def test_core_fc_limit_above_the_most_is_the_most(scene: Scene, grant: Grant) -> None:
    assert scene.get(grant, limit="100000").json["numberReturned"] == 800


def test_core_fc_bbox_across_the_antimeridian(scene: Scene, grant: Grant) -> None:
    assert scene.get(grant, bbox="170,-10,-170,10").json["numberReturned"] == 0
    assert scene.get(grant, bbox="118.7,32,0,118.8,32.1,10", limit="1").json["numberReturned"] == 1
    assert scene.get(grant, bbox="118.7,31,-170,33", limit="1").json["numberReturned"] == 1


def test_core_fc_response_has_links_time_and_numbers(scene: Scene, grant: Grant) -> None:
    told = scene.get(grant, limit="2").json
    assert {"self", "next", "collection"} == {link["rel"] for link in told["links"]}
    assert told["numberReturned"] == 2
    assert "numberMatched" not in told
    assert told["timeStamp"].endswith("Z")


def test_crs_of_the_collections_is_the_list_of_what_is_answered(scene: Scene, grant: Grant, browser: Client) -> None:
    for uri in read(browser, f"{ROOT}/collections")["crs"]:
        assert scene.get(grant, crs=uri, limit="1").headers["Content-Crs"] == f"<{uri}>"


def test_html_of_every_page(scene: Scene, browser: Client) -> None:
    layer = f"{ROOT}/collections/{scene.parcels.uid}"
    fid = read(browser, f"{layer}/items", limit="1")["features"][0]["id"]
    for path in [
        f"{ROOT}/",
        f"{ROOT}/conformance",
        f"{ROOT}/api",
        f"{ROOT}/collections",
        layer,
        f"{layer}/items",
        f"{layer}/items/{fid}",
    ]:
        reply = browser.get(path, headers={"Accept": "text/html"})
        assert reply.status_code == 200
        assert reply["Content-Type"].startswith("text/html")


def test_tiles_are_described(scene: Scene, browser: Client) -> None:
    layer = f"{ROOT}/collections/{scene.parcels.uid}"
    assert len(read(browser, f"{layer}/tiles")["tilesets"]) == 1
    told = read(browser, f"{layer}/tiles/WebMercatorQuad")
    assert told["tileMatrixSetURI"].endswith("/WebMercatorQuad")
    assert told["dataType"] == "vector"
    assert any(link.get("templated") for link in told["links"])


def test_people_without_a_right_see_no_layer_and_nobody_sees_one_unknown(scene: Scene) -> None:
    assert Client().get(f"{ROOT}/collections").status_code == 401
    assert Client().get(f"{ROOT}/collections/{scene.parcels.uid}/items").status_code == 401
    market = Client()
    market.force_login(scene.city.people["market_operator"])
    assert read(market, f"{ROOT}/collections")["collections"] == []
    assert market.get(f"{ROOT}/collections/{scene.parcels.uid}/items").status_code == 404
    admin = Client()
    admin.force_login(scene.city.people["system_admin"])
    assert admin.get(f"{ROOT}/collections").status_code == 403


def test_core_fc_links_every_document_and_page_tells_of_its_other_form(scene: Scene, browser: Client) -> None:
    layer = f"{ROOT}/collections/{scene.parcels.uid}"
    fid = read(browser, f"{layer}/items", limit="1")["features"][0]["id"]
    paths = [f"{ROOT}/", f"{ROOT}/conformance", f"{ROOT}/collections", layer, f"{layer}/tiles", f"{layer}/tiles/WebMercatorQuad"]
    for path in [*paths, f"{layer}/items", f"{layer}/items/{fid}"]:
        asked = {"crs": CGCS2000} if "items" in path else {}
        links = {link["rel"]: link for link in read(browser, path, **asked)["links"]}
        assert links["alternate"]["type"] == "text/html", path
        reply = browser.get(links["alternate"]["href"])
        assert reply.status_code == 200
        assert reply["Content-Type"].startswith("text/html")
        again = browser.get(links["self"]["href"])
        assert again.status_code == 200
        assert again.headers.get("Content-Crs", "") == (f"<{CGCS2000}>" if asked else ""), "the same document again"
    items = {link["type"] for link in read(browser, layer)["links"] if link["rel"] == "items"}
    assert items == {"application/geo+json", "text/html"}
