"""Features for systems: one statement answers and records, in the axis order that was asked for, a page at a time."""

from __future__ import annotations

import json

import mapbox_vector_tile
import pytest
from django.db import connection

from basedb.models import Address, Division
from exchange.models import CallRecord, Grant
from tests.features.scene import ADDRESSES, NORTH, PARCELS, POINT, Scene, fill, make_layer

CGCS2000 = "http://www.opengis.net/def/crs/EPSG/0/4490"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def records(grant: Grant) -> list[CallRecord]:
    return list(CallRecord.objects.filter(grant_id=grant.pk).order_by("recorded_at"))


def test_a_page_of_features_is_geojson_with_its_record_on_disk(scene: Scene) -> None:
    grant = scene.grant()
    reply = scene.get(grant, bbox="118.70,32.00,118.7035,32.0005", limit="3")
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"] == "application/geo+json"
    assert reply.headers["Content-Crs"] == f"<{CRS84}>"
    told = reply.json
    assert told["type"] == "FeatureCollection"
    assert told["numberReturned"] == 3 == len(told["features"])
    assert set(told["features"][0]["properties"]) == set(grant.fields) - {"outline"}
    assert isinstance(told["features"][0]["properties"]["area"], float | int)
    (record,) = records(grant)
    assert (record.mode, record.outcome, record.row_count) == ("FEATURES", "call.answered", 3)
    assert bytes(record.answer_digest or b"").hex() == reply.headers["X-Gov-Answer-Digest"]
    assert record.fields == grant.fields


def test_one_point_reads_in_the_order_of_its_reference_system(scene: Scene) -> None:
    grant = scene.grant(scene.addresses)
    asked = {"address_code": "A00000000"}
    east_first = scene.get(grant, **asked)
    assert tuple(east_first.json["features"][0]["geometry"]["coordinates"]) == POINT
    for uri in (CGCS2000, "http://www.opengis.net/def/crs/EPSG/0/4326"):
        north_first = scene.get(grant, crs=uri, **asked)
        assert tuple(north_first.json["features"][0]["geometry"]["coordinates"]) == (32.04, 118.78)
        assert north_first.headers["Content-Crs"] == f"<{uri}>"


def test_a_box_is_read_in_the_order_of_its_reference_system(scene: Scene) -> None:
    grant = scene.grant(scene.addresses)
    box = {"bbox": "32.0399,118.7799,32.0401,118.7801", "bbox-crs": CGCS2000}
    assert scene.get(grant, **box).json["numberReturned"] == 1
    assert scene.get(grant, bbox="118.7799,32.0399,118.7801,32.0401").json["numberReturned"] == 1


def test_pages_are_complete_and_stable_while_rows_are_added(scene: Scene) -> None:
    grant = scene.grant()
    assert scene.get(grant, limit="1000", count="true").json["numberMatched"] == 800
    before = {feature["id"] for feature in scene.get(grant, limit="1000", land_use="0501").json["features"]}
    seen: list[str] = []
    reply = scene.get(grant, limit="150", land_use="0501")
    added = 800
    while True:
        seen += [feature["id"] for feature in reply.json["features"]]
        following = [link["href"] for link in reply.json["links"] if link["rel"] == "next"]
        if not following:
            break
        fill(PARCELS, scene.city.police, added, added + 9)
        added += 10
        reply = scene.follow(*following[0].split("?"))
        assert reply.status == 200, reply.body
    assert len(seen) == len(set(seen))
    assert len(before) == 640
    assert before <= set(seen)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM basedb_parcel WHERE parcel_code >= '320102001001GB00800'")


def test_one_feature_by_its_id_and_none_by_another(scene: Scene) -> None:
    grant = scene.grant(region_prefix=NORTH)
    (feature,) = scene.get(grant, limit="1").json["features"]
    one = scene.get(grant, f"items/{feature['id']}")
    assert one.status == 200
    assert one.json["properties"] == feature["properties"]
    missing = scene.get(grant, f"items/{'0' * 32}")
    assert (missing.status, missing.code) == (404, "features.not_found")
    assert missing.headers["Content-Type"].startswith("application/json")
    assert [record.row_count for record in records(grant)] == [1, 1, 0]


def test_features_of_another_district_are_neither_listed_counted_nor_found(scene: Scene) -> None:
    everywhere, north = scene.grant(), scene.grant(region_prefix=NORTH)
    assert scene.get(north, count="true", limit="1").json["numberMatched"] == 400
    ids = {feature["id"] for feature in scene.get(everywhere, limit="1000", region_code="320104").json["features"]}
    assert len(ids) == 400
    assert ids.isdisjoint({feature["id"] for feature in scene.get(north, limit="1000").json["features"]})
    assert scene.get(north, f"items/{min(ids)}").status == 404


def test_a_row_filter_limits_features_and_counts(scene: Scene) -> None:
    grant = scene.grant(row_filter=[{"kind": "list", "item": "land_use", "values": ["0701"]}])
    assert scene.get(grant, count="true", limit="5").json["numberMatched"] == 160


def test_a_revoked_grant_is_refused_on_the_next_request(scene: Scene) -> None:
    grant = scene.grant()
    assert scene.get(grant, limit="1").status == 200
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    for what in ("items", "tiles/WebMercatorQuad/14/6643/13598"):
        reply = scene.get(grant, what)
        assert (reply.status, reply.code) == (403, "grant.revoked")
    assert [record.outcome for record in records(grant)] == ["call.answered", "grant.revoked", "grant.revoked"]


def test_a_grant_of_another_mode_or_without_a_shape_opens_no_layer(scene: Scene) -> None:
    assert scene.get(scene.grant(mode="QUERY")).code == "grant.mode_mismatch"
    assert scene.get(scene.grant(fields=["parcel_code"])).code == "features.not_a_layer"
    assert scene.get(scene.grant(masks={"outline": "HIDDEN"})).code == "features.not_a_layer"
    assert scene.get(scene.grant(masks={"outline": "NAME"})).code == "grant.unusable"


def test_the_query_string_is_signed(scene: Scene) -> None:
    from tests.features.scene import path_of
    from tests.hotpath.partner import send

    path = path_of(scene.grant(), "items")
    headers = scene.partner.headers(f"{path}?limit=1", b"", method="GET")
    assert json.loads(send(path, headers, b"", method="GET", query="limit=2").body)["code"] == "auth.bad_signature"


def test_a_grant_that_demands_a_matter_gets_it_as_a_parameter(scene: Scene) -> None:
    grant = scene.grant(matters=["LAND-1"])
    assert scene.get(grant).code == "call.matter_required"
    assert scene.get(grant, matter="LAND-1", limit="1").status == 200
    assert records(grant)[-1].matter == "LAND-1"


@pytest.mark.parametrize(
    ("asked", "expected"), [("2020-06-01", 1), ("2019-02-01/2020-02-01", 2), ("../2019-06-01", 1), ("2021-01-01/..", 2)]
)
def test_a_moment_or_an_interval_finds_what_held_then(scene: Scene, asked: str, expected: int) -> None:
    reply = scene.get(scene.grant(scene.zones), datetime=asked)
    assert reply.json["numberReturned"] == expected, reply.body


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("118.7001,32.0001,118.7001,32.0001", 1),  # a point
        ("118.7001,32.0001,118.7018,32.0001", 2),  # a line
        ("118.7001,32.0001,-170,32.0001", 40),  # two lines, on both sides of the antimeridian
    ],
)
def test_a_box_without_width_or_height_finds_what_lies_there(scene: Scene, box: str, expected: int) -> None:
    assert scene.get(scene.grant(), bbox=box, count="true").json["numberMatched"] == expected
    coarse = scene.grant(masks={"outline": "SNAP_10M"})
    assert scene.get(coarse, bbox=box).status == 200


def test_the_day_of_a_change_belongs_to_the_new_division(scene: Scene) -> None:
    for code, start, end in (("320103", "1955-01-01", "2013-02-20"), ("320104", "2013-02-20", None)):
        Division.objects.create(
            row_key=f"{code}{start}".encode()[:16], subject_key=code.encode(), source_department=scene.city.police,
            source_record_id=1, run_id=1, division_code=code, division_level="COUNTY", valid_from=start, valid_to=end,
            outline="SRID=4490;MULTIPOLYGON(((118.7 32, 118.8 32, 118.8 32.1, 118.7 32)))",
        )  # fmt: skip
    grant = scene.grant(make_layer(scene.city.police, "geo.division", ["division_code", "valid_from", "valid_to", "outline"]))
    for day, code in (("2013-02-19", "320103"), ("2013-02-20", "320104"), ("2013-02-20/..", "320104")):
        told = scene.get(grant, datetime=day).json
        assert [feature["properties"]["division_code"] for feature in told["features"]] == [code], day


def test_a_shape_kept_in_shifted_coordinates_says_so_everywhere(scene: Scene) -> None:
    fill(ADDRESSES, scene.city.police, 9_000, 9_000)
    Address.objects.filter(address_code="A00009000").update(datum_note="GCJ02")
    grant = scene.grant(scene.addresses)
    told = {one["properties"]["address_code"]: one for one in scene.get(grant, limit="1000").json["features"]}
    assert [code for code, one in told.items() if "coordinateNote" in one] == ["A00009000"]
    assert scene.get(grant, f"items/{told['A00009000']['id']}").json["coordinateNote"] == "GCJ02"
    tile = mapbox_vector_tile.decode(scene.get(grant, "tiles/WebMercatorQuad/14/6648/13597").body)
    drawn = {one["properties"]["address_code"]: one["properties"] for one in tile["features"]["features"]}
    assert drawn["A00009000"]["coordinateNote"] == "GCJ02"
    Address.objects.filter(address_code="A00009000").delete()
